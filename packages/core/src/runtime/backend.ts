import type { Attrs } from "../ir/attrs.js";
import type { Aval } from "../ir/aval.js";
import type { AnyOp } from "../ir/op.js";
import type { Signal } from "../types/signal.js";

/** A handle on device memory: a small integer with a generation, so that a stale one is noticed. */
export type Buf = number;
/** A compiled program. */
export type Executable = number;
/** A program with sizes: every buffer has its place. */
export type Bound = number;

/** One place where tensors live and programs run. */
export interface DeviceInfo {
  /** "cpu:0" */
  readonly name: string;
  readonly description: string;
}

/** What a backend holds and has done. */
export interface MemoryStats {
  readonly liveBytes: number;
  readonly peakBytes: number;
  /** Bytes of buffers that lie in mapped files; `liveBytes` is without them. */
  readonly mappedBytes: number;
  readonly liveBuffers: number;
  /** Freed memory that is kept for reuse. */
  readonly cachedBytes: number;
  /** Weights that kernels keep in a form of their own; `liveBytes` is without them. */
  readonly packedBytes: number;
  readonly executables: number;
  readonly bounds: number;
  readonly runs: number;
  readonly kernels: number;
  /** Calls from native code back into JavaScript while a program ran. */
  readonly javaScriptCalls: number;
}

/**
 * Frees the buffers of tensors that nobody holds any more. Tensors belong to pages; a page is a token that its tensors
 * hold, so it dies with the last of them.
 */
export interface Reclaimer {
  /** Registers a full page: when `token` is collected, these buffers are freed, except those that were freed before. */
  page(token: object, bufs: readonly Buf[]): void;
  /** Frees what has died since. `full` looks at old pages too. */
  poll(full?: boolean): void;
  /** Called when `due` bytes have been allocated since the last call: collects, polls, and sets the next `due`. */
  pressure(): void;
  /** Bytes that may be allocated before the next call of `pressure`. */
  readonly due: number;
}

/** Live buffers of one origin. */
export interface LiveMemory {
  readonly origin: number;
  readonly buffers: number;
  readonly bytes: number;
}

/**
 * Remembers what made each buffer, for tf.memory(): a number that core gives, and knows the meaning of. A buffer that was
 * given none has 0. One that shares another's memory has its origin.
 */
export interface Origins {
  /** The results of a bound program are of `first`, `first + 1` … from its next run on; 0 takes them back. */
  setBound(bound: Bound, first: number): void;
  /** The memory of `buf` is of `origin` from now on; with `from`, only where it was of that. */
  set(buf: Buf, origin: number, from?: number): void;
  /** What is live, by origin: together `liveBuffers` of `stats`. */
  live(): Iterable<LiveMemory>;
}

/** What a kernel is, in the words of a profile. */
export interface ProfiledKernel {
  /** One op, or those that were fused into one pass over memory, in order. */
  readonly ops: readonly string[];
  /** What it reads and writes, as "float32[2,3]". */
  readonly ins: readonly string[];
  readonly outs: readonly string[];
  /** Floating-point operations; 0 where they are not what takes the time. */
  readonly flops: number;
  /** Bytes, if each operand is read and each result written once. */
  readonly bytes: number;
}

/** One run of one kernel. */
export interface KernelRun {
  readonly kernel: ProfiledKernel;
  /** Of its program's first result; see Origins. */
  readonly origin: number;
  /** Whether it ran by way of the queue, not while its caller waited. */
  readonly queued: boolean;
  /** Milliseconds from the start of the profile. */
  readonly start: number;
  readonly milliseconds: number;
}

/** What a machine reaches, measured. */
export interface Peaks {
  /** Floating-point operations a second. */
  readonly flops: number;
  /** Bytes a second to and from memory. */
  readonly bytes: number;
}

/** Notes what kernels do and how long it takes, for tf.profile. */
export interface Profiler {
  start(): void;
  /** What has run since; waits for what is queued. */
  stop(): readonly KernelRun[];
  peaks(): Peaks;
}

/**
 * What runs programs. A backend compiles graphs, never single ops: an op in eager code is a program of one op.
 * Everything it is given is checked on its side.
 */
export interface Backend {
  readonly name: string;
  /** That of its package, where it has one version with core: another than core's is refused. */
  readonly version?: string;
  /** Whether it runs loop kernels; else it gets one record an op. */
  readonly fusion: boolean;
  devices(): readonly DeviceInfo[];
  /** How many threads its kernels may use at once. Absent, like `setThreads`, where that is not its to choose. */
  threads?(): number;
  /** Sets `threads`; at most what the backend can have. */
  setThreads?(count: number): void;
  /** Whether a composite is run whole, or an op on narrow floats as it is. Sees ranks, dtypes, attributes and constant sizes, and holds for every size. */
  claims(op: AnyOp, ins: readonly Aval[], attrs: Attrs): boolean;
  compile(program: Uint8Array, device: number): Executable;
  bind(exe: Executable, sizes: readonly number[]): Bound;
  /**
   * Runs a program. `donate` lists arguments whose memory may be taken over; `renew[i]` is the result that takes the
   * place of argument `donate[i]`, as a variable's new value does: where the program is cancelled or fails after this
   * has returned, that result has the argument's value, its first reader is told the error, and others get it always.
   * Results are new handles.
   */
  run(bound: Bound, args: readonly Buf[], donate: readonly number[], renew?: readonly number[]): readonly Buf[];
  /**
   * Whether a program is queued even where nothing else is: `run1` and `run2` are not given such. Absent where none is.
   * A backend that queues names the line that called `run` in an error that comes later.
   */
  isLong?(bound: Bound): boolean;
  /** `run` with one argument and one result, without arrays. */
  run1?(bound: Bound, a: Buf): Buf;
  /** `run` with two arguments and one result, without arrays. */
  run2?(bound: Bound, a: Buf, b: Buf): Buf;
  releaseExecutable(exe: Executable): void;
  releaseBound(bound: Bound): void;
  upload(bytes: Uint8Array, aval: Aval, device: number): Buf;
  /**
   * A buffer whose bytes lie in a file from `offset` on, and are read when they are used. Nothing ever writes to the
   * file, which must not be changed in place meanwhile: replace it by renaming. E_FILE where it cannot be opened or is
   * no regular file, E_FORMAT where it is too short. Absent where files must be read and uploaded.
   */
  map?(path: string, offset: number, aval: Aval, device: number): Buf;
  /**
   * The bytes of a buffer. Where `signal` aborts, nobody waits for them any more: the promise may stay as it is, and
   * the program that makes them may be cancelled, unless another `read` or `sync` needs it.
   */
  read(buf: Buf, signal?: Signal | null): Promise<Uint8Array>;
  /** Absent where reading must be awaited. */
  readSync?(buf: Buf): Uint8Array;
  free(buf: Buf): void;
  /**
   * Asks the program that makes a buffer to stop between two kernels or trips of a loop; false where none is queued or
   * runs. Its results are E_ABORTED then, with `reason` in the message. Absent where programs run at once.
   */
  cancel?(buf: Buf, reason?: string): boolean;
  /** Resolves when everything that was queued has run; rejects with its first unread error. `signal` ends the wait. */
  sync(device: number, signal?: Signal | null): Promise<void>;
  stats(): MemoryStats;
  /** Absent where tf.memory() is to say how much is live, but not of what. */
  readonly origins?: Origins;
  /** Absent where tf.profile is to leave it out. */
  readonly profiler?: Profiler;
  readonly reclaimer: Reclaimer;
}

/** How a backend is made: at once, or awaited. */
export type BackendFactory = () => Backend | Promise<Backend>;
