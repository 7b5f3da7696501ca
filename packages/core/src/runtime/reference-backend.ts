// The oracle: runs programs by the ops' own references, in JavaScript memory. It is what runs where nothing else is installed.
import type { Attr, Attrs } from "../ir/attrs.js";
import type { Aval } from "../ir/aval.js";
import { bytesOf, countOf, type HostArray, hostArray, viewAs } from "../ir/host.js";
import { findOp } from "../ops/table.js";
import { decodeProgram } from "../schedule/decode.js";
import { runLoop } from "../schedule/evaluate-loop.js";
import { evaluateExprs, type LibraryRecord, type Program, type ProgramAttr, type Region } from "../schedule/program.js";
import { dtypes, type TypedArray } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import type { Backend, Bound, Buf, DeviceInfo, Executable, MemoryStats, Origins, Reclaimer } from "./backend.js";
import { FinalizationReclaimer } from "./finalization-reclaimer.js";
import { previewOf } from "./host-values.js";
import { KeptOrigins, originOf } from "./kept-origins.js";
import { log, warnOnce } from "./logger.js";
import { SlotMap } from "./slot-map.js";

/** Elements of all values together, from which a program is worth a warning. */
const largeProgram = 4_000_000;

interface BoundProgram {
  readonly program: Program;
  readonly values: readonly number[];
  /** That of the first result. */
  origin: number;
}

interface Buffer {
  readonly array: HostArray;
  readonly bytes: number;
  origin: number;
}

/** The reference backend. */
export class ReferenceBackend implements Backend {
  readonly name: string;
  readonly fusion: boolean;
  private readonly buffers = new SlotMap<Buffer>();
  private readonly executables = new SlotMap<Program>();
  private readonly bounds = new SlotMap<BoundProgram>();
  readonly origins: Origins = new KeptOrigins(this.buffers, this.bounds);
  private liveBytes = 0;
  private peakBytes = 0;
  private runs = 0;
  private kernels = 0;
  readonly reclaimer: Reclaimer = new FinalizationReclaimer((buf) => this.free(buf));

  /** `fusion` makes it run loop kernels as a fusing backend does: that is how the scheduler is proven. */
  constructor(options: { readonly name?: string; readonly fusion?: boolean } = {}) {
    this.name = options.name ?? "reference";
    this.fusion = options.fusion ?? false;
  }

  devices(): readonly DeviceInfo[] {
    return [{ name: `${this.name}:0`, description: "the ops' definitions, in JavaScript: exact and slow" }];
  }
  claims(): boolean {
    return false;
  }
  compile(bytes: Uint8Array): Executable {
    return this.executables.add(decodeProgram(bytes));
  }
  bind(exe: Executable, sizes: readonly number[]): Bound {
    const program = this.executables.get(exe, "executable");
    const values = evaluateExprs(program.exprs, sizes);
    for (const g of program.guards) {
      const [lhs, rhs] = [values[g.lhs]!, values[g.rhs]!];
      if (g.kind === "eq" ? lhs === rhs : lhs <= rhs) continue;
      throw new MillraceError("E_GUARD", `the program needs ${lhs} ${g.kind === "eq" ? "=" : "<="} ${rhs}`);
    }
    this.warnIfLarge(program, values);
    return this.bounds.add({ program, values, origin: 0 });
  }
  /** This backend is what runs where nothing else is installed, which may not be what was wanted. */
  private warnIfLarge({ root }: Program, values: readonly number[]): void {
    const sizes = root.slots.map((slot) => countOf(slot.dims.map((d) => values[d]!)));
    if (sizes.reduce((sum, size) => sum + size, 0) < largeProgram) return;
    warnOnce(
      "W_REFERENCE_BACKEND",
      this.name,
      "a large program runs on the reference backend, which is exact and slow; tf.getBackend() says what runs",
    );
  }
  run(bound: Bound, args: readonly Buf[]): readonly Buf[] {
    const { program, values, origin } = this.bounds.get(bound, "bound program");
    this.runs++;
    const run = new ProgramRun(program, values);
    const results = run.region(
      program.root,
      args.map((b) => this.buffers.get(b, "buffer").array),
    );
    this.kernels += run.kernels;
    return results.map((r, i) => this.store(r, originOf(origin, i)));
  }
  releaseExecutable(exe: Executable): void {
    this.executables.remove(exe);
  }
  releaseBound(bound: Bound): void {
    this.bounds.remove(bound);
  }
  upload(bytes: Uint8Array, aval: Aval): Buf {
    return this.store({ dtype: aval.dtype, shape: aval.shape.map(Number), data: viewAs(aval.dtype, bytes.slice()) }, 0);
  }
  // Programs have run when `run` returns: there is nothing to cancel.
  async read(buf: Buf): Promise<Uint8Array> {
    return this.readSync(buf);
  }
  readSync(buf: Buf): Uint8Array {
    return bytesOf(this.buffers.get(buf, "buffer").array.data).slice();
  }
  free(buf: Buf): void {
    this.liveBytes -= this.buffers.remove(buf)?.bytes ?? 0;
  }
  async sync(): Promise<void> {}
  stats(): MemoryStats {
    return {
      liveBytes: this.liveBytes,
      peakBytes: this.peakBytes,
      mappedBytes: 0,
      liveBuffers: this.buffers.size,
      cachedBytes: 0,
      packedBytes: 0,
      executables: this.executables.size,
      bounds: this.bounds.size,
      runs: this.runs,
      kernels: this.kernels,
      javaScriptCalls: 0,
    };
  }

  private store(array: HostArray, origin: number): Buf {
    const bytes = array.data.byteLength;
    this.liveBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    return this.buffers.add({ array, bytes, origin });
  }
}

/** One run of a bound program. */
class ProgramRun {
  kernels = 0;
  private readonly program: Program;
  private readonly values: readonly number[];

  constructor(program: Program, values: readonly number[]) {
    this.program = program;
    this.values = values;
  }

  region(region: Region, args: readonly HostArray[]): HostArray[] {
    const slots: (HostArray | undefined)[] = [...args];
    const shapeOf = (slot: number): number[] => region.slots[slot]!.dims.map((d) => this.values[d]!);
    const make = (slot: number): HostArray => (slots[slot] = hostArray(region.slots[slot]!.dtype, shapeOf(slot)));
    const read = (slot: number): HostArray => slots[slot]!;
    for (const record of region.records) {
      if (record.kind === "constant") {
        const { dtype } = region.slots[record.slot]!;
        slots[record.slot] = {
          dtype,
          shape: shapeOf(record.slot),
          data: viewAs(dtype, this.program.constants[record.constant]!),
        };
      } else if (record.kind === "alias") {
        slots[record.to] = aliased(read(record.from), region.slots[record.to]!.dtype, shapeOf(record.to));
      } else if (record.kind === "loop") {
        this.kernels++;
        runLoop(record, this.values, read, make);
      } else {
        this.kernels++;
        this.library(record, record.ins.map(read), record.outs, make, (slot, value) => {
          slots[slot] = value;
        });
      }
    }
    return region.results.map(read);
  }

  private library(
    record: LibraryRecord,
    ins: readonly HostArray[],
    outs: readonly number[],
    make: (slot: number) => HostArray,
    set: (slot: number, value: HostArray) => void,
  ): void {
    if (record.op === "cond") {
      const [pred, ...operands] = ins;
      const region = record.regions[pred!.data[0] ? 0 : 1]!;
      this.region(region, operands).forEach((value, i) => {
        set(outs[i]!, value);
      });
    } else if (record.op === "print") {
      const [x] = ins;
      log().info(`${record.attrs.get("message")} ${x!.dtype}[${x!.shape}] ${previewOf(x!.data, x!.dtype, x!.shape)}`);
      set(outs[0]!, x!);
    } else if (record.op === "whileLoop") {
      this.whileLoop(record, ins).forEach((value, i) => {
        set(outs[i]!, value);
      });
    } else {
      const op = findOp(record.op);
      if (!op?.reference) throw new MillraceError("E_VERSION", `the reference backend knows no op called ${record.op}`);
      if (op.version !== record.version)
        throw new MillraceError("E_VERSION", `${record.op}@${record.version}: this build has version ${op.version}`);
      op.reference(ins, this.attrs(record), outs.map(make));
    }
  }

  private whileLoop(record: LibraryRecord, ins: readonly HostArray[]): HostArray[] {
    const carried = record.outs.length;
    const constants = ins.slice(carried);
    let carry = ins.slice(0, carried);
    const [condition, body] = record.regions;
    while (this.region(condition!, [...carry, ...constants])[0]!.data[0])
      carry = this.region(body!, [...carry, ...constants]);
    return [...carry];
  }

  private attrs(record: LibraryRecord): Attrs {
    return Object.fromEntries([...record.attrs].map(([name, value]) => [name, this.attr(value)]));
  }

  private attr(value: ProgramAttr): Attr {
    if (typeof value !== "object") return value;
    if ("expr" in value) return this.values[value.expr]!;
    return "bytes" in value ? value.bytes : value.map((v) => this.attr(v));
  }
}

/** The same bytes under another dtype and shape. */
function aliased(from: HostArray, dtype: HostArray["dtype"], shape: readonly number[]): HostArray {
  const data: TypedArray = dtype === from.dtype ? from.data : viewAs(dtype, bytesOf(from.data));
  if (data.length !== countOf(shape))
    throw new MillraceError(
      "E_SHAPE",
      `alias: ${data.length} elements of ${dtypes[dtype].bytes} bytes do not make ${shape}`,
    );
  return { dtype, shape, data };
}
