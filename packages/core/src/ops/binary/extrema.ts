import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { NoAttrs, Op, VjpRule } from "../../ir/op.js";
import type { Bin, Like, Out, PromoteOf } from "../../types/operands.js";
import type { Arg } from "../../types/shape.js";
import { defineBinary, greaterOf, lesserOf, numeric } from "../elementwise.js";
import { binary } from "../public.js";
import { zeroLike } from "../rules.js";

/** The cotangent goes to the operand that was taken; of two equal ones to the first, as in TensorFlow. */
function toTaken(takesFirst: "ge" | "le"): VjpRule<NoAttrs> {
  return (b, [g], [x, y]) => {
    const first = b[takesFirst]([x!, y!]);
    const zero = zeroLike(b, g!);
    return [b.select([first, g!, zero]), b.select([first, zero, g!])];
  };
}

export const maxOp: Op<"max", NoAttrs> = defineBinary({
  name: "max",
  accepts: numeric,
  scalar: { float: Math.max, int64: greaterOf },
  vjp: toTaken("ge"),
});
/**
 * The greater of x and y, element by element, broadcast. NaN where either is NaN.
 * @example tf.maximum([1, 4], 3) // [3, 4]
 * @method
 */
export function maximum<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"maximum", A, B>, B>,
): Out<Bin<"maximum", A, B>, PromoteOf<A, B>> {
  return typed(binary(maxOp, a, b as Like));
}
export const maxCases: Cases<NoAttrs> = cases(maxOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [NaN, 1, -0, 0, -Infinity],
        [1, NaN, 0, -0, Infinity],
      ],
      attrs: noAttrs,
      want: [NaN, NaN, 0, 0, Infinity],
    },
    { ins: [[2n ** 62n], [2n ** 62n + 1n]], dtypes: ["int64", "int64"], attrs: noAttrs, want: [2n ** 62n + 1n] },
  ],
  reject: [{ ins: [[2], [3]], attrs: noAttrs, code: "max.C3" }],
}));

export const minOp: Op<"min", NoAttrs> = defineBinary({
  name: "min",
  accepts: numeric,
  scalar: { float: Math.min, int64: lesserOf },
  vjp: toTaken("le"),
});
/**
 * The lesser of x and y, element by element, broadcast. NaN where either is NaN.
 * @example tf.minimum([1, 4], 3) // [1, 3]
 * @method
 */
export function minimum<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"minimum", A, B>, B>,
): Out<Bin<"minimum", A, B>, PromoteOf<A, B>> {
  return typed(binary(minOp, a, b as Like));
}
export const minCases: Cases<NoAttrs> = cases(minOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [NaN, 1, -0, 0, -Infinity],
        [1, NaN, 0, -0, Infinity],
      ],
      attrs: noAttrs,
      want: [NaN, NaN, -0, -0, -Infinity],
    },
    { ins: [[2n ** 62n], [2n ** 62n + 1n]], dtypes: ["int64", "int64"], attrs: noAttrs, want: [2n ** 62n] },
  ],
  reject: [{ ins: [[2], [3]], attrs: noAttrs, code: "min.C3" }],
}));
