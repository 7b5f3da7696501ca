// Axes of size 1 come and go, and axes are merged: functions of reshape.
import { avalOf, typed } from "../../ir/apply.js";
import { formatShape } from "../../ir/aval.js";
import { productDim } from "../../ir/dim.js";
import { check } from "../../ir/op.js";
import type { Axes, DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import type { ExpandDims, Reshape, Squeeze } from "../../types/rules/reshape.js";
import type { Arg } from "../../types/shape.js";
import { apply1, axesFrom, axisOf, toTensor } from "../public.js";
import { reshapeOp } from "./reshape.js";

/**
 * A new axis of size 1 before `axis`, which may be one past the end; negative ones count from the new end.
 * @example tf.expandDims([1, 2], 1) // [[1], [2]]
 * @method
 */
export function expandDims<const X extends Like, const A extends number = 0>(
  x: X,
  axis?: Arg<ExpandDims<ShapeOf<X>, A>, A>,
): Out<ExpandDims<ShapeOf<X>, A>, DTypeOf<X>> {
  const t = toTensor(x);
  const { shape } = avalOf(t);
  const at = axisOf("expandDims", (axis as number | undefined) ?? 0, shape.length + 1);
  return typed(apply1(reshapeOp, t, { shape: [...shape.slice(0, at), 1, ...shape.slice(at)] }));
}

/**
 * Without the axes of size 1: the given ones, or all.
 * @throws E_SHAPE where a given axis has another size
 * @example tf.squeeze([[[1], [2]]]) // [1, 2]
 * @method
 */
export function squeeze<const X extends Like, const A extends Axes = undefined>(
  x: X,
  axis?: Arg<Squeeze<ShapeOf<X>, A>, A>,
): Out<Squeeze<ShapeOf<X>, A>, DTypeOf<X>> {
  const t = toTensor(x);
  const { shape } = avalOf(t);
  const ones = shape.flatMap((size, i) => (size === 1 ? [i] : []));
  const gone = axis === undefined ? ones : axesFrom("squeeze", axis as Axes, shape.length);
  for (const i of gone)
    check("squeeze.C1", shape[i] === 1, () => `axis ${i} of ${formatShape(shape)} has size ${shape[i]}, not 1`);
  return typed(apply1(reshapeOp, t, { shape: shape.filter((_, i) => !gone.includes(i)) }));
}

/**
 * All elements in one axis, in row-major order.
 * @example tf.flatten([[1, 2], [3, 4]]) // [1, 2, 3, 4]
 * @method
 */
export function flatten<const X extends Like>(x: X): Out<Reshape<ShapeOf<X>, [-1]>, DTypeOf<X>> {
  const t = toTensor(x);
  return typed(apply1(reshapeOp, t, { shape: [productDim(avalOf(t).shape)] }));
}
