import { avalOf, typed } from "../../ir/apply.js";
import { type Cases, cases } from "../../ir/cases.js";
import type { Composite } from "../../ir/op.js";
import type { FloatOf } from "../../types/dtype.js";
import { MillraceError } from "../../types/errors.js";
import type { Axes, DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import type { Reduce } from "../../types/rules/reduce.js";
import type { Arg } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { floats } from "../elementwise.js";
import { apply1, axesFrom, toFloat } from "../public.js";
import { fillLike, unreduce, zeroLike } from "../rules.js";
import { reshapeOp } from "../shape/reshape.js";
import { absOp } from "../unary/sign.js";
import { reduceMaxOp, reduceMinOp } from "./extrema.js";
import { defineReductionComposite, type ReduceAttrs, reduce, reduceSamples } from "./reduction.js";
import { reduceSumOp } from "./sum.js";

export const euclideanNormOp: Composite<"euclideanNorm", ReduceAttrs> = defineReductionComposite({
  name: "euclideanNorm",
  accepts: floats,
  lower: (b, [x], { axes }) => [b.sqrt([b.reduceSum([b.mul([x!, x!])], { axes })])],
  vjp(b, [g], [x], [y], { axes }) {
    // x / |x|, and 0 at the origin, where sqrt alone would give 0 / 0.
    const length = b.select([b.eq([y!, zeroLike(b, y!)]), fillLike(b, y!, 1), y!]);
    return [b.mul([x!, unreduce(b, b.div([g!, length]), axes, x!.aval.shape)])];
  },
});
export const euclideanNormCases: Cases<ReduceAttrs> = cases(euclideanNormOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [3, -4],
          [0, -0],
          [NaN, 1],
          [-Infinity, 1],
        ],
      ],
      attrs: { axes: [1] },
      want: [5, 0, NaN, Infinity],
    },
    { ins: [[[], []]], attrs: { axes: [1] }, want: [0, 0] },
  ],
  gradients: [
    {
      ins: [
        [
          [0, 0],
          [3, 4],
        ],
      ],
      attrs: { axes: [1] },
      want: [
        [
          [0, 0],
          [0.6, 0.8],
        ],
      ],
    },
  ],
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: { axes: [0] }, code: "euclideanNorm.C1" }],
}));

/**
 * A norm over `axis` (all by default). `ord` is "euclidean" or 2: √Σx² (of two axes also "fro"); 1: Σ|x|; Infinity: the
 * greatest |x|; -Infinity: the least. Of a matrix, which is an axis list of two, 1 is the greatest sum of a column,
 * Infinity that of a row. The derivative at 0 is 0. E_ARGUMENT for any other `ord`.
 * @param axis one axis or two; negative ones count from the end
 * @param keepDims whether the reduced axes stay with size 1
 * @example tf.norm([3, 4]) // 5
 * @method
 */
export function norm<const X extends Like, const A extends Axes = undefined, const K extends boolean = false>(
  x: X,
  ord: number | "euclidean" | "fro" = "euclidean",
  axis?: Arg<Reduce<"norm", ShapeOf<X>, A, K>, A>,
  keepDims?: K,
): Out<Reduce<"norm", ShapeOf<X>, A, K>, FloatOf<DTypeOf<X>>> {
  const t = toFloat(x);
  const matrix = Array.isArray(axis) && axis.length === 2;
  const y =
    matrix && (ord === 1 || ord === Infinity || ord === -Infinity)
      ? matrixNorm(t, ord, axis as readonly number[])
      : vectorNorm(t, ord, axis as Axes);
  return typed(keepDims ? y : withoutAxes(y, axis as Axes));
}

const unknownOrder = (ord: unknown): MillraceError =>
  new MillraceError("E_ARGUMENT", `norm: ord must be "euclidean", "fro", 1, 2, Infinity or -Infinity, got ${ord}`, {
    op: "norm",
  });

/** Over all given axes together, which stay with size 1. */
function vectorNorm(x: Tensor, ord: number | string, axis: Axes): Tensor {
  if (ord === "euclidean" || ord === "fro" || ord === 2) return reduce("norm", euclideanNormOp, x, axis, true);
  const sizes = apply1(absOp, x);
  if (ord === 1) return reduce("norm", reduceSumOp, sizes, axis, true);
  if (ord === Infinity) return reduce("norm", reduceMaxOp, sizes, axis, true);
  if (ord === -Infinity) return reduce("norm", reduceMinOp, sizes, axis, true);
  throw unknownOrder(ord);
}

/** Sums along one of two axes, then an extremum along the other. */
function matrixNorm(x: Tensor, ord: number, [row, column]: readonly number[]): Tensor {
  const [summed, compared] = ord === 1 ? [row, column] : [column, row];
  const sums = reduce("norm", reduceSumOp, apply1(absOp, x), summed, true);
  return reduce("norm", ord === -Infinity ? reduceMinOp : reduceMaxOp, sums, compared, true);
}

function withoutAxes(x: Tensor, axis: Axes): Tensor {
  const { shape } = avalOf(x);
  const axes = axesFrom("norm", axis, shape.length);
  return axes.length === 0 ? x : apply1(reshapeOp, x, { shape: shape.filter((_, i) => !axes.includes(i)) });
}
