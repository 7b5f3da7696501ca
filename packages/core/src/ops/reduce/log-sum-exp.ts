import { typed } from "../../ir/apply.js";
import type { Val } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import type { Composite } from "../../ir/op.js";
import type { FloatOf } from "../../types/dtype.js";
import type { Axes, DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import type { Reduce } from "../../types/rules/reduce.js";
import type { Arg } from "../../types/shape.js";
import { floats } from "../elementwise.js";
import type { Ops } from "../names.js";
import { toFloat } from "../public.js";
import { unreduce, zeroLike } from "../rules.js";
import { defineReductionComposite, type ReduceAttrs, reduce, reduceSamples } from "./reduction.js";

/** `x` where it is finite, else 0: subtracting ±∞ from itself would give NaN. */
function finiteOr0(b: Ops, x: Val): Val {
  return b.select([b.isFinite([x]), x, zeroLike(b, x)]);
}

export const logSumExpOp: Composite<"logSumExp", ReduceAttrs> = defineReductionComposite({
  name: "logSumExp",
  accepts: floats,
  lower(b, [x], { axes }) {
    const top = finiteOr0(b, b.reduceMax([x!], { axes }));
    const sum = b.reduceSum([b.exp([b.sub([x!, unreduce(b, top, axes, x!.aval.shape)])])], { axes });
    return [b.add([b.log([sum]), top])];
  },
  vjp(b, [g], [x], [y], { axes }) {
    const { shape } = x!.aval;
    const weights = b.exp([b.sub([x!, unreduce(b, finiteOr0(b, y!), axes, shape)])]);
    return [b.mul([unreduce(b, g!, axes, shape), weights])];
  },
});
/**
 * log Σ e^x over `axis` (all by default), without overflow: −∞ where every x is −∞, and of nothing.
 * @param axis one axis or several; negative ones count from the end
 * @param keepDims whether the reduced axes stay with size 1
 * @example tf.logSumExp([1000, 1000]) // 1000.6931
 * @method
 */
export function logSumExp<const X extends Like, const A extends Axes = undefined, const K extends boolean = false>(
  x: X,
  axis?: Arg<Reduce<"logSumExp", ShapeOf<X>, A, K>, A>,
  keepDims?: K,
): Out<Reduce<"logSumExp", ShapeOf<X>, A, K>, FloatOf<DTypeOf<X>>> {
  return typed(reduce("logSumExp", logSumExpOp, toFloat(x), axis as Axes, keepDims));
}
export const logSumExpCases: Cases<ReduceAttrs> = cases(logSumExpOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [-Infinity, -Infinity],
          [-Infinity, 3],
          [Infinity, 1],
          [NaN, 1],
          [-1000, -1000],
          [1000, 1000],
        ],
      ],
      attrs: { axes: [1] },
      want: [-Infinity, 3, Infinity, NaN, Math.LN2 - 1000, Math.LN2 + 1000],
    },
    { ins: [[[], []]], attrs: { axes: [1] }, want: [-Infinity, -Infinity] },
    { ins: [5], attrs: { axes: [] }, want: 5 },
  ],
  gradients: [
    {
      ins: [
        [
          [-Infinity, -Infinity],
          [-Infinity, 3],
          [1000, 1000],
        ],
      ],
      attrs: { axes: [1] },
      want: [
        [
          [0, 0],
          [0, 1],
          [0.5, 0.5],
        ],
      ],
    },
  ],
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: { axes: [0] }, code: "logSumExp.C1" }],
}));
