/**
 * A backend that computes nothing and records what it is asked to do: schedule and leak tests need no numbers.
 * @packageDocumentation
 */
import {
  type Aval,
  type Backend,
  type Bound,
  type Buf,
  type DeviceInfo,
  decodeProgram,
  dtypes,
  type Executable,
  evaluateExprs,
  KeptOrigins,
  type MemoryStats,
  type Origins,
  originOf,
  type Program,
  type Reclaimer,
  SlotMap,
} from "@millrace/core/backend";

/** One thing that a backend was asked to do. */
export type NullEvent =
  | { readonly kind: "compile"; readonly program: Program }
  | { readonly kind: "bind"; readonly sizes: readonly number[] }
  | { readonly kind: "run"; readonly args: readonly Buf[]; readonly donated: readonly number[] }
  | { readonly kind: "upload" | "free"; readonly buf: Buf };

/** How a null backend behaves. */
export interface NullBackendOptions {
  /** Whether it is sent loop kernels; true unless said. */
  readonly fusion?: boolean;
  /** The composites it claims. */
  readonly claims?: readonly string[];
}

/** A page that was handed to the reclaimer: the test decides when it dies. */
class RecordingReclaimer implements Reclaimer {
  readonly due: number = Number.POSITIVE_INFINITY;
  readonly pages: { readonly token: object; readonly bufs: readonly Buf[] }[] = [];
  page(token: object, bufs: readonly Buf[]): void {
    this.pages.push({ token, bufs: [...bufs] });
  }
  poll(): void {}
  pressure(): void {}
}

/**
 * Records compile, bind, run, upload and free; reads give zeros.
 *
 *     const backend = new NullBackend();
 *     tf.registerBackend("null", () => backend);
 *     tf.device("null:0", () => tf.add(tf.zeros([2]), 1));
 *     backend.events.filter((e) => e.kind === "run").length;
 */
export class NullBackend implements Backend {
  readonly name = "null";
  readonly fusion: boolean;
  readonly events: NullEvent[] = [];
  readonly reclaimer: RecordingReclaimer = new RecordingReclaimer();
  private readonly claimed: ReadonlySet<string>;
  private readonly buffers = new SlotMap<{ readonly bytes: number; origin: number }>();
  private readonly executables = new SlotMap<Program>();
  private readonly bounds = new SlotMap<{
    readonly program: Program;
    readonly results: readonly number[];
    origin: number;
  }>();
  readonly origins: Origins = new KeptOrigins(this.buffers, this.bounds);
  private liveBytes = 0;
  private peakBytes = 0;
  private runs = 0;

  constructor(options: NullBackendOptions = {}) {
    this.fusion = options.fusion ?? true;
    this.claimed = new Set(options.claims);
  }

  devices(): readonly DeviceInfo[] {
    return [{ name: "null:0", description: "computes nothing, records everything" }];
  }
  claims(op: { readonly name: string }): boolean {
    return this.claimed.has(op.name);
  }
  compile(bytes: Uint8Array): Executable {
    const program = decodeProgram(bytes);
    this.events.push({ kind: "compile", program });
    return this.executables.add(program);
  }
  bind(exe: Executable, sizes: readonly number[]): Bound {
    const program = this.executables.get(exe, "executable");
    const values = evaluateExprs(program.exprs, sizes);
    const results = program.root.results.map((slot) => {
      const { dtype, dims } = program.root.slots[slot]!;
      return dims.reduce((n, d) => n * values[d]!, dtypes[dtype].bytes);
    });
    this.events.push({ kind: "bind", sizes });
    return this.bounds.add({ program, results, origin: 0 });
  }
  run(bound: Bound, args: readonly Buf[], donated: readonly number[] = []): readonly Buf[] {
    for (const buf of args) this.buffers.get(buf, "buffer");
    this.runs++;
    this.events.push({ kind: "run", args: [...args], donated });
    const { results, origin } = this.bounds.get(bound, "bound program");
    return results.map((bytes, i) => this.add(bytes, originOf(origin, i)));
  }
  releaseExecutable(exe: Executable): void {
    this.executables.remove(exe);
  }
  releaseBound(bound: Bound): void {
    this.bounds.remove(bound);
  }
  upload(bytes: Uint8Array, _aval: Aval): Buf {
    const buf = this.add(bytes.byteLength, 0);
    this.events.push({ kind: "upload", buf });
    return buf;
  }
  async read(buf: Buf): Promise<Uint8Array> {
    return this.readSync(buf);
  }
  readSync(buf: Buf): Uint8Array {
    return new Uint8Array(this.buffers.get(buf, "buffer").bytes);
  }
  free(buf: Buf): void {
    const gone = this.buffers.remove(buf);
    if (!gone) return;
    this.liveBytes -= gone.bytes;
    this.events.push({ kind: "free", buf });
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
      kernels: 0,
      javaScriptCalls: 0,
    };
  }

  private add(bytes: number, origin: number): Buf {
    this.liveBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    return this.buffers.add({ bytes, origin });
  }
}
