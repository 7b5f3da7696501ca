/**
 * The native CPU backend of Millrace for Node.js.
 * @packageDocumentation
 */
import os from "node:os";
import {
  type AnyOp,
  type Aval,
  type Backend,
  type Bound,
  type Buf,
  type DeviceInfo,
  dtypes,
  type Executable,
  log,
  type MemoryStats,
  MillraceError,
  type Origins,
  type Profiler,
  previewOf,
  type Signal,
  viewAs,
  warnOnce,
  withSite,
} from "@millrace/core/backend";
import { loadAddon, type NativeContext, type Printed } from "./addon.js";
import { Calls } from "./calls.js";
import { checkEnvironment } from "./environment.js";
import { siteOf, thrown } from "./errors.js";
import { NativeOrigins } from "./origins.js";
import { NativeProfiler } from "./profiler.js";
import { PageReclaimer } from "./reclaimer.js";
import { version } from "./version.gen.js";

/** Added to what the addon's `run` returns where the program was queued and may fail. */
const queued = 2 ** 30;

/** How a CPU backend is made. */
export interface CpuOptions {
  /** Bytes that tensors and freed memory kept for reuse may take; 80 % of the machine's memory unless given. */
  readonly memoryLimit?: number;
}

/** Runs programs on native kernels. Everything it holds is its own: two backends share threads only. */
export class CpuBackend implements Backend {
  readonly name: string = "cpu";
  readonly version: string = version;
  readonly fusion: boolean = true;
  readonly reclaimer: PageReclaimer;
  readonly origins: Origins;
  readonly profiler: Profiler;
  private readonly native: NativeContext;
  private args: Int32Array = new Int32Array(64);
  private donated: Int32Array = new Int32Array(64);
  private results: Int32Array = new Int32Array(64);
  private waits = 0;
  private readonly calls = new Calls();

  /** Throws E_BACKEND where the addon is not installed, E_ARGUMENT where a variable of the environment has no such value. */
  constructor(options: CpuOptions = {}) {
    checkEnvironment();
    const limit = options.memoryLimit ?? Math.floor(os.totalmem() * 0.8);
    this.native = loadAddon().createContext(limit);
    this.native.onMessage((printed, lost) => this.hear(printed, lost));
    this.reclaimer = new PageReclaimer(this.native, limit);
    this.origins = new NativeOrigins(this.native);
    this.profiler = new NativeProfiler(this.native);
  }

  devices(): readonly DeviceInfo[] {
    const { path, threads } = loadAddon().machine();
    return [{ name: "cpu:0", description: `native kernels for ${path}, threads: ${threads}` }];
  }

  threads(): number {
    return loadAddon().machine().threads;
  }

  /** Of the process: other backends and workers share its threads. */
  setThreads(count: number): void {
    loadAddon().setThreads(count);
  }

  claims(op: AnyOp, ins: readonly Aval[]): boolean {
    return this.native.claims(
      op.name,
      ins.some(({ dtype }) => dtypes[dtype].computesIn),
    );
  }

  compile(program: Uint8Array): Executable {
    return this.guard(() => this.native.compile(program));
  }

  bind(exe: Executable, sizes: readonly number[]): Bound {
    return this.guard(() => this.native.bind(exe, new Float64Array(sizes)));
  }

  run(bound: Bound, args: readonly Buf[], donate: readonly number[], renew: readonly number[] = []): readonly Buf[] {
    this.args = filled(this.args, args);
    this.donated = paired(this.donated, donate, renew);
    const count = this.guard(() => this.start(bound, args.length, donate.length));
    const handles = new Array<Buf>(count);
    for (let i = 0; i < count; i++) handles[i] = this.results[i]!;
    return handles;
  }

  private start(bound: Bound, args: number, donations: number): number {
    const count = this.native.run(bound, this.args, args, this.donated, donations, this.results);
    if (count >= queued) {
      this.native.nameCall(this.calls.here());
      return count - queued;
    }
    if (count >= 0) return count;
    this.results = new Int32Array(-count);
    return this.start(bound, args, donations);
  }

  run1(bound: Bound, a: Buf): Buf {
    try {
      return this.native.run1(bound, a);
    } catch (error) {
      return this.retry(error, () => this.native.run1(bound, a));
    }
  }

  run2(bound: Bound, a: Buf, b: Buf): Buf {
    try {
      return this.native.run2(bound, a, b);
    } catch (error) {
      return this.retry(error, () => this.native.run2(bound, a, b));
    }
  }

  isLong(bound: Bound): boolean {
    return this.guard(() => this.native.isLong(bound));
  }

  releaseExecutable(exe: Executable): void {
    this.guard(() => this.native.releaseExecutable(exe));
  }

  releaseBound(bound: Bound): void {
    this.guard(() => this.native.releaseBound(bound));
  }

  upload(bytes: Uint8Array, _aval: Aval): Buf {
    return this.guard(() => this.native.upload(bytes));
  }

  map(path: string, offset: number, { dtype, shape }: Aval): Buf {
    const element = dtypes[dtype].bytes;
    const bytes = shape.reduce<number>((n, size) => n * Number(size), element);
    return this.guard(() => this.native.map(path, offset, bytes, element));
  }

  read(buf: Buf, signal?: Signal | null): Promise<Uint8Array> {
    return this.waitFor((id) => this.native.read(buf, id), signal);
  }

  /** Gives a promise of the addon a number by which an abort ends it. */
  private async waitFor<T>(start: (id?: number) => Promise<T>, signal?: Signal | null): Promise<T> {
    const id = signal?.addEventListener ? this.nextWait() : undefined;
    const abort = (): void => void this.native.abandon(id!, reasonOf(signal));
    try {
      const pending = start(id);
      if (id !== undefined) signal!.addEventListener!("abort", abort);
      return await pending;
    } catch (error) {
      throw thrown(error, this.calls);
    } finally {
      if (id !== undefined) signal!.removeEventListener?.("abort", abort);
    }
  }

  private nextWait(): number {
    this.waits = (this.waits + 1) % 2 ** 30 || 1;
    return this.waits;
  }

  readSync(buf: Buf): Uint8Array {
    return this.guard(() => this.native.readSync(buf));
  }

  free(buf: Buf): void {
    this.guard(() => this.native.free(buf));
  }

  cancel(buf: Buf, reason = ""): boolean {
    return this.guard(() => this.native.cancel(buf, reason));
  }

  sync(_device?: number, signal?: Signal | null): Promise<void> {
    return this.waitFor((id) => this.native.sync(id), signal);
  }

  stats(): MemoryStats {
    return this.native.stats();
  }

  /** Cancels what runs and gives everything back; later calls throw E_DISPOSED. */
  close(): void {
    this.native.close();
  }

  /** Makes errors Millrace's. Memory that ran out is looked for once: a full collection, then one more try. */
  private guard<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      return this.retry(error, call);
    }
  }

  private retry<T>(error: unknown, call: () => T): T {
    const first = thrown(error, this.calls);
    if (!(first instanceof MillraceError) || first.code !== "E_MEMORY") throw first;
    this.reclaimer.relieve();
    try {
      return call();
    } catch (second) {
      throw thrown(second, this.calls);
    }
  }

  private hear(printed: readonly Printed[], lost: readonly Error[]): void {
    for (const { message, dtype, shape, bytes } of printed) {
      log().info(`${message} ${dtype}[${shape}] ${previewOf(viewAs(dtype, bytes), dtype, shape)}`);
    }
    for (const error of lost) {
      const message = withSite(error.message, siteOf(error, this.calls));
      warnOnce("W_LOST_ERROR", message, `a program failed and nobody read its results: ${message}`);
    }
  }
}

/** An abort's reason in words. */
function reasonOf(signal: Signal | null | undefined): string {
  const reason = signal?.reason;
  return typeof reason === "object" && reason !== null && "message" in reason ? String(reason.message) : String(reason);
}

/** Arguments, each with the result that takes its place or -1. */
function paired(array: Int32Array, args: readonly number[], results: readonly number[]): Int32Array {
  const room = args.length * 2 <= array.length ? array : new Int32Array(args.length * 4);
  for (let i = 0; i < args.length; i++) {
    room[2 * i] = args[i]!;
    room[2 * i + 1] = results[i] ?? -1;
  }
  return room;
}

function filled(array: Int32Array, values: readonly number[]): Int32Array {
  const room = values.length <= array.length ? array : new Int32Array(values.length * 2);
  for (let i = 0; i < values.length; i++) room[i] = values[i]!;
  return room;
}

/**
 * The native CPU backend.
 * @throws E_BACKEND where the addon is missing, E_ARGUMENT where `MILLRACE_CPU` or `MILLRACE_THREADS` has no such value
 * @example registerBackend("cpu", createCpuBackend, { priority: 10 })
 */
export function createCpuBackend(options: CpuOptions = {}): CpuBackend {
  return new CpuBackend(options);
}
