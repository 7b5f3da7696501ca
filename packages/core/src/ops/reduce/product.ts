import { typed } from "../../ir/apply.js";
import type { Val } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import type { Op } from "../../ir/op.js";
import type { Axes, DTypeOf, Like, Out, ShapeOf, SumOf } from "../../types/operands.js";
import type { Reduce } from "../../types/rules/reduce.js";
import type { Arg } from "../../types/shape.js";
import { numeric } from "../elementwise.js";
import type { Ops } from "../names.js";
import { castTo, toTensor } from "../public.js";
import { unreduce } from "../rules.js";
import { defineReduction, type ReduceAttrs, reduce, reduceSamples } from "./reduction.js";

/** The product of all others along one axis, which is right where some are 0, as product / x is not. */
function productOfOthers(b: Ops, x: Val, axis: number): Val {
  const before = b.cumprod([x], { axis, exclusive: true, reverse: false });
  const after = b.cumprod([x], { axis, exclusive: true, reverse: true });
  return b.mul([before, after]);
}

/** Several axes are folded one after another, the last one first, so that each step has one axis. */
function cotangent(b: Ops, g: Val, x: Val, axes: readonly number[]): Val {
  if (axes.length === 0) return g;
  const [last, rest] = [axes.at(-1)!, axes.slice(0, -1)];
  const folded = cotangent(b, g, b.reduceProd([x], { axes: [last] }), rest);
  return b.mul([unreduce(b, folded, [last], x.aval.shape), productOfOthers(b, x, last)]);
}

export const reduceProdOp: Op<"reduceProd", ReduceAttrs> = defineReduction({
  name: "reduceProd",
  accepts: numeric,
  initial: () => ({ float: 1, int64: 1n }),
  float: (product, x) => product * x,
  small: Math.imul,
  int64: (product, x) => BigInt.asIntN(64, product * x),
  vjp: (b, [g], [x], _outs, { axes }) => [cotangent(b, g!, x!, axes)],
});
/**
 * The product over `axis` (all by default). bool counts in int32; integers wrap; an empty product is 1.
 * @param axis one axis or several; negative ones count from the end
 * @param keepDims whether the reduced axes stay with size 1
 * @example tf.prod([[1, 2], [3, 4]], 1) // [2, 12]
 * @method
 */
export function prod<const X extends Like, const A extends Axes = undefined, const K extends boolean = false>(
  x: X,
  axis?: Arg<Reduce<"prod", ShapeOf<X>, A, K>, A>,
  keepDims?: K,
): Out<Reduce<"prod", ShapeOf<X>, A, K>, SumOf<DTypeOf<X>>> {
  const t = toTensor(x);
  return typed(reduce("prod", reduceProdOp, t.dtype === "bool" ? castTo(t, "int32") : t, axis as Axes, keepDims));
}
export const reduceProdCases: Cases<ReduceAttrs> = cases(reduceProdOp, () => ({
  samples: reduceSamples.map((sample) => ({ ...sample, domain: [0.9, 1.1] as const })),
  edges: [
    {
      ins: [
        [
          [1, Infinity],
          [NaN, 2],
          [0, Infinity],
        ],
      ],
      attrs: { axes: [1] },
      want: [Infinity, NaN, NaN],
    },
    { ins: [[[], []]], attrs: { axes: [1] }, want: [1, 1] },
    { ins: [[65537, 65537]], dtypes: ["int32"], attrs: { axes: [0] }, want: 131073 },
    { ins: [[2n ** 62n, 3]], dtypes: ["int64"], attrs: { axes: [0] }, want: BigInt.asIntN(64, 3n * 2n ** 62n) },
  ],
  gradients: [
    {
      ins: [
        [
          [0, 2, 3],
          [0, 0, 3],
          [1, 2, 3],
        ],
      ],
      attrs: { axes: [1] },
      want: [
        [
          [6, 0, 0],
          [0, 0, 0],
          [6, 3, 2],
        ],
      ],
    },
    {
      ins: [
        [
          [0, 2],
          [3, 4],
        ],
      ],
      attrs: { axes: [0, 1] },
      want: [
        [
          [24, 0],
          [0, 0],
        ],
      ],
    },
  ],
  reject: [
    { ins: [[2, 3]], attrs: { axes: [2] }, code: "reduceProd.C2" },
    { ins: [[2]], dtypes: ["bool"], attrs: { axes: [0] }, code: "reduceProd.C1" },
  ],
}));
