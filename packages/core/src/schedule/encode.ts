import { dtypes } from "../types/dtype.js";
import { platform } from "../types/platform.js";
import { opIds, opTableHash } from "./op-ids.js";
import {
  type Expr,
  exprOperations,
  type Instruction,
  type Program,
  type ProgramAttr,
  type ProgramAttrs,
  type ProgramRecord,
  programFormat,
  type Region,
} from "./program.js";

export const magic = 0x50524c4d;
/** No operand, no reduction. */
export const none = 0xffffffff;
/** The tags of records and attribute values, at their numbers. */
export const recordKinds = ["constant", "alias", "library", "loop"] as const;
export const attrTags = { integer: 0, float: 1, boolean: 2, string: 3, list: 4, expr: 5, bytes: 6 } as const;
/** Where operations on sizes start, after constant and symbol. */
export const firstOperationTag = 2;
/** Constants start at multiples of this, as kernels want them. */
export const constantAlignment = 64;

/** A growing little-endian buffer of 32-bit words. */
class Writer {
  private bytes = new Uint8Array(1024);
  private view = new DataView(this.bytes.buffer);
  length = 0;

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }
  u64(value: bigint): void {
    this.reserve(8);
    this.view.setBigUint64(this.length, BigInt.asUintN(64, value), true);
    this.length += 8;
  }
  f64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }
  raw(data: Uint8Array): void {
    this.reserve(data.length);
    this.bytes.set(data, this.length);
    this.length += data.length;
  }
  pad(to: number): void {
    this.raw(new Uint8Array((to - (this.length % to)) % to));
  }
  list<T>(items: readonly T[], write: (item: T) => void): void {
    this.u32(items.length);
    for (const item of items) write(item);
  }
  words(items: readonly number[]): void {
    this.list(items, (x) => this.u32(x));
  }
  string(text: string): void {
    const bytes = new platform.TextEncoder().encode(text);
    this.u32(bytes.length);
    this.raw(bytes);
    this.pad(4);
  }
  patch32(at: number, value: number): void {
    this.view.setUint32(at, value, true);
  }
  patch64(at: number, value: bigint): void {
    this.view.setBigUint64(at, value, true);
  }
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** A program as bytes. */
export function encodeProgram(program: Program): Uint8Array {
  const w = new Writer();
  w.u32(magic);
  w.u32(programFormat);
  w.u64(opTableHash);
  const lengthAt = w.length;
  w.u64(0n);
  w.u32(program.symbols.length);
  w.list(program.exprs, (e) => writeExpr(w, e));
  w.list(program.guards, (g) => {
    w.u32(g.kind === "eq" ? 0 : 1);
    w.u32(g.lhs);
    w.u32(g.rhs);
  });
  w.u32(program.constants.length);
  const constantsAt = program.constants.map((bytes) => {
    const at = w.length;
    w.u64(0n);
    w.u64(BigInt(bytes.length));
    return at;
  });
  writeRegion(w, program.root);
  program.constants.forEach((bytes, i) => {
    w.pad(constantAlignment);
    w.patch64(constantsAt[i]!, BigInt(w.length));
    w.raw(bytes);
  });
  w.pad(constantAlignment);
  w.patch64(lengthAt, BigInt(w.length));
  return w.finish();
}

function writeExpr(w: Writer, e: Expr): void {
  if (e.kind === "constant") {
    w.u32(0);
    w.u64(BigInt(e.value));
  } else if (e.kind === "symbol") {
    w.u32(1);
    w.u32(e.index);
    w.u32(0);
  } else {
    w.u32(firstOperationTag + exprOperations.indexOf(e.kind));
    w.u32(e.a);
    w.u32(e.b);
  }
}

function writeRegion(w: Writer, region: Region): void {
  w.list(region.slots, (slot) => {
    w.u32(dtypes[slot.dtype].id);
    w.words(slot.dims);
  });
  w.u32(region.params);
  w.words(region.results);
  w.list(region.records, (record) => {
    w.u32(recordKinds.indexOf(record.kind));
    const lengthAt = w.length;
    w.u32(0);
    writeRecord(w, record);
    w.patch32(lengthAt, (w.length - lengthAt - 4) / 4);
  });
}

function writeRecord(w: Writer, record: ProgramRecord): void {
  switch (record.kind) {
    case "constant":
      w.u32(record.slot);
      w.u32(record.constant);
      break;
    case "alias":
      w.u32(record.from);
      w.u32(record.to);
      break;
    case "library":
      w.u32(opId(record.op));
      w.u32(record.version);
      w.words(record.ins);
      w.words(record.outs);
      writeAttrs(w, record.attrs);
      w.list(record.regions, (r) => writeRegion(w, r));
      break;
    case "loop":
      w.words(record.extents);
      w.list(record.loads, (l) => {
        w.u32(l.slot);
        w.u32(l.offset);
        w.words(l.strides);
      });
      w.list(record.instructions, (i) => writeInstruction(w, i));
      w.list(record.stores, (s) => {
        w.u32(s.slot);
        w.u32(s.value);
        w.u32(s.reduce ? opId(s.reduce.op) : none);
        w.u32(s.reduce?.mask ?? 0);
      });
  }
}

function writeInstruction(w: Writer, i: Instruction): void {
  w.u32(opId(i.op));
  w.u32(dtypes[i.dtype].id);
  for (let k = 0; k < 3; k++) w.u32(i.args[k] ?? none);
  w.u64(i.immediate);
}

function opId(name: string): number {
  const id = opIds.get(name);
  if (id === undefined) throw new RangeError(`${name} has no number in programs: only ops of core do`);
  return id;
}

function writeAttrs(w: Writer, attrs: ProgramAttrs): void {
  w.list(
    [...attrs].sort(([a], [b]) => (a < b ? -1 : 1)),
    ([name, value]) => {
      w.string(name);
      writeAttr(w, value);
    },
  );
}

function writeAttr(w: Writer, value: ProgramAttr): void {
  if (typeof value === "number") {
    const whole = Number.isSafeInteger(value) && !Object.is(value, -0);
    w.u32(whole ? attrTags.integer : attrTags.float);
    if (whole) w.u64(BigInt(value));
    else w.f64(value);
  } else if (typeof value === "boolean") {
    w.u32(attrTags.boolean);
    w.u32(value ? 1 : 0);
  } else if (typeof value === "string") {
    w.u32(attrTags.string);
    w.string(value);
  } else if ("expr" in value) {
    w.u32(attrTags.expr);
    w.u32(value.expr);
  } else if ("bytes" in value) {
    w.u32(attrTags.bytes);
    w.u32(value.bytes.length);
    w.raw(value.bytes);
    w.pad(4);
  } else {
    w.u32(attrTags.list);
    w.list(value, (v) => writeAttr(w, v));
  }
}
