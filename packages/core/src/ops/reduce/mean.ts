import { avalOf, typed } from "../../ir/apply.js";
import { type Cases, cases } from "../../ir/cases.js";
import type { Composite } from "../../ir/op.js";
import type { FloatOf } from "../../types/dtype.js";
import type { Axes, DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import type { Reduce } from "../../types/rules/reduce.js";
import type { Arg } from "../../types/shape.js";
import { subOp } from "../binary/arithmetic.js";
import { square } from "../binary/power.js";
import { floats } from "../elementwise.js";
import { axesFrom, binary, toFloat } from "../public.js";
import { stretch, unreduce } from "../rules.js";
import { countAlong, defineReductionComposite, type ReduceAttrs, reduce, reduceSamples } from "./reduction.js";

export const meanOp: Composite<"mean", ReduceAttrs> = defineReductionComposite({
  name: "mean",
  accepts: floats,
  lower(b, [x], { axes }) {
    const sum = b.reduceSum([x!], { axes });
    return [b.div([sum, stretch(b, countAlong(b, x!, axes), sum.aval.shape, [])])];
  },
  vjp(b, [g], [x], _outs, { axes }) {
    const share = b.div([g!, stretch(b, countAlong(b, x!, axes), g!.aval.shape, [])]);
    return [unreduce(b, share, axes, x!.aval.shape)];
  },
});
/**
 * The mean over `axis` (all by default): Σ x / n. Integers compute in float32; of nothing it is NaN.
 * @param axis one axis or several; negative ones count from the end
 * @param keepDims whether the reduced axes stay with size 1
 * @example tf.mean([[1, 2], [3, 5]], 1) // [1.5, 4]
 * @method
 */
export function mean<const X extends Like, const A extends Axes = undefined, const K extends boolean = false>(
  x: X,
  axis?: Arg<Reduce<"mean", ShapeOf<X>, A, K>, A>,
  keepDims?: K,
): Out<Reduce<"mean", ShapeOf<X>, A, K>, FloatOf<DTypeOf<X>>> {
  return typed(reduce("mean", meanOp, toFloat(x), axis as Axes, keepDims));
}
export const meanCases: Cases<ReduceAttrs> = cases(meanOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [1, Infinity],
          [NaN, 2],
          [1, 2],
        ],
      ],
      attrs: { axes: [1] },
      want: [Infinity, NaN, 1.5],
    },
    { ins: [[[], []]], attrs: { axes: [1] }, want: [NaN, NaN] },
    { ins: [5], attrs: { axes: [] }, want: 5 },
  ],
  reject: [
    { ins: [[2]], dtypes: ["int32"], attrs: { axes: [0] }, code: "mean.C1" },
    { ins: [[2]], attrs: { axes: [1] }, code: "mean.C2" },
  ],
}));

/**
 * Mean and variance over `axis` (all by default). The variance is the mean of the squared distances from the mean.
 * @param axis one axis or several; negative ones count from the end
 * @param keepDims whether the reduced axes stay with size 1
 * @example tf.moments([1, 3]).variance // 1
 * @public
 */
export function moments<const X extends Like, const A extends Axes = undefined, const K extends boolean = false>(
  x: X,
  axis?: Arg<Reduce<"moments", ShapeOf<X>, A, K>, A>,
  keepDims?: K,
): {
  mean: Out<Reduce<"moments", ShapeOf<X>, A, K>, FloatOf<DTypeOf<X>>>;
  variance: Out<Reduce<"moments", ShapeOf<X>, A, K>, FloatOf<DTypeOf<X>>>;
} {
  const t = toFloat(x);
  const axes = axesFrom("moments", axis as Axes, avalOf(t).shape.length);
  const distance = binary(subOp, t, reduce("moments", meanOp, t, axes, true));
  return {
    mean: typed(reduce("moments", meanOp, t, axes, keepDims)),
    variance: typed(reduce("moments", meanOp, square(distance), axes, keepDims)),
  };
}
