// tf.profile: what ran, how long it took, and what share of the machine that is.
import { remember } from "../ir/remember.js";
import { MillraceError } from "../types/errors.js";
import { platform } from "../types/platform.js";
import { unwatched } from "../types/unwatched.js";
import type { KernelRun, Peaks, ProfiledKernel } from "./backend.js";
import { currentDevice, startedBackends } from "./backends.js";
import { sync } from "./memory.js";
import { memory } from "./memory-report.js";
import { origins } from "./origins.js";
import { inspect } from "./tensor.js";

/** All runs of one kernel on the same shapes. */
export interface KernelRow {
  /** One op, or those that were fused into one pass over memory, in order. */
  readonly ops: readonly string[];
  /** What it read and wrote, as "float32[2,3]". */
  readonly ins: readonly string[];
  readonly outs: readonly string[];
  readonly calls: number;
  readonly milliseconds: number;
  /** 10⁹ floating-point operations a second; 0 where they are not counted. */
  readonly gigaflops: number;
  /** 10⁹ bytes a second, if each operand is read and each result written once. */
  readonly gigabytes: number;
  /** The larger of both as a share of what the machine was measured to reach, from 0; small operands in caches may pass 1. */
  readonly share: number;
}

/** One event of a trace in the format that Perfetto and chrome://tracing open; times in µs. */
export interface TraceEvent {
  readonly name: string;
  readonly ph: "X" | "M";
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** What tf.profile found. Printed, it is a table. */
export interface Profile<T> {
  /** What the function returned. */
  readonly result: T;
  /** From the call of the function until everything it had queued had run. */
  readonly milliseconds: number;
  /** Those of all kernels; the rest is JavaScript, compiling and waiting. */
  readonly kernelMilliseconds: number;
  /** Live tensors and bytes that it left. */
  readonly newTensors: number;
  readonly newBytes: number;
  /** By kernel and shapes, the longest first. */
  readonly kernels: readonly KernelRow[];
  /** What the machine was measured to reach, by backend. */
  readonly peaks: Readonly<Record<string, Peaks>>;
  /** Every run of every kernel in the trace event format: `JSON.stringify` of it is a file that ui.perfetto.dev opens. */
  trace(): { readonly traceEvents: readonly TraceEvent[]; readonly displayTimeUnit: "ns" };
  toString(): string;
}

let running = false;

/** A run, and the backend whose peaks it is held against. */
interface Taken {
  readonly backend: string;
  readonly run: KernelRun;
}

/** Milliseconds, also while a function that is traced twice may not ask for the time. */
function now(): number {
  const { performance } = platform;
  return performance ? unwatched(performance.now).call(performance) : 0;
}

/**
 * Runs `f`, waits until all it queued has run, and tells what the time went to: a table by kernel with its time, rates, share
 * of what this machine reaches and what was fused, and a trace for Perfetto. Noting times costs about 0.1 µs a kernel. The
 * first call takes longer by the measuring of the machine (50 ms); what `f` compiles is part of its time: call it once before,
 * if that is not the question. Other tensors' work that runs meanwhile is counted too. Backends that note no times, as
 * "reference", are left out.
 * @param f what to look at; it may be async
 * @throws E_ARGUMENT where a profile is being taken already, and whatever `f` throws
 * @example
 *     const step = tf.fn((x) => tf.gelu(x.matMul(x)));
 *     const x = tf.ones([64, 64]);
 *     step(x);
 *     const profile = await tf.profile(() => step(x));
 *     console.log(profile); // milliseconds, calls, GFLOP/s, GB/s, share of the peak, kernel
 *     profile.trace().traceEvents.length > 0; // true
 */
export async function profile<T>(f: () => T | Promise<T>): Promise<Profile<T>> {
  if (running) throw new MillraceError("E_ARGUMENT", "profile: another profile is being taken");
  running = true;
  try {
    currentDevice();
    await sync();
    const backends = startedBackends().filter((backend) => backend.profiler);
    const peaks = Object.fromEntries(backends.map((backend) => [backend.name, backend.profiler!.peaks()]));
    const before = memory();
    for (const backend of backends) backend.profiler!.start();
    let taken: Taken[];
    const start = now();
    let end = start;
    let result: T;
    try {
      result = await f();
      await sync();
      end = now();
    } finally {
      taken = backends.flatMap((backend) => backend.profiler!.stop().map((run) => ({ backend: backend.name, run })));
    }
    const after = memory();
    return new ProfileReport({
      result,
      milliseconds: end - start,
      newTensors: after.numTensors - before.numTensors,
      newBytes: after.numBytes - before.numBytes,
      peaks,
      taken,
    });
  } finally {
    running = false;
  }
}

/** Rows of the table that are shown. */
const maxRows = 24;
/** Names of fused ops, and letters of shapes, that a row of the table has room for. */
const maxOps = 6;
const maxShapes = 60;

/** A profile that prints as a table. */
class ProfileReport<T> implements Profile<T> {
  readonly result: T;
  readonly milliseconds: number;
  readonly kernelMilliseconds: number;
  readonly newTensors: number;
  readonly newBytes: number;
  readonly kernels: readonly KernelRow[];
  readonly peaks: Readonly<Record<string, Peaks>>;
  private readonly taken: readonly Taken[];

  constructor(
    parts: Pick<Profile<T>, "result" | "milliseconds" | "newTensors" | "newBytes" | "peaks"> & {
      readonly taken: readonly Taken[];
    },
  ) {
    this.result = parts.result;
    this.milliseconds = parts.milliseconds;
    this.newTensors = parts.newTensors;
    this.newBytes = parts.newBytes;
    this.peaks = parts.peaks;
    this.taken = parts.taken;
    this.kernels = rowsOf(parts.taken, parts.peaks);
    this.kernelMilliseconds = this.kernels.reduce((sum, row) => sum + row.milliseconds, 0);
  }

  trace(): { readonly traceEvents: readonly TraceEvent[]; readonly displayTimeUnit: "ns" } {
    const pids = new Map<string, number>();
    const traceEvents: TraceEvent[] = [];
    const named = (name: string, pid: number, tid: number, value: string): void => {
      traceEvents.push({ name, ph: "M", pid, tid, args: { name: value } });
    };
    const tracks = new Set<string>();
    for (const { backend, run } of this.taken) {
      const pid = remember(pids, backend, () => {
        named("process_name", pids.size + 1, 0, backend);
        return pids.size + 1;
      });
      const tid = run.queued ? 2 : 1;
      if (!tracks.has(`${pid} ${tid}`)) {
        tracks.add(`${pid} ${tid}`);
        named("thread_name", pid, tid, run.queued ? "queue" : "caller");
      }
      const { ops, ins, outs, flops, bytes } = run.kernel;
      const program = origins.get(run.origin)?.op ?? "program";
      const gigaflops = rate(flops, run.milliseconds);
      const gigabytes = rate(bytes, run.milliseconds);
      traceEvents.push({
        name: nameOf(ops),
        ph: "X",
        cat: program,
        pid,
        tid,
        ts: run.start * 1000,
        dur: run.milliseconds * 1000,
        args: { program, ops: ops.join(" "), reads: ins.join(" "), writes: outs.join(" "), gigaflops, gigabytes },
      });
    }
    return { traceEvents, displayTimeUnit: "ns" };
  }

  toString(): string {
    const { kernels, kernelMilliseconds: inKernels, milliseconds } = this;
    const peaks = Object.entries(this.peaks).map(([name, { flops, bytes }]) => {
      return `${name}: ${(flops / 1e9).toFixed(0)} GFLOP/s, ${(bytes / 1e9).toFixed(1)} GB/s`;
    });
    const calls = kernels.reduce((sum, row) => sum + row.calls, 0);
    const head = `${milliseconds.toFixed(2)} ms, ${inKernels.toFixed(2)} of them in ${calls} kernels; the machine reaches ${peaks.join("; ")}`;
    const titles = ["ms", "%", "calls", "GFLOP/s", "GB/s", "of peak", "kernel"];
    const shown = kernels.slice(0, maxRows);
    const cells = shown.map((row) => [
      row.milliseconds.toFixed(3),
      inKernels > 0 ? ((row.milliseconds / inKernels) * 100).toFixed(1) : "0",
      `${row.calls}`,
      row.gigaflops > 0 ? row.gigaflops.toFixed(1) : "",
      row.gigabytes.toFixed(1),
      `${(row.share * 100).toFixed(0)} %`,
      `${nameOf(row.ops)}  ${cut(`${row.ins.join(" ")} -> ${row.outs.join(" ")}`)}`,
    ]);
    const table = [titles, ...cells];
    const widths = titles.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
    const line = (row: readonly string[]): string => {
      const padded = row.map((cell, i) => (i === row.length - 1 ? cell : cell.padStart(widths[i]!)));
      return `  ${padded.join("  ")}`;
    };
    const left = kernels.length > shown.length ? [`  and ${kernels.length - shown.length} kernels more`] : [];
    return [head, ...table.map(line), ...left].join("\n");
  }
}

/** What console.log shows. */
Object.defineProperty(ProfileReport.prototype, inspect, {
  value(this: ProfileReport<unknown>): string {
    return this.toString();
  },
});

function rowsOf(taken: readonly Taken[], peaks: Readonly<Record<string, Peaks>>): KernelRow[] {
  const sums = new Map<string, { kernel: ProfiledKernel; backend: string; calls: number; milliseconds: number }>();
  for (const { backend, run } of taken) {
    const { ops, ins, outs } = run.kernel;
    const key = [backend, ops.join(), ins.join(), outs.join()].join("|");
    const sum = remember(sums, key, () => ({ kernel: run.kernel, backend, calls: 0, milliseconds: 0 }));
    sum.calls++;
    sum.milliseconds += run.milliseconds;
  }
  const rows = [...sums.values()].map(({ kernel, backend, calls, milliseconds }): KernelRow => {
    const gigaflops = rate(kernel.flops * calls, milliseconds);
    const gigabytes = rate(kernel.bytes * calls, milliseconds);
    const { flops, bytes } = peaks[backend]!;
    const share = Math.max((gigaflops * 1e9) / flops, (gigabytes * 1e9) / bytes);
    const { ops, ins, outs } = kernel;
    return { ops, ins, outs, calls, milliseconds, gigaflops, gigabytes, share };
  });
  return rows.sort((a, b) => b.milliseconds - a.milliseconds);
}

/** 10⁹ a second. */
function rate(count: number, milliseconds: number): number {
  return milliseconds > 0 ? count / (milliseconds * 1e6) : 0;
}

/** Ops in order, each run of the same one counted: "multiply add×2 tanh". */
function nameOf(ops: readonly string[]): string {
  const runs: { op: string; count: number }[] = [];
  for (const op of ops) {
    const last = runs.at(-1);
    if (last?.op === op) last.count++;
    else runs.push({ op, count: 1 });
  }
  const names = runs.slice(0, maxOps).map(({ op, count }) => (count > 1 ? `${op}×${count}` : op));
  const left = ops.length - runs.slice(0, maxOps).reduce((sum, { count }) => sum + count, 0);
  return left > 0 ? `${names.join(" ")} and ${left} more` : names.join(" ");
}

function cut(text: string): string {
  return text.length > maxShapes ? `${text.slice(0, maxShapes - 1)}…` : text;
}
