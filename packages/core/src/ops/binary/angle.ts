import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { NoAttrs, Op } from "../../ir/op.js";
import type { FloatOf } from "../../types/dtype.js";
import type { Bin, Like, Out, PromoteOf } from "../../types/operands.js";
import type { Arg } from "../../types/shape.js";
import { defineBinary, floats } from "../elementwise.js";
import { binaryFloat } from "../public.js";

export const atan2Op: Op<"atan2", NoAttrs> = defineBinary({
  name: "atan2",
  accepts: floats,
  scalar: { float: Math.atan2 },
  vjp(b, [g], [y, x]) {
    const scaled = b.div([g!, b.add([b.mul([x!, x!]), b.mul([y!, y!])])]);
    return [b.mul([scaled, x!]), b.neg([b.mul([scaled, y!])])];
  },
});
/**
 * The angle of the point (x, y) in radians, from −π to π, element by element, broadcast.
 * @param a y
 * @param b x
 * @example tf.atan2([0, 1], [1, 0]) // [0, 1.5707964]
 * @method
 */
export function atan2<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"atan2", A, B>, B>,
): Out<Bin<"atan2", A, B>, FloatOf<PromoteOf<A, B>>> {
  return typed(binaryFloat(atan2Op, a, b as Like));
}
export const atan2Cases: Cases<NoAttrs> = cases(atan2Op, () => ({
  samples: elementwiseSamples(2, noAttrs, [
    [-2, 2],
    [0.2, 2],
  ]),
  edges: [
    {
      ins: [
        [0, -0, 0, -0, Infinity, 1, NaN],
        [1, 1, -1, -1, Infinity, -Infinity, 1],
      ],
      attrs: noAttrs,
      want: [0, -0, Math.PI, -Math.PI, Math.PI / 4, Math.PI, NaN],
    },
  ],
  reject: [{ ins: [[2], [2]], dtypes: ["int32", "int32"], attrs: noAttrs, code: "atan2.C1" }],
}));
