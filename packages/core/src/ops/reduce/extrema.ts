import { typed } from "../../ir/apply.js";
import { type Cases, cases } from "../../ir/cases.js";
import { integerRange } from "../../ir/host.js";
import type { Op, VjpRule } from "../../ir/op.js";
import { type DType, dtypes } from "../../types/dtype.js";
import type { Axes, DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import type { Reduce } from "../../types/rules/reduce.js";
import type { Arg } from "../../types/shape.js";
import { greaterOf, lesserOf, numeric } from "../elementwise.js";
import { toTensor } from "../public.js";
import { unreduce } from "../rules.js";
import { defineReduction, type ReduceAttrs, reduce, reduceSamples } from "./reduction.js";

/** The cotangent is shared out equally among the elements that are the extremum, as in TensorFlow. */
const toExtrema: VjpRule<ReduceAttrs> = (b, [g], [x], [y], { axes }) => {
  const { dtype, shape } = x!.aval;
  const chosen = b.cast([b.eq([x!, unreduce(b, y!, axes, shape)])], { dtype });
  const share = b.div([g!, b.reduceSum([chosen], { axes })]);
  return [b.mul([chosen, unreduce(b, share, axes, shape)])];
};

/** The lowest value that a dtype has, or the highest. */
export function limit(dtype: DType, end: 0 | 1): { readonly float: number; readonly int64: bigint } {
  if (dtypes[dtype].isFloat) return { float: end === 0 ? -Infinity : Infinity, int64: 0n };
  const bound = integerRange(dtype)[end];
  return { float: Number(bound), int64: bound };
}

export const reduceMaxOp: Op<"reduceMax", ReduceAttrs> = defineReduction({
  name: "reduceMax",
  accepts: numeric,
  initial: (dtype) => limit(dtype, 0),
  float: (most, x) => Math.max(most, x),
  int64: greaterOf,
  vjp: toExtrema,
});
/**
 * The greatest element over `axis` (all by default); NaN where there is one. Of nothing it is −∞, or the lowest integer.
 * @param axis one axis or several; negative ones count from the end
 * @param keepDims whether the reduced axes stay with size 1
 * @example tf.max([[1, 2], [4, 3]], 1) // [2, 4]
 * @method
 */
export function max<const X extends Like, const A extends Axes = undefined, const K extends boolean = false>(
  x: X,
  axis?: Arg<Reduce<"max", ShapeOf<X>, A, K>, A>,
  keepDims?: K,
): Out<Reduce<"max", ShapeOf<X>, A, K>, DTypeOf<X>> {
  return typed(reduce("max", reduceMaxOp, toTensor(x), axis as Axes, keepDims));
}
export const reduceMaxCases: Cases<ReduceAttrs> = cases(reduceMaxOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [1, -Infinity],
          [NaN, 2],
          [2, NaN],
          [-0, 0],
        ],
      ],
      attrs: { axes: [1] },
      want: [1, NaN, NaN, 0],
    },
    { ins: [[[], []]], attrs: { axes: [1] }, want: [-Infinity, -Infinity] },
    { ins: [[[], []]], dtypes: ["int32"], attrs: { axes: [1] }, want: [-2147483648, -2147483648] },
    { ins: [[]], dtypes: ["int64"], attrs: { axes: [0] }, want: -(2n ** 63n) },
    { ins: [[]], dtypes: ["uint8"], attrs: { axes: [0] }, want: 0 },
    { ins: [[2n ** 62n, 2n ** 62n + 1n]], dtypes: ["int64"], attrs: { axes: [0] }, want: 2n ** 62n + 1n },
  ],
  gradients: [
    {
      ins: [
        [
          [1, 3, 3, 2],
          [5, 4, 4, 4],
        ],
      ],
      attrs: { axes: [1] },
      want: [
        [
          [0, 0.5, 0.5, 0],
          [1, 0, 0, 0],
        ],
      ],
    },
  ],
  reject: [
    { ins: [[2, 3]], attrs: { axes: [2] }, code: "reduceMax.C2" },
    { ins: [[2]], dtypes: ["bool"], attrs: { axes: [0] }, code: "reduceMax.C1" },
  ],
}));

export const reduceMinOp: Op<"reduceMin", ReduceAttrs> = defineReduction({
  name: "reduceMin",
  accepts: numeric,
  initial: (dtype) => limit(dtype, 1),
  float: (least, x) => Math.min(least, x),
  int64: lesserOf,
  vjp: toExtrema,
});
/**
 * The least element over `axis` (all by default); NaN where there is one. Of nothing it is ∞, or the highest integer.
 * @param axis one axis or several; negative ones count from the end
 * @param keepDims whether the reduced axes stay with size 1
 * @example tf.min([[1, 2], [4, 3]], 1) // [1, 3]
 * @method
 */
export function min<const X extends Like, const A extends Axes = undefined, const K extends boolean = false>(
  x: X,
  axis?: Arg<Reduce<"min", ShapeOf<X>, A, K>, A>,
  keepDims?: K,
): Out<Reduce<"min", ShapeOf<X>, A, K>, DTypeOf<X>> {
  return typed(reduce("min", reduceMinOp, toTensor(x), axis as Axes, keepDims));
}
export const reduceMinCases: Cases<ReduceAttrs> = cases(reduceMinOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [1, Infinity],
          [NaN, 2],
          [2, NaN],
          [-0, 0],
        ],
      ],
      attrs: { axes: [1] },
      want: [1, NaN, NaN, -0],
    },
    { ins: [[[], []]], attrs: { axes: [1] }, want: [Infinity, Infinity] },
    { ins: [[[], []]], dtypes: ["int32"], attrs: { axes: [1] }, want: [2147483647, 2147483647] },
    { ins: [[]], dtypes: ["uint8"], attrs: { axes: [0] }, want: 255 },
  ],
  gradients: [{ ins: [[[1, 3, 1, 2]]], attrs: { axes: [1] }, want: [[[0.5, 0, 0.5, 0]]] }],
  reject: [{ ins: [[2, 3]], attrs: { axes: [1, 0] }, code: "reduceMin.C2" }],
}));
