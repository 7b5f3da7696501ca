// Rounding of floats to whole numbers; whole numbers stay as they are. The derivative is 0, as it is wherever there is one.
import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { NoAttrs, Op } from "../../ir/op.js";
import { type DType, dtypes } from "../../types/dtype.js";
import type { Like, Same } from "../../types/operands.js";
import type { Tensor } from "../../types/tensor.js";
import { defineUnary, floats } from "../elementwise.js";
import { apply1, toTensor } from "../public.js";
import { zeroLike } from "../rules.js";

function rounded(op: Op<string, NoAttrs>, x: Like): Tensor {
  const t = toTensor(x);
  const dtype: DType = t.dtype;
  return dtypes[dtype].isInteger ? t : apply1(op, t);
}

export const floorOp: Op<"floor", NoAttrs> = defineUnary({
  name: "floor",
  accepts: floats,
  scalar: { float: Math.floor },
  vjp: (b, [g]) => [zeroLike(b, g!)],
});
/**
 * The greatest whole number that is not above x.
 * @example tf.floor([1.5, -1.5]) // [1, -2]
 * @method
 */
export function floor<const X extends Like>(x: X): Same<X> {
  return typed(rounded(floorOp, x));
}
export const floorCases: Cases<NoAttrs> = cases(floorOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [{ ins: [[-0, 0.5, -0.5, Infinity, NaN]], attrs: noAttrs, want: [-0, 0, -1, Infinity, NaN] }],
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: noAttrs, code: "floor.C1" }],
}));

export const ceilOp: Op<"ceil", NoAttrs> = defineUnary({
  name: "ceil",
  accepts: floats,
  scalar: { float: Math.ceil },
  vjp: (b, [g]) => [zeroLike(b, g!)],
});
/**
 * The least whole number that is not below x.
 * @example tf.ceil([1.5, -1.5]) // [2, -1]
 * @method
 */
export function ceil<const X extends Like>(x: X): Same<X> {
  return typed(rounded(ceilOp, x));
}
export const ceilCases: Cases<NoAttrs> = cases(ceilOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [{ ins: [[-0, 0.5, -0.5, -Infinity, NaN]], attrs: noAttrs, want: [-0, 1, -0, -Infinity, NaN] }],
}));

/** To the nearest whole number; of two equally near the even one. */
function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const above = x - below;
  if (above !== 0.5) return above > 0.5 ? Math.ceil(x) : below;
  return below % 2 === 0 ? below : Math.ceil(x);
}

export const roundOp: Op<"round", NoAttrs> = defineUnary({
  name: "round",
  accepts: floats,
  scalar: { float: roundHalfEven },
  vjp: (b, [g]) => [zeroLike(b, g!)],
});
/**
 * The nearest whole number; halves go to the even one.
 * @example tf.round([0.5, 1.5, 2.6]) // [0, 2, 3]
 * @method
 */
export function round<const X extends Like>(x: X): Same<X> {
  return typed(rounded(roundOp, x));
}
export const roundCases: Cases<NoAttrs> = cases(roundOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[0.5, 1.5, 2.5, -0.5, -1.5, -2.5]], attrs: noAttrs, want: [0, 2, 2, -0, -2, -2] },
    { ins: [[-0, -0.2, 8388609, Infinity, NaN]], attrs: noAttrs, want: [-0, -0, 8388609, Infinity, NaN] },
    { ins: [[0.49999999999999994]], dtypes: ["float64"], attrs: noAttrs, want: [0] },
  ],
}));
