import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { NoAttrs, Op } from "../../ir/op.js";
import type { Bin, Like, Out, PromoteOf, Same, SameFloat } from "../../types/operands.js";
import type { Arg } from "../../types/shape.js";
import { defineBinary, numeric } from "../elementwise.js";
import { binary, toFloat, toTensor } from "../public.js";
import { fillLike, positive, shift, zeroLike } from "../rules.js";
import { divOp, mulOp, subOp } from "./arithmetic.js";

/** C's pow: 1 to any power is 1 and so is −1 to ±∞, where JavaScript says NaN. */
function floatPower(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  return x ** y;
}

/** Wraps at 32 bits. A negative exponent gives 0, except for the bases 1 and −1, whose powers are whole. */
function smallPower(x: number, y: number): number {
  if (y < 0) return Math.abs(x) === 1 ? smallPower(x, -y) : 0;
  let result = 1;
  for (let square = x, rest = y; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = Math.imul(result, square);
    square = Math.imul(square, square);
  }
  return result;
}

/** As `smallPower`, at 64 bits. */
function widePower(x: bigint, y: bigint): bigint {
  if (y < 0n) return x === 1n || x === -1n ? widePower(x, -y) : 0n;
  let result = 1n;
  for (let square = x, rest = y; rest > 0n; rest /= 2n) {
    if (rest % 2n === 1n) result = BigInt.asIntN(64, result * square);
    square = BigInt.asIntN(64, square * square);
  }
  return result;
}

export const powOp: Op<"pow", NoAttrs> = defineBinary({
  name: "pow",
  accepts: numeric,
  scalar: { float: floatPower, small: smallPower, int64: widePower },
  vjp(b, [g], [x, y], [z]) {
    // y · x^(y − 1) is 0 where y is 0, though x^−1 may be ∞; both sides of the choice are finite, so that a second
    // derivative does not meet 0 · ∞.
    const constant = b.eq([y!, zeroLike(b, y!)]);
    const exponent = b.select([constant, fillLike(b, y!, 1), y!]);
    const slope = b.mul([y!, b.pow([x!, shift(b, exponent, -1)])]);
    // x^y has no derivative by y where x is not positive: 0, as in TensorFlow.
    const base = b.select([positive(b, x!), x!, fillLike(b, x!, 1)]);
    return [b.mul([g!, slope]), b.mul([g!, b.mul([z!, b.log([base])])])];
  },
});
/**
 * x^y, element by element, broadcast. Integers wrap; to a negative power they are 0, except 1 and −1.
 * @example tf.pow([2, 3], 2) // [4, 9]
 * @method
 */
export function pow<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"pow", A, B>, B>,
): Out<Bin<"pow", A, B>, PromoteOf<A, B>> {
  return typed(binary(powOp, a, b as Like));
}
export const powCases: Cases<NoAttrs> = cases(powOp, () => ({
  samples: elementwiseSamples(2, noAttrs, [
    [0.3, 3],
    [-2, 2],
  ]),
  edges: [
    {
      ins: [
        [0, -0, 0, NaN, 1, -1, -8, Infinity, 2],
        [0, -1, -2, 0, NaN, Infinity, 1 / 3, -1, -Infinity],
      ],
      attrs: noAttrs,
      want: [1, -Infinity, Infinity, 1, 1, 1, NaN, 0, 0],
    },
    {
      ins: [
        [3, -2, 0, 2, -1, -1, 3, 1],
        [5, 3, 0, -1, -3, -4, 21, -9],
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [243, -8, 1, 0, -1, 1, 1870418611, 1],
    },
    { ins: [[3], [41]], dtypes: ["int64", "int64"], attrs: noAttrs, want: [BigInt.asIntN(64, 3n ** 41n)] },
    { ins: [[3], [6]], dtypes: ["uint8", "uint8"], attrs: noAttrs, want: [217] },
  ],
  reject: [{ ins: [[2], [3]], attrs: noAttrs, code: "pow.C3" }],
}));

/**
 * x · x, element by element. Integers wrap.
 * @example tf.square([2, -3]) // [4, 9]
 * @method
 */
export function square<const X extends Like>(x: X): Same<X> {
  const t = toTensor(x);
  return typed(binary(mulOp, t, t));
}

/**
 * 1 / x, element by element: ±∞ at ±0.
 * @param x any shape; integers compute in float32
 * @example tf.reciprocal([2, 4]) // [0.5, 0.25]
 * @method
 */
export function reciprocal<const X extends Like>(x: X): SameFloat<X> {
  return typed(binary(divOp, 1, toFloat(x)));
}

/**
 * (x − y)², element by element, broadcast. Integers wrap.
 * @example tf.squaredDifference([1, 5], 3) // [4, 4]
 * @method
 */
export function squaredDifference<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"squaredDifference", A, B>, B>,
): Out<Bin<"squaredDifference", A, B>, PromoteOf<A, B>> {
  const difference = binary(subOp, a, b as Like);
  return typed(binary(mulOp, difference, difference));
}
