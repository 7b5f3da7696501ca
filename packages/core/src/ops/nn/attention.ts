import { avalOf, typed } from "../../ir/apply.js";
import { type Aval, formatAval, formatShape, sameShape, type Val } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { allTrue, type Dim, eqDim, mulDim } from "../../ir/dim.js";
import { type Composite, check, checkAttr, checkDType, defineComposite } from "../../ir/op.js";
import type { DType, FloatOf } from "../../types/dtype.js";
import { promote } from "../../types/dtype.js";
import type { DTypeOf, Like, Out } from "../../types/operands.js";
import { withDefaults } from "../../types/options.js";
import type { Shape } from "../../types/shape.js";
import { floats } from "../elementwise.js";
import { withBatch } from "../index/rows.js";
import type { Ops } from "../names.js";
import { apply, castTo, toFloat } from "../public.js";
import { scalarOf, scale, stretch, unreduce } from "../rules.js";

/** Scores are `scale` · q·k; a causal query sees the keys up to its own place. */
export type AttentionAttrs = { readonly scale: number; readonly causal: boolean };

/** q [b, h, m, d], k [b, h, n, d], v [b, h, n, e] → the shapes of the result [b, h, m, e] and of a statistic a query. */
function inferAttention(name: string, [q, k, v]: readonly Aval[], { scale }: AttentionAttrs): readonly [Aval, Aval] {
  const { dtype } = q!;
  checkDType(`${name}.C1`, floats.has(dtype), () => `needs ${floats.words}, got ${dtype}`);
  checkDType(
    `${name}.C2`,
    k!.dtype === dtype && v!.dtype === dtype,
    () => `needs one dtype, got ${dtype}, ${k!.dtype} and ${v!.dtype}`,
  );
  const all = (): string => [q!, k!, v!].map(formatAval).join(", ");
  check(
    `${name}.C3`,
    [q!, k!, v!].every(({ shape }) => shape.length === 4),
    () => `needs [batch, heads, length, size] three times, got ${all()}`,
  );
  const [s, t, u] = [q!.shape, k!.shape, v!.shape];
  const fit = allTrue([
    sameShape(s.slice(0, 2), t.slice(0, 2)),
    eqDim(s[3]!, t[3]!),
    sameShape(t.slice(0, 3), u.slice(0, 3)),
  ]);
  check(`${name}.C4`, fit, () => `queries, keys and values do not fit: ${all()}`);
  checkAttr(`${name}.C5`, Number.isFinite(scale), () => `scale must be a finite number, got ${scale}`);
  return [
    { dtype, shape: [...s.slice(0, 3), u[3]!] },
    { dtype, shape: s.slice(0, 3) },
  ];
}

/** Products over stacks of matrices [b, h, …], contracting one axis of each. */
function product(b: Ops, x: Val, y: Val, xAxis: number, yAxis: number): Val {
  return b.dotGeneral([x, y], { lhsBatch: [0, 1], rhsBatch: [0, 1], lhsContract: [xAxis], rhsContract: [yAxis] });
}

/** [b, h, m, n]: how well each query fits each key, −∞ where it must not look. */
function scores(b: Ops, q: Val, k: Val, attrs: AttentionAttrs): Val {
  const all = scale(b, product(b, q, k, 3, 3), attrs.scale);
  if (!attrs.causal) return all;
  const { dtype, shape } = all.aval;
  const place = (axis: number): Val => b.iota([], { shape, axis, dtype: "int32" });
  return b.select([b.ge([place(2), place(3)]), all, stretch(b, scalarOf(b, dtype, -Infinity), shape, [])]);
}

const overKeys = (b: Ops, statistic: Val, like: Val): Val => unreduce(b, statistic, [3], like.aval.shape);

/** The probabilities that the log-sum-exp of the scores was kept of. */
function weights(b: Ops, q: Val, k: Val, logSumExp: Val, attrs: AttentionAttrs): Val {
  const s = scores(b, q, k, attrs);
  return b.exp([b.sub([s, overKeys(b, logSumExp, s)])]);
}

/** What a cotangent of the scores is to the queries and the keys. */
function fromScores(b: Ops, gs: Val, q: Val, k: Val, attrs: AttentionAttrs): [gq: Val, gk: Val] {
  const scaled = scale(b, gs, attrs.scale);
  return [product(b, scaled, k, 3, 2), product(b, scaled, q, 2, 2)];
}

/** Several batches as one longer batch, and back. */
function mergeBatches(
  b: Ops,
  ins: readonly Val[],
  batched: readonly boolean[],
  outs: readonly Aval[],
  op: (ins: readonly Val[]) => readonly Val[],
): readonly Val[] {
  const size = outs[0]!.shape[0]!;
  const merged = ins.map((x, i) => {
    const all = withBatch(b, x, batched[i], size);
    const [first, second, ...rest] = all.aval.shape as [Dim, Dim, ...Dim[]];
    return b.reshape([all], { shape: [mulDim(first, second), ...rest] });
  });
  return op(merged).map((y, i) => b.reshape([y], { shape: outs[i]!.shape }));
}

export const attentionOp: Composite<"attention", AttentionAttrs, "many"> = defineComposite({
  name: "attention",
  version: 1,
  arity: 3,
  many: true,
  infer: (ins, attrs) => inferAttention("attention", ins, attrs),
  lower(b, [q, k, v], attrs) {
    const s = scores(b, q!, k!, attrs);
    const most = b.reduceMax([s], { axes: [3] });
    const e = b.exp([b.sub([s, overKeys(b, most, s)])]);
    const sum = b.reduceSum([e], { axes: [3] });
    return [product(b, b.div([e, overKeys(b, sum, e)]), v!, 3, 2), b.add([most, b.log([sum])])];
  },
  vjp(b, [g, gLogSumExp], [q, k, v], [out, logSumExp], attrs) {
    const [gq, gk, gv] = g ? b.attentionGrad([g, q!, k!, v!, out!, logSumExp!], attrs) : [];
    if (!gLogSumExp) return [gq ?? null, gk ?? null, gv ?? null];
    // The derivative of the log-sum-exp in the scores is the weights.
    const p = weights(b, q!, k!, logSumExp!, attrs);
    const [hq, hk] = fromScores(b, b.mul([p, overKeys(b, gLogSumExp, p)]), q!, k!, attrs);
    return [gq ? b.add([gq, hq]) : hq, gk ? b.add([gk, hk]) : hk, gv ?? null];
  },
  batch: (b, ins, batched, attrs, outs) => mergeBatches(b, ins, batched, outs, (all) => b.attention(all, attrs)),
});

export const attentionGradOp: Composite<"attentionGrad", AttentionAttrs, "many"> = defineComposite({
  name: "attentionGrad",
  version: 1,
  arity: 6,
  many: true,
  infer([g, q, k, v, out, logSumExp], attrs) {
    const [result, statistic] = inferAttention("attentionGrad", [q!, k!, v!], attrs);
    const fits = allTrue([
      sameShape(g!.shape, result.shape),
      sameShape(out!.shape, result.shape),
      sameShape(logSumExp!.shape, statistic.shape),
    ]);
    check(
      "attentionGrad.C6",
      fits,
      () =>
        `${[g!, out!, logSumExp!].map(formatAval).join(", ")} do not belong to a result of ${formatShape(result.shape)}`,
    );
    return [q!, k!, v!];
  },
  lower(b, [g, q, k, v, out, logSumExp], attrs) {
    const p = weights(b, q!, k!, logSumExp!, attrs);
    const gp = product(b, g!, v!, 3, 3);
    const delta = b.reduceSum([b.mul([g!, out!])], { axes: [3] });
    const [gq, gk] = fromScores(b, b.mul([p, b.sub([gp, overKeys(b, delta, gp)])]), q!, k!, attrs);
    return [gq, gk, product(b, p, g!, 2, 2)];
  },
  vjp: "lower",
  batch: (b, ins, batched, attrs, outs) => mergeBatches(b, ins, batched, outs, (all) => b.attentionGrad(all, attrs)),
});

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /** The factor of the products; 1/√size by default. */
  readonly scale?: number;
  /** Whether query i sees the keys 0 … i only; false by default. */
  readonly causal?: boolean;
}
/**
 * Attention: softmax(scale · q · kᵀ) · v for each head, in one pass that never holds the weights where a backend claims it.
 * @param q queries [batch, heads, m, size]; `k` keys [batch, heads, n, size]; `v` values [batch, heads, n, any]
 * @throws E_SHAPE where the operands do not fit
 * @example tf.scaledDotProductAttention([[[[0]]]], [[[[1], [2]]]], [[[[4], [6]]]]) // [[[[5]]]]
 * @public
 */
export function scaledDotProductAttention<const Q extends Like>(
  q: Q,
  k: Like,
  v: Like,
  options?: AttentionOptions,
): Out<Shape, FloatOf<DTypeOf<Q>>> {
  const name = "scaledDotProductAttention";
  const given = withDefaults(name, options, { scale: undefined, causal: false });
  const list = [toFloat(q), toFloat(k), toFloat(v)];
  const dtype = list.map((t): DType => t.dtype).reduce((x, y) => promote(x, y));
  const size = avalOf(list[0]!).shape[3];
  const known = given.scale !== undefined || typeof size === "number";
  checkAttr(
    `${name}.C1`,
    known,
    () => `needs queries [batch, heads, length, size] of a known size, or a scale; got ${formatAval(avalOf(list[0]!))}`,
  );
  const attrs = { scale: given.scale ?? 1 / Math.sqrt(Number(size)), causal: given.causal };
  return typed(
    apply(
      attentionOp,
      list.map((t) => castTo(t, dtype)),
      attrs,
    ),
  );
}

/* @__NO_SIDE_EFFECTS__ */
const shapesOf = (b: number, h: number, m: number, n: number, d: number, e: number): number[][] => [
  [b, h, m, d],
  [b, h, n, d],
  [b, h, n, e],
];
const kinds = [
  { dims: shapesOf(1, 1, 2, 3, 2, 2), attrs: { scale: 0.7, causal: false } },
  { dims: shapesOf(1, 2, 3, 3, 2, 1), attrs: { scale: 1, causal: true } },
  { dims: shapesOf(2, 1, 2, 4, 3, 2), attrs: { scale: 0.5, causal: true } },
  { dims: shapesOf(1, 1, 4, 2, 1, 2), attrs: { scale: -1, causal: true } },
  { dims: shapesOf(1, 1, 17, 15, 4, 3), attrs: { scale: 0.5, causal: false } },
  { dims: shapesOf(1, 2, 0, 3, 2, 2), attrs: { scale: 1, causal: false } },
];
const plain: AttentionAttrs = { scale: 1, causal: false };
export const attentionCases: Cases<AttentionAttrs> = cases(attentionOp, () => ({
  samples: kinds.map(({ dims, attrs }) => ({ ins: dims, attrs })),
  edges: [
    { ins: [[[[[0]]]], [[[[1], [2]]]], [[[[4], [6]]]]], attrs: plain, want: [[[[[5]]]], [[[Math.LN2]]]] },
    // Large scores do not overflow, and the first causal query sees the first key alone.
    {
      ins: [[[[[1000], [1]]]], [[[[1], [2]]]], [[[[4], [6]]]]],
      attrs: { scale: 1, causal: true },
      want: [[[[[4], [5.462117]]]], [[[1000, 2.3132617]]]],
    },
    { ins: [[[[[NaN]]]], [[[[1]]]], [[[[4]]]]], attrs: plain, want: [[[[[NaN]]]], [[[NaN]]]] },
  ],
  reject: [
    { ins: shapesOf(1, 1, 1, 1, 1, 1), dtypes: ["int32", "int32", "int32"], attrs: plain, code: "attention.C1" },
    { ins: shapesOf(1, 1, 1, 1, 1, 1), dtypes: ["float32", "float64", "float32"], attrs: plain, code: "attention.C2" },
    {
      ins: [
        [1, 2, 3],
        [1, 2, 3],
        [1, 2, 3],
      ],
      attrs: plain,
      code: "attention.C3",
    },
    {
      ins: [
        [1, 1, 2, 3],
        [1, 1, 2, 4],
        [1, 1, 2, 3],
      ],
      attrs: plain,
      code: "attention.C4",
    },
    {
      ins: [
        [1, 1, 2, 3],
        [1, 1, 2, 3],
        [1, 1, 4, 3],
      ],
      attrs: plain,
      code: "attention.C4",
    },
    { ins: shapesOf(1, 1, 1, 1, 1, 1), attrs: { scale: NaN, causal: false }, code: "attention.C5" },
  ],
}));
export const attentionGradCases: Cases<AttentionAttrs> = cases(attentionGradOp, () => ({
  samples: kinds.map(({ dims: [q, k, v], attrs }) => ({
    ins: [[...q!.slice(0, 3), v![3]!], q!, k!, v!, [...q!.slice(0, 3), v![3]!], q!.slice(0, 3)],
    attrs,
  })),
  edges: [
    // Weights ½ and ½; g · v is [4, 6], less g · out = 5: the scores get [−½, ½].
    {
      ins: [[[[[1]]]], [[[[0]]]], [[[[1], [2]]]], [[[[4], [6]]]], [[[[5]]]], [[[Math.LN2]]]],
      attrs: plain,
      want: [[[[[0.5]]]], [[[[0], [0]]]], [[[[0.5], [0.5]]]]],
    },
  ],
  reject: [
    {
      ins: [
        [1, 1, 2, 1],
        [1, 1, 2, 1],
        [1, 1, 2, 1],
        [1, 1, 2, 1],
        [1, 1, 2, 1],
        [1, 1, 3],
      ],
      attrs: plain,
      code: "attentionGrad.C6",
    },
  ],
}));
