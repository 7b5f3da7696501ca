import { avalOf, typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Aval, formatAval, formatShape, sameShape, type Val } from "../../ir/aval.js";
import { type Cases, cases, type Sample } from "../../ir/cases.js";
import { allTrue, eqDim } from "../../ir/dim.js";
import { type Composite, check, checkAttr, checkDType, defineComposite, type NoAttrs } from "../../ir/op.js";
import type { FloatOf } from "../../types/dtype.js";
import type { DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import { withDefaults } from "../../types/options.js";
import type { Tensor } from "../../types/tensor.js";
import { floats } from "../elementwise.js";
import type { Ops } from "../names.js";
import { apply, castTo, stretchTo, toFloat, toTensor } from "../public.js";
import { countAlong } from "../reduce/reduction.js";
import { axesOf, fillLike, stretch, unreduce } from "../rules.js";

/** What is added to the variance, so that its root is not 0. */
export type LayerNormAttrs = { readonly epsilon: number };

/** x of rank 1 or more, and vectors as long as its last axis. */
function checkVectors(name: string, x: Aval, vectors: readonly Aval[]): void {
  const { dtype, shape } = x;
  checkDType(`${name}.C1`, floats.has(dtype), () => `needs ${floats.words}, got ${dtype}`);
  check(`${name}.C2`, shape.length >= 1, () => `needs rank 1 or more, got ${formatShape(shape)}`);
  for (const v of vectors) {
    checkDType(`${name}.C3`, v.dtype === dtype, () => `needs one dtype, got ${dtype} and ${v.dtype}`);
    const fits = v.shape.length === 1 && eqDim(v.shape[0]!, shape[shape.length - 1]!);
    check(`${name}.C4`, fits, () => `${formatAval(v)} is not as long as the last axis of ${formatShape(shape)}`);
  }
}

/** A vector along the last axis, or a statistic along the others, stretched over `x`. */
const overRows = (b: Ops, vector: Val, x: Val): Val => stretch(b, vector, x.aval.shape, [x.aval.shape.length - 1]);
const overLast = (b: Ops, statistic: Val, x: Val): Val =>
  unreduce(b, statistic, [x.aval.shape.length - 1], x.aval.shape);

/** The mean along the last axis. */
function meanLast(b: Ops, x: Val): Val {
  const last = [x.aval.shape.length - 1];
  const sum = b.reduceSum([x], { axes: last });
  return b.div([sum, stretch(b, countAlong(b, x, last), sum.aval.shape, [])]);
}

export const layerNormOp: Composite<"layerNorm", LayerNormAttrs, "many"> = defineComposite({
  name: "layerNorm",
  version: 1,
  arity: 3,
  many: true,
  infer([x, gamma, beta], { epsilon }) {
    checkVectors("layerNorm", x!, [gamma!, beta!]);
    checkAttr("layerNorm.C5", epsilon >= 0, () => `epsilon must be a number from 0, got ${epsilon}`);
    const statistic = { dtype: x!.dtype, shape: x!.shape.slice(0, -1) };
    return [x!, statistic, statistic];
  },
  lower(b, [x, gamma, beta], { epsilon }) {
    const mean = meanLast(b, x!);
    const centred = b.sub([x!, overLast(b, mean, x!)]);
    const variance = meanLast(b, b.mul([centred, centred]));
    const rstd = b.rsqrt([b.add([variance, fillLike(b, variance, epsilon)])]);
    const normal = b.mul([centred, overLast(b, rstd, x!)]);
    return [b.add([b.mul([normal, overRows(b, gamma!, x!)]), overRows(b, beta!, x!)]), mean, rstd];
  },
  vjp(b, [g, gMean, gRstd], [x, gamma], [, mean, rstd]) {
    const [gx, gGamma, gBeta] = g ? b.layerNormGrad([g, x!, gamma!, mean!, rstd!]) : [];
    const count = stretch(b, countAlong(b, x!, [x!.aval.shape.length - 1]), x!.aval.shape, []);
    // ∂mean/∂x = 1/n, ∂rstd/∂x = −rstd³ · (x − mean) / n
    const fromMean = gMean && overLast(b, gMean, x!);
    const fromRstd =
      gRstd &&
      b.mul([
        overLast(b, b.neg([b.mul([gRstd, b.mul([rstd!, b.mul([rstd!, rstd!])])])]), x!),
        b.sub([x!, overLast(b, mean!, x!)]),
      ]);
    const ofStatistics = [fromMean, fromRstd].flatMap((part) => (part ? [b.div([part, count])] : []));
    const parts = [...(gx ? [gx] : []), ...ofStatistics];
    return [parts.length > 0 ? parts.reduce((sum, part) => b.add([sum, part])) : null, gGamma ?? null, gBeta ?? null];
  },
  batch: "lower",
});
/** Options of `layerNorm`. */
export interface LayerNormOptions {
  /** What is added to the variance; 0.001 by default, as in Keras. */
  readonly epsilon?: number;
}
/**
 * Normalisation along the last axis: (x − mean) / √(variance + epsilon) · gamma + beta.
 * @param x [..., n]; integers compute in float32
 * @param gamma [n], ones by default
 * @param beta [n], zeros by default
 * @throws E_SHAPE where gamma or beta is not as long as the last axis
 * @example tf.layerNorm([[1, 3]], [1, 1], [0, 0], { epsilon: 0 }) // [[-1, 1]]
 * @public
 */
export function layerNorm<const X extends Like>(
  x: X,
  gamma?: Like,
  beta?: Like,
  options?: LayerNormOptions,
): Out<ShapeOf<X>, FloatOf<DTypeOf<X>>> {
  const attrs = withDefaults("layerNorm", options, { epsilon: 1e-3 });
  const t = toFloat(x);
  const last = avalOf(t).shape.slice(-1);
  const vector = (given: Like | undefined, value: number): Tensor =>
    given === undefined ? stretchTo(toTensor(value, t.dtype), last) : castTo(toTensor(given, t.dtype), t.dtype);
  return typed(apply(layerNormOp, [t, vector(gamma, 1), vector(beta, 0)], attrs));
}
export const layerNormCases: Cases<LayerNormAttrs> = cases(layerNormOp, () => ({
  samples: shapes().map((x) => ({ ins: [x, x.slice(-1), x.slice(-1)], attrs: { epsilon: 0.01 } })),
  edges: [
    {
      ins: [
        [
          [1, 3],
          [5, 5],
        ],
        [1, 10],
        [0, 7],
      ],
      attrs: { epsilon: 0.25 },
      want: [
        [
          [-0.8944272, 15.944272],
          [0, 7],
        ],
        [2, 5],
        [0.8944272, 2],
      ],
    },
    { ins: [[[NaN, 1]], [1, 1], [0, 0]], attrs: { epsilon: 1 }, want: [[[NaN, NaN]], [NaN], [NaN]] },
  ],
  reject: [
    { ins: [[2], [2], [2]], dtypes: ["int32", "int32", "int32"], attrs: { epsilon: 0 }, code: "layerNorm.C1" },
    { ins: [[], [1], [1]], attrs: { epsilon: 0 }, code: "layerNorm.C2" },
    { ins: [[2], [2], [2]], dtypes: ["float32", "float64", "float32"], attrs: { epsilon: 0 }, code: "layerNorm.C3" },
    { ins: [[2, 3], [2], [3]], attrs: { epsilon: 0 }, code: "layerNorm.C4" },
    { ins: [[2, 3], [3], [3, 1]], attrs: { epsilon: 0 }, code: "layerNorm.C4" },
    { ins: [[2], [2], [2]], attrs: { epsilon: -1 }, code: "layerNorm.C5" },
  ],
}));

export const layerNormGradOp: Composite<"layerNormGrad", NoAttrs, "many"> = defineComposite({
  name: "layerNormGrad",
  version: 1,
  arity: 5,
  many: true,
  infer([g, x, gamma, mean, rstd]) {
    checkVectors("layerNormGrad", x!, [gamma!]);
    const fits = allTrue([
      sameShape(g!.shape, x!.shape),
      ...[mean!, rstd!].map((s) => sameShape(s.shape, x!.shape.slice(0, -1))),
    ]);
    check(
      "layerNormGrad.C5",
      fits,
      () => `${[g!, mean!, rstd!].map(formatAval).join(", ")} do not belong to ${formatAval(x!)}`,
    );
    return [x!, gamma!, gamma!];
  },
  lower(b, [g, x, gamma, mean, rstd]) {
    const normal = b.mul([b.sub([x!, overLast(b, mean!, x!)]), overLast(b, rstd!, x!)]);
    const rows = axesOf(x!.aval.shape.length - 1);
    const sumRows = (y: Val): Val => (rows.length === 0 ? y : b.reduceSum([y], { axes: rows }));
    const scaled = b.mul([g!, overRows(b, gamma!, x!)]);
    const shared = b.add([
      overLast(b, meanLast(b, scaled), x!),
      b.mul([normal, overLast(b, meanLast(b, b.mul([scaled, normal])), x!)]),
    ]);
    const gx = b.mul([overLast(b, rstd!, x!), b.sub([scaled, shared])]);
    return [gx, sumRows(b.mul([g!, normal])), sumRows(g!)];
  },
  vjp: "lower",
  batch: "lower",
});
export const layerNormGradCases: Cases<NoAttrs> = cases(layerNormGradOp, () => ({
  samples: shapes().map(
    (x): Sample<NoAttrs> => ({ ins: [x, x, x.slice(-1), x.slice(0, -1), x.slice(0, -1)], attrs: noAttrs }),
  ),
  edges: [
    {
      ins: [[[1, 0]], [[1, 3]], [2, 5], [2], [0.5]],
      attrs: noAttrs,
      // normal [−½, ½], scaled [2, 0], their mean 1, the mean of scaled · normal −½
      want: [[[0.375, -0.375]], [-0.5, 0], [1, 0]],
    },
  ],
  reject: [{ ins: [[2, 3], [2, 3], [3], [3], [2]], attrs: noAttrs, code: "layerNormGrad.C5" }],
}));

function shapes(): number[][] {
  return [[5], [1], [2, 3], [3, 17], [2, 2, 4], [0, 3], [1, 2, 1, 2, 1, 3]];
}
