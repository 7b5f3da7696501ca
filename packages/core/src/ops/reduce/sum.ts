import { typed } from "../../ir/apply.js";
import { type Cases, cases } from "../../ir/cases.js";
import type { Op } from "../../ir/op.js";
import type { Axes, DTypeOf, Like, Out, ShapeOf, SumOf } from "../../types/operands.js";
import type { Reduce } from "../../types/rules/reduce.js";
import type { Arg } from "../../types/shape.js";
import { numeric } from "../elementwise.js";
import { castTo, toTensor } from "../public.js";
import { unreduce } from "../rules.js";
import { defineReduction, type ReduceAttrs, reduce, reduceSamples } from "./reduction.js";

export const reduceSumOp: Op<"reduceSum", ReduceAttrs> = defineReduction({
  name: "reduceSum",
  accepts: numeric,
  initial: () => ({ float: 0, int64: 0n }),
  float: (sum, x) => sum + x,
  int64: (sum, x) => sum + x,
  vjp: (b, [g], [x], _outs, { axes }) => [unreduce(b, g!, axes, x!.aval.shape)],
});
/**
 * The sum over `axis` (all by default): y = Σ x. bool counts in int32; integers wrap; an empty sum is 0.
 * @param axis one axis or several; negative ones count from the end
 * @param keepDims whether the summed axes stay with size 1
 * @example tf.sum([[1, 2], [3, 4]], 1) // [3, 7]
 * @method
 */
export function sum<const X extends Like, const A extends Axes = undefined, const K extends boolean = false>(
  x: X,
  axis?: Arg<Reduce<"sum", ShapeOf<X>, A, K>, A>,
  keepDims?: K,
): Out<Reduce<"sum", ShapeOf<X>, A, K>, SumOf<DTypeOf<X>>> {
  const t = toTensor(x);
  return typed(reduce("sum", reduceSumOp, t.dtype === "bool" ? castTo(t, "int32") : t, axis as Axes, keepDims));
}
export const reduceSumCases: Cases<ReduceAttrs> = cases(reduceSumOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [1, Infinity],
          [NaN, 2],
        ],
      ],
      attrs: { axes: [1] },
      want: [Infinity, NaN],
    },
    { ins: [[[], []]], attrs: { axes: [1] }, want: [0, 0] },
    { ins: [[-0]], attrs: { axes: [0] }, want: 0 },
  ],
  reject: [
    { ins: [[2, 3]], attrs: { axes: [2] }, code: "reduceSum.C2" },
    { ins: [[2, 3]], attrs: { axes: [1, 0] }, code: "reduceSum.C2" },
    { ins: [[2]], dtypes: ["bool"], attrs: { axes: [0] }, code: "reduceSum.C1" },
  ],
}));
