import { type DType, dtypes } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import { platform } from "../types/platform.js";
import { attrTags, firstOperationTag, magic, none, recordKinds } from "./encode.js";
import { opName, opTableHash } from "./op-ids.js";
import {
  type Expr,
  exprOperations,
  type Instruction,
  type Load,
  type Program,
  type ProgramAttr,
  type ProgramGuard,
  type ProgramRecord,
  programFormat,
  type Region,
  type Slot,
  type Store,
} from "./program.js";

const dtypeById = new Map<number, DType>(
  // boundary: the keys of the dtype table are the dtypes
  (Object.keys(dtypes) as DType[]).map((d) => [dtypes[d].id, d]),
);

/** More symbols than any program has: a count alone must not cost memory. */
const maxSymbols = 65_536;
/** Deeper nesting of regions is refused. */
const maxDepth = 64;

function broken(what: string): MillraceError {
  return new MillraceError("E_FORMAT", `not a valid program: ${what}`);
}

/** A checked reader: every count is held against the bytes that are left. */
class Reader {
  private readonly view: DataView;
  private readonly bytes: Uint8Array;
  at = 0;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  private take(n: number): number {
    if (n > this.bytes.length - this.at) throw broken(`it ends at byte ${this.bytes.length}, inside a value`);
    this.at += n;
    return this.at - n;
  }
  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }
  u64(): bigint {
    return this.view.getBigUint64(this.take(8), true);
  }
  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }
  raw(length: number): Uint8Array {
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }
  padded(length: number): Uint8Array {
    const data = this.raw(length);
    this.take((4 - (length % 4)) % 4);
    return data;
  }
  string(): string {
    return new platform.TextDecoder().decode(this.padded(this.u32()));
  }
  list<T>(read: () => T): T[] {
    const count = this.u32();
    if (count * 4 > this.bytes.length - this.at) throw broken(`a list of ${count} items does not fit`);
    return Array.from({ length: count }, read);
  }
  /** An index below `limit`. */
  index(limit: number, what: string): number {
    const i = this.u32();
    if (i >= limit) throw broken(`${what} ${i} of ${limit}`);
    return i;
  }
}

/** Reads a program, for backends that are written in TypeScript. Throws E_FORMAT and E_VERSION. */
export function decodeProgram(bytes: Uint8Array): Program {
  const r = new Reader(bytes);
  if (r.u32() !== magic) throw broken("it does not begin as one");
  const format = r.u32();
  if (format !== programFormat)
    throw new MillraceError("E_VERSION", `program format ${format}: this reader knows ${programFormat}`);
  if (r.u64() !== opTableHash) throw new MillraceError("E_VERSION", "the program was made with another op table");
  if (r.u64() !== BigInt(bytes.length)) throw broken("its length is not what it says");
  const symbolCount = r.index(maxSymbols, "symbol count");
  const exprs: Expr[] = [];
  r.list(() => exprs.push(readExpr(r, symbolCount, exprs.length)));
  const guards = r.list((): ProgramGuard => {
    const kind = r.index(2, "guard kind") === 0 ? "eq" : "le";
    return { kind, lhs: r.index(exprs.length, "expression"), rhs: r.index(exprs.length, "expression") };
  });
  const constants = r.list(() => {
    const [offset, length] = [Number(r.u64()), Number(r.u64())];
    if (offset + length > bytes.length) throw broken("a constant lies outside");
    return bytes.subarray(offset, offset + length);
  });
  const root = readRegion(r, { exprs: exprs.length, constants: constants.length }, 0);
  return { symbols: Array.from({ length: symbolCount }, (_, i) => `s${i}`), exprs, guards, constants, root };
}

function readExpr(r: Reader, symbols: number, before: number): Expr {
  const tag = r.u32();
  if (tag === 0) return { kind: "constant", value: Number(BigInt.asIntN(64, r.u64())) };
  if (tag === 1) {
    const index = r.index(symbols, "symbol");
    r.u32();
    return { kind: "symbol", index };
  }
  const kind = exprOperations[tag - firstOperationTag];
  if (!kind) throw broken(`expression tag ${tag}`);
  return { kind, a: r.index(before, "expression"), b: r.index(before, "expression") };
}

interface Limits {
  readonly exprs: number;
  readonly constants: number;
}

function readRegion(r: Reader, limits: Limits, depth: number): Region {
  if (depth > maxDepth) throw broken("regions are nested too deeply");
  const expr = (): number => r.index(limits.exprs, "expression");
  const slots = r.list((): Slot => ({ dtype: readDType(r), dims: r.list(expr) }));
  const slot = (): number => r.index(slots.length, "slot");
  const params = r.u32();
  if (params > slots.length) throw broken(`${params} parameters of ${slots.length} slots`);
  const results = r.list(slot);
  const records = r.list((): ProgramRecord => {
    const kind = recordKinds[r.u32()];
    const words = r.u32();
    const start = r.at;
    const record = readRecord(r, kind, slot, expr, limits, depth);
    if (r.at - start !== words * 4) throw broken(`a ${kind} record is not as long as it says`);
    return record;
  });
  return { slots, params, results, records };
}

function readDType(r: Reader): DType {
  const id = r.u32();
  const dtype = dtypeById.get(id);
  if (!dtype) throw broken(`dtype ${id}`);
  return dtype;
}

function readOp(r: Reader): string {
  const id = r.u32();
  const name = opName(id);
  if (name === undefined) throw broken(`op ${id}`);
  return name;
}

function readRecord(
  r: Reader,
  kind: ProgramRecord["kind"] | undefined,
  slot: () => number,
  expr: () => number,
  limits: Limits,
  depth: number,
): ProgramRecord {
  switch (kind) {
    case "constant":
      return { kind, slot: slot(), constant: r.index(limits.constants, "constant") };
    case "alias":
      return { kind, from: slot(), to: slot() };
    case "library":
      return {
        kind,
        op: readOp(r),
        version: r.u32(),
        ins: r.list(slot),
        outs: r.list(slot),
        attrs: new Map(r.list(() => [r.string(), readAttr(r, expr, 0)])),
        regions: r.list(() => readRegion(r, limits, depth + 1)),
      };
    case "loop":
      return readLoop(r, slot, expr);
    default:
      throw broken("an unknown kind of record");
  }
}

function readLoop(r: Reader, slot: () => number, expr: () => number): ProgramRecord {
  const extents = r.list(expr);
  const loads = r.list((): Load => {
    const load = { slot: slot(), offset: expr(), strides: r.list(expr) };
    if (load.strides.length !== extents.length) throw broken("a load has strides for another iteration space");
    return load;
  });
  let values = loads.length;
  const instructions = r.list((): Instruction => {
    const [op, dtype] = [readOp(r), readDType(r)];
    const args = [r.u32(), r.u32(), r.u32()].filter((a) => a !== none);
    if (args.some((a) => a >= values)) throw broken("an instruction reads a later value");
    values++;
    return { op, dtype, args, immediate: r.u64() };
  });
  const stores = r.list((): Store => {
    const target = { slot: slot(), value: r.index(values, "value") };
    const [op, mask] = [r.u32(), r.u32()];
    if (op === none) return target;
    const name = opName(op);
    if (name === undefined) throw broken(`op ${op}`);
    return { ...target, reduce: { op: name, mask } };
  });
  return { kind: "loop", extents, loads, instructions, stores };
}

function readAttr(r: Reader, expr: () => number, depth: number): ProgramAttr {
  if (depth > maxDepth) throw broken("attributes are nested too deeply");
  const tag = r.u32();
  switch (tag) {
    case attrTags.integer:
      return Number(BigInt.asIntN(64, r.u64()));
    case attrTags.float:
      return r.f64();
    case attrTags.boolean:
      return r.u32() !== 0;
    case attrTags.string:
      return r.string();
    case attrTags.list:
      return r.list(() => readAttr(r, expr, depth + 1));
    case attrTags.expr:
      return { expr: expr() };
    case attrTags.bytes:
      return { bytes: r.padded(r.u32()) };
    default:
      throw broken(`attribute tag ${tag}`);
  }
}
