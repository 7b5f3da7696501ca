import { typed } from "../../ir/apply.js";
import { type Cases, cases } from "../../ir/cases.js";
import type { Op } from "../../ir/op.js";
import type { Axes, Like, Out, ShapeOf } from "../../types/operands.js";
import type { Reduce } from "../../types/rules/reduce.js";
import type { Arg } from "../../types/shape.js";
import type { DTypeSet } from "../elementwise.js";
import { requireBool, toTensor } from "../public.js";
import { defineReduction, type ReduceAttrs, reduce, reduceSamples } from "./reduction.js";

const truths: DTypeSet = { words: "bool", has: (dtype) => dtype === "bool" };

export const reduceAndOp: Op<"reduceAnd", ReduceAttrs> = defineReduction({
  name: "reduceAnd",
  accepts: truths,
  initial: () => ({ float: 1, int64: 1n }),
  float: (all, x) => all & x,
  vjp: () => [null],
});
/**
 * Whether all elements over `axis` (all by default) are true; of nothing it is true.
 * @param x bool
 * @param axis one axis or several; negative ones count from the end
 * @param keepDims whether the reduced axes stay with size 1
 * @example tf.all([[true, false], [true, true]], 1) // [false, true]
 * @method
 */
export function all<const X extends Like, const A extends Axes = undefined, const K extends boolean = false>(
  x: X,
  axis?: Arg<Reduce<"all", ShapeOf<X>, A, K>, A>,
  keepDims?: K,
): Out<Reduce<"all", ShapeOf<X>, A, K>, "bool"> {
  return typed(reduce("all", reduceAndOp, requireBool("all", toTensor(x)), axis as Axes, keepDims));
}
export const reduceAndCases: Cases<ReduceAttrs> = cases(reduceAndOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [1, 0],
          [1, 1],
        ],
      ],
      dtypes: ["bool"],
      attrs: { axes: [1] },
      want: [0, 1],
    },
    { ins: [[[], []]], dtypes: ["bool"], attrs: { axes: [1] }, want: [1, 1] },
  ],
  reject: [
    { ins: [[2]], attrs: { axes: [0] }, code: "reduceAnd.C1" },
    { ins: [[2]], dtypes: ["bool"], attrs: { axes: [1] }, code: "reduceAnd.C2" },
  ],
}));

export const reduceOrOp: Op<"reduceOr", ReduceAttrs> = defineReduction({
  name: "reduceOr",
  accepts: truths,
  initial: () => ({ float: 0, int64: 0n }),
  float: (any, x) => any | x,
  vjp: () => [null],
});
/**
 * Whether some element over `axis` (all by default) is true; of nothing it is false.
 * @param x bool
 * @param axis one axis or several; negative ones count from the end
 * @param keepDims whether the reduced axes stay with size 1
 * @example tf.any([[true, false], [false, false]], 1) // [true, false]
 * @method
 */
export function any<const X extends Like, const A extends Axes = undefined, const K extends boolean = false>(
  x: X,
  axis?: Arg<Reduce<"any", ShapeOf<X>, A, K>, A>,
  keepDims?: K,
): Out<Reduce<"any", ShapeOf<X>, A, K>, "bool"> {
  return typed(reduce("any", reduceOrOp, requireBool("any", toTensor(x)), axis as Axes, keepDims));
}
export const reduceOrCases: Cases<ReduceAttrs> = cases(reduceOrOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [1, 0],
          [0, 0],
        ],
      ],
      dtypes: ["bool"],
      attrs: { axes: [1] },
      want: [1, 0],
    },
    { ins: [[[], []]], dtypes: ["bool"], attrs: { axes: [1] }, want: [0, 0] },
  ],
  reject: [{ ins: [[2]], attrs: { axes: [0] }, code: "reduceOr.C1" }],
}));
