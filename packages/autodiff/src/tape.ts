/// <reference lib="esnext.disposable" preserve="true" />
import { dtypes, MillraceError, type Tensor, type Variable } from "@millrace/core";
import {
  type AnyOp,
  type Attrs,
  buildStructure,
  type CallSite,
  captureSites,
  engine,
  fillLike,
  flattenStructure,
  formatSite,
  type Graph,
  makeOps,
  type Recorder,
  refusePromise,
  remember,
  sameShape,
  type TensorImpl,
  toTensor,
  VariableImpl,
} from "@millrace/core/graph";
import { withDefaults } from "@millrace/core/support";
import { type Application, type ApplyOp, backward, seedsOf } from "./backward.js";
import { connectTransforms } from "./graph-vjp.js";

/** How a tape behaves. */
export interface GradientTapeOptions {
  /** Whether gradient may be asked for more than once; false unless said. */
  readonly persistent?: boolean;
  /** Whether trainable variables are watched when they are read; true unless said. */
  readonly watchAccessedVariables?: boolean;
}

/** How a gradient is asked for. */
export interface GradientOptions {
  /** The cotangent of each target; ones unless said. */
  readonly outputGradients?: Tensor | readonly Tensor[];
  /** What a source gets that the target does not depend on: null, or zeros. */
  readonly unconnectedGradients?: "none" | "zero";
}

/** The gradients in the structure of the sources; null where a target does not depend on a source. */
export type Gradients<S> =
  S extends Variable<infer Sh, infer D> ? Tensor<Sh, D> : S extends Tensor ? S : { [K in keyof S]: Gradients<S[K]> };

type CheckedOptions = ReturnType<typeof gradientOptions>;

function gradientOptions(options: GradientOptions) {
  const given = withDefaults("gradient", options, { outputGradients: undefined, unconnectedGradients: "none" });
  const { unconnectedGradients } = given;
  if (unconnectedGradients === "none" || unconnectedGradients === "zero") return given;
  throw new MillraceError(
    "E_ARGUMENT",
    `gradient: unconnectedGradients is "none" or "zero", got ${String(unconnectedGradients)}`,
  );
}

/** Applies an op to tensors as user code does: now, or in the trace that is open. */
const applyToTensors: ApplyOp<TensorImpl> = (op, ins, attrs, regions) =>
  // boundary: every TensorImpl is a Tensor once the op methods are installed
  engine.apply(op, ins as readonly (TensorImpl & Tensor)[], attrs, regions) as readonly (TensorImpl & Tensor)[];

/**
 * Records ops to differentiate them. Making a tape records nothing: `run` records one synchronous function, `record`
 * opens a scope. Trainable variables are watched when they are read, other tensors by `watch`.
 *
 *     const tape = new tf.GradientTape();
 *     const loss = tape.run(() => tf.mean(tf.square(tf.sub(tf.matMul(x, w), y))));
 *     const grad = tape.gradient(loss, w);
 */
export class GradientTape implements Recorder {
  private readonly persistent: boolean;
  private readonly watchAccessed: boolean;
  private readonly applications: Application<TensorImpl>[] = [];
  /** What a gradient may be asked for, and what depends on it. */
  private readonly active = new Set<TensorImpl>();
  /** The tensors that stood for a variable while it was recorded. */
  private readonly reads = new Map<VariableImpl, Set<TensorImpl>>();
  private readonly watchedSet = new Set<VariableImpl>();
  private used = false;
  private open = false;
  private expired: CallSite | null | undefined;

  constructor(options: GradientTapeOptions = {}) {
    connectTransforms();
    const given = withDefaults("GradientTape", options, { persistent: false, watchAccessedVariables: true });
    this.persistent = given.persistent;
    this.watchAccessed = given.watchAccessedVariables;
  }

  /** Records what `f` does. Throws E_ASYNC_SCOPE where it returns a promise. */
  run<T>(f: () => T): T {
    this.start();
    try {
      const value = f();
      refusePromise("tape.run", value);
      return value;
    } finally {
      this.stop();
    }
  }

  /**
   * Records until the returned scope is disposed of, or the synchronous code around it ends: after an `await` other code
   * may run, so the scope closes itself there, and `gradient` then throws E_ASYNC_SCOPE.
   */
  record(): Disposable {
    const [site] = captureSites(1);
    this.start();
    let open = true;
    const close = (): void => {
      if (open) this.stop();
      open = false;
    };
    void Promise.resolve().then(() => {
      if (!open) return;
      close();
      this.expired = site ?? null;
    });
    return { [Symbol.dispose]: close };
  }

  private start(): void {
    if (this.open)
      throw new MillraceError("E_ARGUMENT", "this tape is recording already: nest another GradientTape instead");
    this.open = true;
    engine.addRecorder(this);
  }

  private stop(): void {
    this.open = false;
    engine.removeRecorder(this);
  }

  /** Makes gradients with respect to these tensors possible. Throws E_DTYPE for integers, which have none. */
  watch(tensors: Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>): void {
    const leaves: TensorImpl[] = [];
    flattenStructure(tensors, leaves);
    for (const x of leaves) {
      if (!dtypes[x.dtype].isFloat)
        throw new MillraceError("E_DTYPE", `watch: ${x.dtype} has no gradient; cast it to float32 first`);
      if (x instanceof VariableImpl) this.watchedSet.add(x);
      else this.active.add(this.inScope(x));
    }
  }

  /** The variables that were read while the tape recorded, in that order. */
  watchedVariables(): Variable[] {
    // boundary: as in applyToTensors
    return [...this.reads.keys()] as unknown as Variable[];
  }

  /** Runs `f` without recording. */
  stopRecording<T>(f: () => T): T {
    const wasOpen = this.open;
    if (wasOpen) engine.removeRecorder(this);
    try {
      const value = f();
      refusePromise("tape.stopRecording", value);
      return value;
    } finally {
      if (wasOpen) engine.addRecorder(this);
    }
  }

  /** Forgets what was recorded. */
  reset(): void {
    this.applications.length = 0;
    this.active.clear();
    this.reads.clear();
    this.used = false;
    this.expired = undefined;
  }

  /** In a trace a captured tensor is met as its tracer. */
  private inScope(x: TensorImpl): TensorImpl {
    return engine.trace ? engine.inTrace(engine.trace, x) : x;
  }

  /** Called by the engine for each op. */
  applied(
    op: AnyOp,
    ins: readonly TensorImpl[],
    attrs: Attrs,
    regions: readonly Graph[],
    outs: readonly TensorImpl[],
  ): void {
    if (!ins.some((x) => this.active.has(x))) return;
    const floats = outs.filter((y) => dtypes[y.dtype].isFloat);
    if (floats.length === 0) return;
    for (const y of floats) this.active.add(y);
    this.applications.push({ op, ins, attrs, regions, outs });
  }

  /** Called by the engine where a variable is read. */
  read(variable: VariableImpl, value: TensorImpl): void {
    if (!dtypes[variable.dtype].isFloat) return;
    const watched = this.watchedSet.has(variable) || (this.watchAccessed && variable.trainable);
    if (!watched) return;
    remember(this.reads, variable, () => new Set<TensorImpl>()).add(value);
    this.active.add(value);
  }

  /**
   * The gradient of `target` (summed, where it is no scalar or several) with respect to `sources`, in their structure.
   * @throws E_GRADIENT where an op on the way has none, E_ASYNC_SCOPE where the scope was left open across an await
   */
  gradient<S extends Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>>(
    target: Tensor | readonly Tensor[],
    sources: S,
    options: GradientOptions = {},
  ): Gradients<S> {
    this.checkUse();
    const given = gradientOptions(options);
    const leaves: TensorImpl[] = [];
    const template = flattenStructure(sources, leaves);
    const targets: TensorImpl[] = [];
    flattenStructure(target, targets);
    const compute = (): (TensorImpl | null)[] => this.cotangents(targets, leaves, given);
    // boundary: as in applyToTensors
    const place = targets[0] as (TensorImpl & Tensor) | undefined;
    const found = this.paused(() => (place ? engine.near(place, compute) : compute()));
    if (!this.persistent && !this.open) this.release();
    // boundary: the template of the sources, with a gradient at each leaf
    return buildStructure(template, found) as Gradients<S>;
  }

  private checkUse(): void {
    if (this.expired !== undefined) {
      const where = this.expired ? ` (${formatSite(this.expired)})` : "";
      throw new MillraceError(
        "E_ASYNC_SCOPE",
        `the scope of tape.record()${where} was left open across an await: use tape.run, or await before it`,
      );
    }
    if (this.used && !this.persistent) {
      throw new MillraceError(
        "E_ARGUMENT",
        "this tape has given its gradient: make it with { persistent: true } to ask more than once",
      );
    }
    this.used = true;
  }

  private paused<T>(f: () => T): T {
    return this.open ? this.stopRecording(f) : f();
  }

  private release(): void {
    this.applications.length = 0;
    this.active.clear();
  }

  private cotangents(
    targets: readonly TensorImpl[],
    leaves: readonly TensorImpl[],
    options: CheckedOptions,
  ): (TensorImpl | null)[] {
    const places = targets.map((y) => this.inScope(y instanceof VariableImpl ? y.snapshot() : y));
    const seeds = seedsOf(places, this.seedValues(places, options), applyToTensors);
    const sources = leaves.map((x) => (x instanceof VariableImpl ? [...(this.reads.get(x) ?? [])] : [this.inScope(x)]));
    const found = backward(this.applications, seeds, sources.flat(), applyToTensors);
    const b = makeOps<TensorImpl>(applyToTensors);
    return leaves.map((x, i) => {
      const parts = sources[i]!.flatMap((s) => found.get(s) ?? []);
      // boundary: b is over tensors
      if (parts.length > 0) return parts.reduce((p, q) => b.add([p, q]) as TensorImpl);
      return options.unconnectedGradients === "zero" ? (fillLike(b, x, 0) as TensorImpl) : null;
    });
  }

  private seedValues(targets: readonly TensorImpl[], { outputGradients }: CheckedOptions): TensorImpl[] {
    const b = makeOps<TensorImpl>(applyToTensors);
    const given =
      outputGradients === undefined ? undefined : Array.isArray(outputGradients) ? outputGradients : [outputGradients];
    if (given && given.length !== targets.length) {
      const counts = `${targets.length} targets and ${given.length} outputGradients`;
      throw new MillraceError("E_ARGUMENT", `gradient: there are ${counts}; each target has one`);
    }
    return targets.map((y, i) => {
      if (!dtypes[y.dtype].isFloat)
        throw new MillraceError("E_DTYPE", `gradient: the target is ${y.dtype}, which has no gradient`);
      // boundary: as in cotangents
      if (!given) return fillLike(b, y, 1) as TensorImpl;
      const g = toTensor(given[i]!) as Tensor & TensorImpl;
      if (sameShape(g.aval.shape, y.aval.shape) !== true) {
        throw new MillraceError(
          "E_SHAPE",
          `gradient: outputGradients[${i}] has shape [${g.shape}], the target [${y.shape}]`,
        );
      }
      return g;
    });
  }
}
