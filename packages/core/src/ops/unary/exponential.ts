import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { NoAttrs, Op } from "../../ir/op.js";
import type { Like, SameFloat } from "../../types/operands.js";
import { defineUnary, floats } from "../elementwise.js";
import { apply1, toFloat } from "../public.js";
import { fillLike, scale } from "../rules.js";

export const expOp: Op<"exp", NoAttrs> = defineUnary({
  name: "exp",
  accepts: floats,
  scalar: { float: Math.exp },
  vjp: (b, [g], _ins, [y]) => [b.mul([g!, y!])],
});
/**
 * e^x, element by element.
 * @param x any shape; integers compute in float32
 * @example tf.exp([0, 1]) // [1, 2.7182817]
 * @method
 */
export function exp<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(expOp, toFloat(x)));
}
export const expCases: Cases<NoAttrs> = cases(expOp, () => ({
  samples: elementwiseSamples(1, noAttrs, [-3, 3]),
  edges: [{ ins: [[-Infinity, 0, -0, Infinity, NaN]], attrs: noAttrs, want: [0, 1, 1, Infinity, NaN] }],
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: noAttrs, code: "exp.C1" }],
}));

export const expm1Op: Op<"expm1", NoAttrs> = defineUnary({
  name: "expm1",
  accepts: floats,
  scalar: { float: Math.expm1 },
  vjp: (b, [g], _ins, [y]) => [b.mul([g!, b.add([y!, fillLike(b, y!, 1)])])],
});
/**
 * e^x − 1, exact also where x is near 0.
 * @param x any shape; integers compute in float32
 * @example tf.expm1([0, 1e-6]) // [0, 0.0000010000005]
 * @method
 */
export function expm1<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(expm1Op, toFloat(x)));
}
export const expm1Cases: Cases<NoAttrs> = cases(expm1Op, () => ({
  samples: elementwiseSamples(1, noAttrs, [-3, 3]),
  edges: [{ ins: [[-Infinity, 0, -0, Infinity, NaN]], attrs: noAttrs, want: [-1, 0, -0, Infinity, NaN] }],
}));

export const logOp: Op<"log", NoAttrs> = defineUnary({
  name: "log",
  accepts: floats,
  scalar: { float: Math.log },
  vjp: (b, [g], [x]) => [b.div([g!, x!])],
});
/**
 * The natural logarithm: NaN below 0, −∞ at 0.
 * @param x any shape; integers compute in float32
 * @example tf.log([1, 10]) // [0, 2.3025851]
 * @method
 */
export function log<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(logOp, toFloat(x)));
}
export const logCases: Cases<NoAttrs> = cases(logOp, () => ({
  samples: elementwiseSamples(1, noAttrs, [0.2, 5]),
  edges: [
    { ins: [[0, -0, 1, Infinity, -1, NaN]], attrs: noAttrs, want: [-Infinity, -Infinity, 0, Infinity, NaN, NaN] },
  ],
}));

export const log1pOp: Op<"log1p", NoAttrs> = defineUnary({
  name: "log1p",
  accepts: floats,
  scalar: { float: Math.log1p },
  vjp: (b, [g], [x]) => [b.div([g!, b.add([x!, fillLike(b, x!, 1)])])],
});
/**
 * log(1 + x), exact also where x is near 0.
 * @param x any shape; integers compute in float32
 * @example tf.log1p([0, 1e-6]) // [0, 9.999995e-7]
 * @method
 */
export function log1p<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(log1pOp, toFloat(x)));
}
export const log1pCases: Cases<NoAttrs> = cases(log1pOp, () => ({
  samples: elementwiseSamples(1, noAttrs, [-0.6, 4]),
  edges: [{ ins: [[0, -0, -1, Infinity, -2, NaN]], attrs: noAttrs, want: [0, -0, -Infinity, Infinity, NaN, NaN] }],
}));

export const sqrtOp: Op<"sqrt", NoAttrs> = defineUnary({
  name: "sqrt",
  accepts: floats,
  scalar: { float: Math.sqrt },
  vjp: (b, [g], _ins, [y]) => [b.div([scale(b, g!, 0.5), y!])],
});
/**
 * The square root: NaN below 0.
 * @param x any shape; integers compute in float32
 * @example tf.sqrt([4, 9]) // [2, 3]
 * @method
 */
export function sqrt<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(sqrtOp, toFloat(x)));
}
export const sqrtCases: Cases<NoAttrs> = cases(sqrtOp, () => ({
  samples: elementwiseSamples(1, noAttrs, [0.3, 5]),
  edges: [{ ins: [[0, -0, 1, Infinity, -1, NaN]], attrs: noAttrs, want: [0, -0, 1, Infinity, NaN, NaN] }],
}));

export const rsqrtOp: Op<"rsqrt", NoAttrs> = defineUnary({
  name: "rsqrt",
  accepts: floats,
  scalar: { float: (x) => 1 / Math.sqrt(x) },
  vjp: (b, [g], [x], [y]) => [b.mul([scale(b, g!, -0.5), b.div([y!, x!])])],
});
/**
 * 1 / √x: ∞ at 0, NaN below.
 * @param x any shape; integers compute in float32
 * @example tf.rsqrt([4, 16]) // [0.5, 0.25]
 * @method
 */
export function rsqrt<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(rsqrtOp, toFloat(x)));
}
export const rsqrtCases: Cases<NoAttrs> = cases(rsqrtOp, () => ({
  samples: elementwiseSamples(1, noAttrs, [0.3, 5]),
  edges: [{ ins: [[0, -0, 1, Infinity, -1, NaN]], attrs: noAttrs, want: [Infinity, -Infinity, 1, 0, NaN, NaN] }],
}));
