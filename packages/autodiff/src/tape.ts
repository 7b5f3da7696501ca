/// <reference lib="esnext.disposable" preserve="true" />
import { dtypes, indexedSlices, MillraceError, type Tensor, type Variable } from "@millrace/core";
import {
  buildStructure,
  type CallSite,
  captureSites,
  type Dim,
  engine,
  fillLike,
  flattenStructure,
  formatSite,
  isFloat,
  makeOps,
  type Ops,
  sameShape,
  type TensorImpl,
  toTensor,
  VariableImpl,
} from "@millrace/core/graph";
import { withDefaults } from "@millrace/core/support";
import { backward, refuseDiscretePath, seedsOf } from "./backward.js";
import { byProgram } from "./eager-rules.js";
import { connectTransforms } from "./graph-vjp.js";
import { batchJacobian, jacobians } from "./jacobian.js";
import { applyToTensors, inScope, Recording, type Watchable } from "./recording.js";
import { Rows, type RowsOf } from "./rows.js";

/** How a tape behaves. */
export interface GradientTapeOptions {
  /** Whether gradient may be asked for more than once; false unless said. */
  readonly persistent?: boolean;
  /** Whether trainable variables are watched when they are read; true unless said. */
  readonly watchAccessedVariables?: boolean;
}

/** How a gradient is asked for. */
export interface GradientOptions {
  /** The cotangent of each target; ones unless said, and for a null. */
  readonly outputGradients?: Tensor | readonly (Tensor | null)[];
  /** What a source gets that the target does not depend on: null, or zeros. */
  readonly unconnectedGradients?: "none" | "zero";
}

/** The gradients in the structure of the sources; null where a target does not depend on a source. */
export type Gradients<S> =
  S extends Variable<infer Sh, infer D> ? Tensor<Sh, D> : S extends Tensor ? S : { [K in keyof S]: Gradients<S[K]> };

/** How a Jacobian is asked for. */
export type JacobianOptions = Pick<GradientOptions, "unconnectedGradients">;

/** Jacobians in the structure of the sources; null where the target does not depend on a source. */
export type Jacobians<S> = S extends Tensor ? Tensor : { [K in keyof S]: Jacobians<S[K]> };

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

/** A target or source as what was recorded has it. */
function placeOf(x: Tensor): TensorImpl & Tensor {
  // boundary: every Tensor is a TensorImpl
  const leaf = x as TensorImpl & Tensor;
  // boundary: as above, also of what stands for it
  return (leaf instanceof VariableImpl ? leaf : inScope(leaf)) as TensorImpl & Tensor;
}

function zeros(b: Ops, { aval: { dtype } }: TensorImpl, shape: readonly Dim[]): TensorImpl {
  // boundary: b is over tensors
  return fillLike(b, { aval: { dtype, shape } }, 0) as TensorImpl;
}

/** Rows as a gradient, which owns them. */
function slicesOf({ shape }: TensorImpl, { indices, values }: RowsOf<TensorImpl>): TensorImpl {
  // boundary: every Tensor is a TensorImpl
  return indexedSlices(engine.clone(values), engine.clone(indices), shape) as Tensor as Tensor & TensorImpl;
}

/**
 * Records ops to differentiate them. Making a tape records nothing: `run` records one synchronous function, `record`
 * opens a scope. Trainable variables are watched when they are read, other tensors by `watch`.
 *
 *     const tape = new tf.GradientTape();
 *     const loss = tape.run(() => tf.mean(tf.square(tf.sub(tf.matMul(x, w), y))));
 *     const grad = tape.gradient(loss, w);
 */
export class GradientTape {
  private readonly persistent: boolean;
  private readonly recording: Recording;
  private used = false;
  private expired: CallSite | null | undefined;

  constructor(options: GradientTapeOptions = {}) {
    connectTransforms();
    const given = withDefaults("GradientTape", options, { persistent: false, watchAccessedVariables: true });
    this.persistent = given.persistent;
    this.recording = new Recording(given.watchAccessedVariables);
  }

  /** Records what `f` does. Throws E_ASYNC_SCOPE where it returns a promise. */
  run<T>(f: () => T): T {
    this.refuseOpen();
    return this.recording.run("tape.run", f);
  }

  /**
   * Records until the returned scope is disposed of, or the synchronous code around it ends: after an `await` other code
   * may run, so the scope closes itself there, and `gradient` then throws E_ASYNC_SCOPE.
   */
  record(): Disposable {
    const [site] = captureSites(1);
    this.refuseOpen();
    this.recording.start();
    let open = true;
    const close = (): void => {
      if (open) this.recording.stop();
      open = false;
    };
    void Promise.resolve().then(() => {
      if (!open) return;
      close();
      this.expired = site ?? null;
    });
    return { [Symbol.dispose]: close };
  }

  private refuseOpen(): void {
    if (this.recording.open)
      throw new MillraceError("E_ARGUMENT", "this tape is recording already: nest another GradientTape instead");
  }

  /** Makes gradients with respect to these tensors possible. Throws E_DTYPE for integers, which have none. */
  watch(tensors: Watchable): void {
    this.recording.watch("watch", tensors);
  }

  /** The variables that were read while the tape recorded, in that order. */
  watchedVariables(): Variable[] {
    // boundary: every variable is a Variable once the op methods are installed
    return [...this.recording.reads.keys()] as unknown as Variable[];
  }

  /** Runs `f` without recording. */
  stopRecording<T>(f: () => T): T {
    return this.recording.paused("tape.stopRecording", f);
  }

  /** Forgets what was recorded. */
  reset(): void {
    this.recording.release();
    this.recording.reads.clear();
    this.used = false;
    this.expired = undefined;
  }

  /**
   * The gradient of `target` (summed, where it is no scalar or several) with respect to `sources`, in their structure. That of a
   * source from which rows are gathered, and which is used in no other way, is `IndexedSlices`: the rows alone.
   * @throws E_GRADIENT where an op on the way has none, or the only way leads through integers or booleans; E_ASYNC_SCOPE where the scope was left open across an await
   */
  gradient<S extends Watchable>(
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
    // boundary: every TensorImpl is a Tensor once the op methods are installed
    const place = targets[0] as (TensorImpl & Tensor) | undefined;
    const found = this.finish(place, compute);
    // boundary: the template of the sources, with a gradient at each leaf
    return buildStructure(template, found) as Gradients<S>;
  }

  /**
   * ∂target/∂source for each source: every element of the target by every element of the source, in the shape
   * [...target.shape, ...source.shape]. All rows are computed at once, in one pass back over batched cotangents.
   * @throws E_GRADIENT where an op on the way has no gradient, E_UNIMPLEMENTED where one has no batched form
   * @example
   *     const x = tf.tensor([1, 2]);
   *     const tape = new tf.GradientTape();
   *     const y = tape.run(() => {
   *       tape.watch(x);
   *       return tf.square(x);
   *     });
   *     tape.jacobian(y, x); // [[2, 0], [0, 4]]
   */
  jacobian<S extends Watchable>(target: Tensor, sources: S, options: JacobianOptions = {}): Jacobians<S> {
    const { unconnectedGradients } = this.startJacobian("jacobian", target, options);
    const leaves: TensorImpl[] = [];
    const template = flattenStructure(sources, leaves);
    const place = placeOf(target);
    const found = this.finish(place, () => {
      const places = leaves.map((x) => this.recording.placesOf(x));
      const all = jacobians(this.recording.applications, place, places.flat());
      const b = makeOps<TensorImpl>(applyToTensors);
      return places.map((parts, i) => {
        const own = all.splice(0, parts.length).filter((part) => part !== null);
        // boundary: b is over tensors
        if (own.length > 0) return own.reduce((p, q) => b.add([p, q]) as TensorImpl);
        return unconnectedGradients === "zero"
          ? zeros(b, place, [...place.aval.shape, ...leaves[i]!.aval.shape])
          : null;
      });
    });
    // boundary: the template of the sources, with a Jacobian at each leaf
    return buildStructure(template, found) as Jacobians<S>;
  }

  /**
   * The Jacobian of each element of a batch: ∂target[n]/∂source[n] in the shape [n, ...target.shape[1:], ...source.shape[1:]]. It
   * is right where target[n] depends on source[n] and on no other row.
   * @throws E_SHAPE where the leading sizes differ
   * @example
   *     const x = tf.tensor([[1, 2], [3, 4]]);
   *     const tape = new tf.GradientTape();
   *     const y = tape.run(() => {
   *       tape.watch(x);
   *       return tf.square(x);
   *     });
   *     tape.batchJacobian(y, x); // [[[2, 0], [0, 4]], [[6, 0], [0, 8]]]
   */
  batchJacobian(target: Tensor, source: Tensor, options: JacobianOptions = {}): Tensor | null {
    const { unconnectedGradients } = this.startJacobian("batchJacobian", target, options);
    const place = placeOf(target);
    const leaf = placeOf(source);
    return this.finish(place, () => {
      const b = makeOps<TensorImpl>(applyToTensors);
      const found = this.recording.placesOf(leaf).flatMap((x) => {
        return batchJacobian(this.recording.applications, place, x) ?? [];
      });
      const [count, ...inner] = place.aval.shape;
      const shape = [count!, ...inner, ...leaf.aval.shape.slice(1)];
      const none = unconnectedGradients === "zero" ? zeros(b, place, shape) : null;
      // boundary: b is over tensors
      return (found.length > 0 ? found.reduce((p, q) => b.add([p, q]) as TensorImpl) : none) as Tensor | null;
    });
  }

  private startJacobian(what: string, target: Tensor, options: JacobianOptions): CheckedOptions {
    this.checkUse();
    if (!isFloat(placeOf(target)))
      throw new MillraceError("E_DTYPE", `${what}: the target is ${target.dtype}, which has no gradient`);
    return gradientOptions(options);
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

  /** Computes a gradient where the target lies, unseen by this tape, which forgets what it recorded unless it is persistent. */
  private finish<T>(place: (TensorImpl & Tensor) | undefined, compute: () => T): T {
    const { recording } = this;
    const found = recording.paused("gradient", () => (place ? engine.near(place, compute) : compute()));
    if (!this.persistent && !recording.open) recording.release();
    return found;
  }

  private cotangents(
    targets: readonly TensorImpl[],
    leaves: readonly TensorImpl[],
    options: CheckedOptions,
  ): (TensorImpl | null)[] {
    const places = targets.map((y) => inScope(y instanceof VariableImpl ? y.snapshot() : y));
    const seeds = seedsOf(places, this.seedValues(places, options), applyToTensors);
    const sources = leaves.map((x) => this.recording.placesOf(x));
    const b = makeOps<TensorImpl>(applyToTensors);
    // Whoever else records would not see where the rows of a gradient come from.
    const rows = engine.recording ? undefined : new Rows<TensorImpl>(b);
    const found = backward(this.recording.applications, seeds, sources.flat(), applyToTensors, rows, byProgram);
    return leaves.map((x, i) => {
      const parts = sources[i]!.flatMap((s) => found.get(s) ?? []);
      const slices = rows?.joined(sources[i]!);
      if (slices) {
        if (parts.length === 0) return slicesOf(x, slices);
        // boundary: b is over tensors
        parts.push(b.scatterAdd([parts.pop()!, slices.indices, slices.values], { axis: 0 }) as TensorImpl);
      }
      // boundary: b is over tensors
      if (parts.length > 0) return parts.reduce((p, q) => b.add([p, q]) as TensorImpl);
      if (options.unconnectedGradients === "zero") return fillLike(b, x, 0) as TensorImpl;
      refuseDiscretePath(this.recording.applications, sources[i]!, places);
      return null;
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
      if (!given || given[i] === null) return fillLike(b, y, 1) as TensorImpl;
      const g = toTensor(given[i]!) as Tensor & TensorImpl;
      if (g.dtype !== y.dtype) {
        const dtypesOf = `${g.dtype}, the target ${y.dtype}`;
        throw new MillraceError("E_DTYPE", `gradient: outputGradients[${i}] is ${dtypesOf}`);
      }
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
