// Questions about single elements, and negation.
import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { NoAttrs, Op } from "../../ir/op.js";
import type { Like, Same, WithDType } from "../../types/operands.js";
import { eqOp, neOp } from "../compare/order.js";
import { bits, defineUnary, floats } from "../elementwise.js";
import { apply1, binary, requireBool, toFloat, toTensor } from "../public.js";
import { absOp } from "./sign.js";

export const notOp: Op<"not", NoAttrs> = defineUnary({
  name: "not",
  accepts: bits,
  scalar: { bool: (x) => x === 0, small: (x) => ~x, int64: (x) => ~x },
  vjp: () => [null],
});
/**
 * True where x is false.
 * @param x bool
 * @example tf.logicalNot([true, false]) // [false, true]
 * @method
 */
export function logicalNot<const X extends Like>(x: X): Same<X> {
  return typed(apply1(notOp, requireBool("logicalNot", toTensor(x))));
}
export const notCases: Cases<NoAttrs> = cases(notOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[1, 0]], dtypes: ["bool"], attrs: noAttrs, want: [0, 1] },
    { ins: [[5, 0]], dtypes: ["uint8"], attrs: noAttrs, want: [250, 255] },
    { ins: [[5, -1]], dtypes: ["int64"], attrs: noAttrs, want: [-6, 0] },
  ],
  reject: [{ ins: [[2]], attrs: noAttrs, code: "not.C1" }],
}));

export const isFiniteOp: Op<"isFinite", NoAttrs> = defineUnary({
  name: "isFinite",
  accepts: floats,
  result: "bool",
  scalar: { float: Number.isFinite },
  vjp: () => [null],
});
/**
 * True where x is neither NaN nor ±∞.
 * @example tf.isFinite([1, 1 / 0, 0 / 0]) // [true, false, false]
 * @method
 */
export function isFinite<const X extends Like>(x: X): WithDType<X, "bool"> {
  return typed(apply1(isFiniteOp, toFloat(x)));
}
export const isFiniteCases: Cases<NoAttrs> = cases(isFiniteOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [{ ins: [[-Infinity, 0, -0, 3e38, Infinity, NaN]], attrs: noAttrs, want: [0, 1, 1, 1, 0, 0] }],
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: noAttrs, code: "isFinite.C1" }],
}));

/**
 * True where x is NaN.
 * @example tf.isNaN([1, 1 / 0, 0 / 0]) // [false, false, true]
 * @method
 */
export function isNaN<const X extends Like>(x: X): WithDType<X, "bool"> {
  const t = toFloat(x);
  return typed(binary(neOp, t, t));
}

/**
 * True where x is ∞ or −∞.
 * @example tf.isInf([1, 1 / 0, 0 / 0]) // [false, true, false]
 * @method
 */
export function isInf<const X extends Like>(x: X): WithDType<X, "bool"> {
  return typed(binary(eqOp, apply1(absOp, toFloat(x)), Infinity));
}
