import { dtypes, MillraceError, type Tensor } from "@millrace/core";
import {
  type AnyOp,
  type Attrs,
  engine,
  flattenStructure,
  type Graph,
  type Recorder,
  refusePromise,
  remember,
  type TensorImpl,
  VariableImpl,
} from "@millrace/core/graph";
import type { Application, ApplyOp } from "./backward.js";

/** Applies an op to tensors as user code does: now, or in the trace that is open. */
export const applyToTensors: ApplyOp<TensorImpl> = (op, ins, attrs, regions) =>
  // boundary: every TensorImpl is a Tensor once the op methods are installed
  engine.apply(op, ins as readonly (TensorImpl & Tensor)[], attrs, regions) as readonly (TensorImpl & Tensor)[];

/** In a trace a captured tensor is met as its tracer. */
export function inScope(x: TensorImpl): TensorImpl {
  return engine.trace ? engine.inTrace(engine.trace, x) : x;
}

/** Tensors, or lists or records of them. */
export type Watchable = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** What was done with what is watched: each op that depends on it, in order. */
export class Recording implements Recorder {
  readonly applications: Application<TensorImpl>[] = [];
  /** What is watched, and what depends on it. */
  readonly active: Set<TensorImpl> = new Set();
  /** What depends on what is watched through integers or booleans only. */
  private readonly discrete = new Set<TensorImpl>();
  /** The tensors that stood for a variable while it was recorded. */
  readonly reads: Map<VariableImpl, Set<TensorImpl>> = new Map();
  private readonly watched = new Set<VariableImpl>();
  private readonly watchAccessed: boolean;
  open = false;

  /** @param watchAccessed whether trainable variables are watched when they are read */
  constructor(watchAccessed: boolean) {
    this.watchAccessed = watchAccessed;
  }

  start(): void {
    this.open = true;
    engine.addRecorder(this);
  }

  stop(): void {
    this.open = false;
    engine.removeRecorder(this);
  }

  /** Records what `f` does. Throws E_ASYNC_SCOPE where it returns a promise. */
  run<T>(what: string, f: () => T): T {
    this.start();
    try {
      const value = f();
      refusePromise(what, value);
      return value;
    } finally {
      this.stop();
    }
  }

  /** Runs `f` without recording. */
  paused<T>(what: string, f: () => T): T {
    const wasOpen = this.open;
    if (wasOpen) engine.removeRecorder(this);
    try {
      const value = f();
      refusePromise(what, value);
      return value;
    } finally {
      if (wasOpen) engine.addRecorder(this);
    }
  }

  /** Throws E_DTYPE for integers, which have no derivatives. */
  watch(what: string, tensors: Watchable): void {
    const leaves: TensorImpl[] = [];
    flattenStructure(tensors, leaves);
    for (const x of leaves) {
      if (!dtypes[x.dtype].isFloat)
        throw new MillraceError("E_DTYPE", `${what}: ${x.dtype} has no gradient; cast it to float32 first`);
      if (x instanceof VariableImpl) this.watched.add(x);
      else this.active.add(inScope(x));
    }
  }

  /** Called by the engine for each op. */
  applied(
    op: AnyOp,
    ins: readonly TensorImpl[],
    attrs: Attrs,
    regions: readonly Graph[],
    outs: readonly TensorImpl[],
  ): void {
    const isActive = ins.some((x) => this.active.has(x));
    if (!isActive && !ins.some((x) => this.discrete.has(x))) return;
    for (const y of outs) (isActive && dtypes[y.dtype].isFloat ? this.active : this.discrete).add(y);
    this.applications.push({ op, ins, attrs, regions, outs });
  }

  /** Called by the engine where a variable is read. */
  read(variable: VariableImpl, value: TensorImpl): void {
    if (!dtypes[variable.dtype].isFloat) return;
    if (!this.watched.has(variable) && !(this.watchAccessed && variable.trainable)) return;
    remember(this.reads, variable, () => new Set<TensorImpl>()).add(value);
    this.active.add(value);
  }

  /** What stands for a leaf in what was recorded: several tensors for a variable that was read several times. */
  placesOf(x: TensorImpl): TensorImpl[] {
    return x instanceof VariableImpl ? [...(this.reads.get(x) ?? [])] : [inScope(x)];
  }

  /** Forgets what was done. */
  release(): void {
    this.applications.length = 0;
    this.active.clear();
    this.discrete.clear();
  }
}
