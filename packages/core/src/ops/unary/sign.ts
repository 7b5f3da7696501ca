import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { NoAttrs, Op } from "../../ir/op.js";
import type { Like, Same } from "../../types/operands.js";
import { defineUnary, numeric } from "../elementwise.js";
import { apply1, toTensor } from "../public.js";
import { zeroLike } from "../rules.js";

export const negOp: Op<"neg", NoAttrs> = defineUnary({
  name: "neg",
  accepts: numeric,
  scalar: { float: (x) => -x!, int64: (x) => -x! },
  vjp: (b, [g]) => [b.neg([g!])],
});
/**
 * −x, element by element. Integers wrap.
 * @example tf.neg([1, -2]) // [-1, 2]
 * @method
 */
export function neg<const X extends Like>(x: X): Same<X> {
  return typed(apply1(negOp, toTensor(x)));
}
export const negCases: Cases<NoAttrs> = cases(negOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[0, -0, Infinity, NaN]], attrs: noAttrs, want: [-0, 0, -Infinity, NaN] },
    { ins: [[-2147483648]], dtypes: ["int32"], attrs: noAttrs, want: [-2147483648] },
  ],
}));

export const absOp: Op<"abs", NoAttrs> = defineUnary({
  name: "abs",
  accepts: numeric,
  scalar: { float: Math.abs, int64: (x) => (x < 0n ? -x : x) },
  vjp: (b, [g], [x]) => [b.mul([g!, b.sign([x!])])],
});
/**
 * |x|, element by element. The least integer has no opposite and stays. The derivative at 0 is 0.
 * @example tf.abs([1, -2]) // [1, 2]
 * @method
 */
export function abs<const X extends Like>(x: X): Same<X> {
  return typed(apply1(absOp, toTensor(x)));
}
export const absCases: Cases<NoAttrs> = cases(absOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[-0, -Infinity, NaN, -1.5]], attrs: noAttrs, want: [0, Infinity, NaN, 1.5] },
    { ins: [[-2147483648, -7]], dtypes: ["int32"], attrs: noAttrs, want: [-2147483648, 7] },
    { ins: [[-(2n ** 63n), -7]], dtypes: ["int64"], attrs: noAttrs, want: [-(2n ** 63n), 7] },
  ],
}));

export const signOp: Op<"sign", NoAttrs> = defineUnary({
  name: "sign",
  accepts: numeric,
  scalar: { float: Math.sign, int64: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n) },
  vjp: (b, [g]) => [zeroLike(b, g!)],
});
/**
 * −1, 0 or 1, element by element; NaN and −0 stay. The derivative is 0.
 * @example tf.sign([3, 0, -2]) // [1, 0, -1]
 * @method
 */
export function sign<const X extends Like>(x: X): Same<X> {
  return typed(apply1(signOp, toTensor(x)));
}
export const signCases: Cases<NoAttrs> = cases(signOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[-0, 0, -Infinity, NaN, 1e-30]], attrs: noAttrs, want: [-0, 0, -1, NaN, 1] },
    { ins: [[0, 255]], dtypes: ["uint8"], attrs: noAttrs, want: [0, 1] },
    { ins: [[-5, 0, 9]], dtypes: ["int64"], attrs: noAttrs, want: [-1, 0, 1] },
  ],
}));
