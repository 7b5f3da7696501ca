// Gather and scatter by coordinates of several axes: these axes become one, and coordinates become indices into it.
import { avalOf, typed } from "../../ir/apply.js";
import { type Aval, formatShape } from "../../ir/aval.js";
import { type Dim, leDim, productDim } from "../../ir/dim.js";
import { check } from "../../ir/op.js";
import type { DTypeOf, Like, Out, Same } from "../../types/operands.js";
import type { Mutable, Shape } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { mul } from "../binary/arithmetic.js";
import { logicalAnd } from "../binary/logical.js";
import { greaterEqual, less } from "../compare/order.js";
import { where } from "../compare/select.js";
import { dimensionOp } from "../create/constant.js";
import { apply, apply1, castTo, stretchTo, toTensor } from "../public.js";
import { all } from "../reduce/logical.js";
import { sum } from "../reduce/sum.js";
import { stack } from "../shape/concat.js";
import { reshapeOp } from "../shape/reshape.js";
import { gatherOp } from "./gather.js";
import { toIndices } from "./rows.js";
import { scatterAddOp, scatterSetOp } from "./scatter.js";

/**
 * The elements of `x` at coordinates: indices [..., k] address the first k axes of `x` and give [..., rest of x's axes].
 * Coordinates outside give 0.
 * @throws E_SHAPE where k exceeds the rank of `x`
 * @example tf.gatherND([[1, 2], [3, 4]], [[0, 1], [1, 0]]) // [2, 3]
 * @public
 */
export function gatherND<const X extends Like>(x: X, indices: Like): Out<Shape, DTypeOf<X>> {
  const t = toTensor(x);
  const { rows, flat } = addressed("gatherND", avalOf(t), toIndices("gatherND", indices, t));
  return typed(apply(gatherOp, [apply1(reshapeOp, t, { shape: rows }), flat], { axis: 0 }));
}

/**
 * Zeros of `shape` to which `updates` are added at coordinates, as `gatherND` reads them; coordinates outside are dropped.
 * @throws E_SHAPE where the updates do not have the shape that gatherND would give
 * @example tf.scatterND([[1], [3], [1]], [10, 20, 30], [4]) // [0, 40, 0, 20]
 * @public
 */
export function scatterND<const U extends Like, const S extends Shape>(
  indices: Like,
  updates: U,
  shape: S,
): Out<Mutable<S>, DTypeOf<U>> {
  const u = toTensor(updates);
  const zeros = stretchTo(toTensor(u.dtype === "bool" ? false : 0, u.dtype), shape);
  return typed(scatter("scatterND", zeros, indices, u));
}

/**
 * `x` with `updates` in place of the elements at coordinates, as `gatherND` reads them; the last one to a place wins.
 * @throws E_SHAPE where the updates do not have the shape that gatherND would give
 * @example tf.tensorScatterUpdate([1, 2, 3], [[0], [2]], [9, 8]) // [9, 2, 8]
 * @public
 */
export function tensorScatterUpdate<const X extends Like>(x: X, indices: Like, updates: Like): Same<X> {
  return typed(scatter("tensorScatterUpdate", toTensor(x), indices, updates));
}

/**
 * `x` with `updates` added to the elements at coordinates, as `gatherND` reads them.
 * @throws E_SHAPE where the updates do not have the shape that gatherND would give
 * @example tf.tensorScatterAdd([1, 2, 3], [[0], [0]], [10, 20]) // [31, 2, 3]
 * @public
 */
export function tensorScatterAdd<const X extends Like>(x: X, indices: Like, updates: Like): Same<X> {
  return typed(scatter("tensorScatterAdd", toTensor(x), indices, updates));
}

function scatter(
  name: "scatterND" | "tensorScatterUpdate" | "tensorScatterAdd",
  x: Tensor,
  indices: Like,
  updates: Like,
): Tensor {
  const aval = avalOf(x);
  const { rows, flat } = addressed(name, aval, toIndices(name, indices, x));
  const values = castTo(toTensor(updates, x.dtype), x.dtype);
  const op = name === "tensorScatterUpdate" ? scatterSetOp : scatterAddOp;
  const set = apply(op, [apply1(reshapeOp, x, { shape: rows }), flat, values], { axis: 0 });
  return apply1(reshapeOp, set, { shape: aval.shape });
}

/** The shape in which the addressed axes of `x` are one, and the coordinates as indices into it: −1 where one is outside. */
function addressed(name: string, x: Aval, indices: Tensor): { readonly rows: readonly Dim[]; readonly flat: Tensor } {
  const { shape } = avalOf(indices);
  const depth = shape[shape.length - 1];
  const fits = typeof depth === "number" && leDim(depth, x.shape.length) === true;
  check(
    `${name}.C2`,
    fits,
    () => `coordinates ${formatShape(shape)} address more axes than ${formatShape(x.shape)} has`,
  );
  const sizes = x.shape.slice(0, Number(depth));
  const steps = sizes.map((_, i) => productDim(sizes.slice(i + 1)));
  const inside = all(logicalAnd(greaterEqual(indices, 0), less(indices, vectorOf(sizes, indices))), -1);
  const flat = where(inside, sum(mul(indices, vectorOf(steps, indices)), -1), -1);
  return { rows: [productDim(sizes), ...x.shape.slice(sizes.length)], flat };
}

/** Sizes as a vector of the dtype of `like`. */
function vectorOf(sizes: readonly Dim[], like: Tensor): Tensor {
  if (sizes.length === 0) return stretchTo(toTensor(0, like.dtype), [0]);
  return stack(
    sizes.map((size) =>
      typeof size === "number" ? toTensor(size, like.dtype) : apply(dimensionOp, [], { size, dtype: like.dtype }),
    ),
  );
}
