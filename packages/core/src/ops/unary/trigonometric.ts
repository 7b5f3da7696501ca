import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { NoAttrs, Op } from "../../ir/op.js";
import type { Like, SameFloat } from "../../types/operands.js";
import { defineUnary, floats } from "../elementwise.js";
import { apply1, toFloat } from "../public.js";
import { shift } from "../rules.js";

const nowhereAtInfinity = { ins: [[Infinity, -Infinity, NaN]], attrs: noAttrs, want: [NaN, NaN, NaN] };

export const sinOp: Op<"sin", NoAttrs> = defineUnary({
  name: "sin",
  accepts: floats,
  scalar: { float: Math.sin },
  vjp: (b, [g], [x]) => [b.mul([g!, b.cos([x!])])],
});
/**
 * The sine of an angle in radians; NaN for ±∞.
 * @example tf.sin([0, 1]) // [0, 0.84147096]
 * @method
 */
export function sin<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(sinOp, toFloat(x)));
}
export const sinCases: Cases<NoAttrs> = cases(sinOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [nowhereAtInfinity, { ins: [[0, -0]], attrs: noAttrs, want: [0, -0] }],
}));

export const cosOp: Op<"cos", NoAttrs> = defineUnary({
  name: "cos",
  accepts: floats,
  scalar: { float: Math.cos },
  vjp: (b, [g], [x]) => [b.neg([b.mul([g!, b.sin([x!])])])],
});
/**
 * The cosine of an angle in radians; NaN for ±∞.
 * @example tf.cos([0, 1]) // [1, 0.5403023]
 * @method
 */
export function cos<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(cosOp, toFloat(x)));
}
export const cosCases: Cases<NoAttrs> = cases(cosOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [nowhereAtInfinity, { ins: [[0, -0]], attrs: noAttrs, want: [1, 1] }],
}));

export const tanOp: Op<"tan", NoAttrs> = defineUnary({
  name: "tan",
  accepts: floats,
  scalar: { float: Math.tan },
  vjp: (b, [g], _ins, [y]) => [b.mul([g!, shift(b, b.mul([y!, y!]), 1)])],
});
/**
 * The tangent of an angle in radians; NaN for ±∞.
 * @example tf.tan([0, 1]) // [0, 1.5574077]
 * @method
 */
export function tan<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(tanOp, toFloat(x)));
}
export const tanCases: Cases<NoAttrs> = cases(tanOp, () => ({
  samples: elementwiseSamples(1, noAttrs, [-1.2, 1.2]),
  edges: [nowhereAtInfinity, { ins: [[0, -0]], attrs: noAttrs, want: [0, -0] }],
}));
