import { MillraceError, type Tensor } from "@millrace/core";
import {
  fillLike,
  flattenStructure,
  isFloat,
  makeOps,
  needFunction,
  sameShape,
  type TensorImpl,
  toTensor,
  VariableImpl,
} from "@millrace/core/graph";
import { withDefaults } from "@millrace/core/support";
import { forward } from "./forward.js";
import { connectTransforms } from "./graph-vjp.js";
import { applyToTensors, inScope, Recording, type Watchable } from "./recording.js";

/** How a tangent is asked for. */
export interface JvpOptions {
  /** What a target gets that does not depend on the primals: null, or zeros. */
  readonly unconnectedGradients?: "none" | "zero";
}

/**
 * Forward-mode derivatives: how values change when `primals` move along `tangents`. It costs about as much as running the
 * function once more, for any number of targets; a tape costs that for any number of sources.
 * @throws E_ARGUMENT where primals and tangents are not as many, E_SHAPE where their shapes differ, E_DTYPE for integers
 * @example
 *     const x = tf.tensor([1, 2]);
 *     const forward = new tf.ForwardAccumulator(x, tf.tensor([1, 0]));
 *     const y = forward.run(() => tf.square(x));
 *     forward.jvp(y); // [2, 0]
 */
export class ForwardAccumulator {
  private readonly recording = new Recording(false);
  private readonly primals: readonly TensorImpl[];
  private readonly given: readonly TensorImpl[];
  private found: Map<TensorImpl, TensorImpl> | undefined;

  constructor(primals: Watchable, tangents: Watchable) {
    connectTransforms();
    const [xs, ts] = [leavesOf(primals), leavesOf(tangents)];
    if (xs.length !== ts.length) {
      const counts = `${xs.length} primals and ${ts.length} tangents`;
      throw new MillraceError("E_ARGUMENT", `ForwardAccumulator: there are ${counts}; each primal has one`);
    }
    xs.forEach((x, i) => {
      const t = ts[i]!;
      if (sameShape(x.aval.shape, t.aval.shape) === true && x.dtype === t.dtype) return;
      const both = `${x.dtype}[${x.shape}] and its tangent ${t.dtype}[${t.shape}]`;
      throw new MillraceError("E_SHAPE", `ForwardAccumulator: primal ${i} is ${both}; they must be alike`);
    });
    this.recording.watch("ForwardAccumulator", primals);
    this.primals = xs;
    this.given = ts;
  }

  /** Follows what `f` does. Throws E_ASYNC_SCOPE where it returns a promise. */
  run<T>(f: () => T): T {
    needFunction("forward.run", f);
    this.found = undefined;
    return this.recording.run("forward.run", f);
  }

  /**
   * The tangent of `target`, which `run` has made: null where it does not depend on the primals.
   * @throws E_GRADIENT where an op on the way has no derivative
   */
  jvp(target: Tensor, options: JvpOptions = {}): Tensor | null {
    const { unconnectedGradients } = withDefaults("jvp", options, { unconnectedGradients: "none" });
    // boundary: every Tensor is a TensorImpl
    const leaf = target as Tensor & TensorImpl;
    const places = leaf instanceof VariableImpl ? this.recording.placesOf(leaf) : [inScope(leaf)];
    this.found ??= this.recording.paused("jvp", () => this.tangents());
    const tangent = places.flatMap((x) => this.found!.get(x) ?? [])[0];
    // boundary: every TensorImpl is a Tensor once the op methods are installed
    if (tangent) return tangent as TensorImpl & Tensor;
    if (unconnectedGradients !== "zero" || !isFloat(leaf)) return null;
    // boundary: as above
    return fillLike(makeOps<TensorImpl>(applyToTensors), leaf, 0) as TensorImpl & Tensor;
  }

  private tangents(): Map<TensorImpl, TensorImpl> {
    const tangents = new Map<TensorImpl, TensorImpl>();
    this.primals.forEach((x, i) => {
      for (const place of this.recording.placesOf(x)) tangents.set(place, inScope(this.given[i]!));
    });
    forward(this.recording.applications, tangents, applyToTensors);
    return tangents;
  }
}

function leavesOf(structure: Watchable): TensorImpl[] {
  const leaves: TensorImpl[] = [];
  flattenStructure(structure, leaves);
  return leaves;
}

/**
 * The value of `f` at `primals` and its derivative along `tangents`.
 * @throws E_GRADIENT where the value does not depend on the primals, or an op on the way has no derivative
 * @example tf.jvp((x) => tf.square(x), [tf.tensor([1, 2])], [tf.tensor([1, 0])]).tangent // [2, 0]
 */
export function jvp(
  f: (...xs: Tensor[]) => Tensor,
  primals: readonly Tensor[],
  tangents: readonly Tensor[],
): { value: Tensor; tangent: Tensor } {
  needFunction("jvp", f);
  const xs = primals.map((x) => toTensor(x));
  const forwards = new ForwardAccumulator(
    xs,
    tangents.map((t) => toTensor(t)),
  );
  const value = forwards.run(() => f(...xs));
  const tangent = forwards.jvp(value);
  if (tangent) return { value, tangent };
  throw new MillraceError("E_GRADIENT", "jvp: the value does not depend on the primals, so it has no derivative");
}
