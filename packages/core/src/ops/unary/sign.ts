import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { cases, type Cases, elementwiseSamples } from "../../ir/cases.js";
import type { NoAttrs, Op } from "../../ir/op.js";
import type { Like, Same } from "../../types/operands.js";
import { defineUnary, numeric } from "../elementwise.js";
import { apply1, toTensor } from "../public.js";

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
export const negCases: Cases<NoAttrs> = cases(negOp, {
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[0, -0, Infinity, NaN]], attrs: noAttrs, want: [-0, 0, -Infinity, NaN] },
    { ins: [[-2147483648]], dtypes: ["int32"], attrs: noAttrs, want: [-2147483648] },
  ],
});
