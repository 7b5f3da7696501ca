// What TFLite has operators for, and how to say in those what core says otherwise.
import type { DType } from "@millrace/core";
import {
  axesOf,
  broadcastLike,
  type CompositeName,
  fillLike,
  type LowerRule,
  type OpName,
  type Ops,
  scalarOf,
  scale,
  shift,
  stretch,
  unreduce,
  type Val,
} from "@millrace/core/graph";
import type { WindowAttrs } from "./attrs.js";

/** Composites of core for which there is an operator. */
const claims: readonly CompositeName[] = [
  "convInputGrad",
  "elu",
  "floorDiv",
  "floorMod",
  "gelu",
  "leakyRelu",
  "logSoftmax",
  "mean",
  "prelu",
  "relu",
  "relu6",
  "softmax",
];
const claimed: ReadonlySet<string> = new Set(claims);

/** Whether an op stays whole; on integers activations are what they are made of. */
export function isClaimed(name: string, dtype: DType): boolean {
  return claimed.has(name) && (dtype === "float32" || name === "floorDiv" || name === "floorMod");
}

/** Σ over some axes, which stay with size 1 stretched over `x`. */
const overAxes = (b: Ops, op: "mean" | "reduceMax", x: Val, axes: readonly number[]): Val =>
  unreduce(b, b[op]([x], { axes }), axes, x.aval.shape);

// boundary: each decomposition takes the attributes of its own op
const table: Readonly<Partial<Record<OpName, LowerRule<any>>>> = {
  /** Its mean is an operator, unlike the sum and the division of core's decomposition. */
  layerNorm(b: Ops, [x, gamma, beta]: readonly Val[], { epsilon }: { readonly epsilon: number }): readonly Val[] {
    const { shape } = x!.aval;
    const last = [shape.length - 1];
    const mean = b.mean([x!], { axes: last });
    const centred = b.sub([x!, unreduce(b, mean, last, shape)]);
    const variance = b.mean([b.mul([centred, centred])], { axes: last });
    // The axis is put back before the root, so that the mean itself keeps it.
    const kept = b.reshape([variance], { shape: [...shape.slice(0, -1), 1] });
    const rstd = b.rsqrt([shift(b, kept, epsilon)]);
    const normal = b.mul([centred, stretch(b, rstd, shape, axesOf(shape.length))]);
    const scaled = b.mul([normal, broadcastLike(b, gamma!, x!)]);
    const y = b.add([scaled, broadcastLike(b, beta!, x!)]);
    return [y, mean, b.reshape([rstd], { shape: shape.slice(0, -1) })];
  },
  /** Through softmax, which is an operator. The second result is rarely used; nothing is made of it then. */
  attention(
    b: Ops,
    [q, k, v]: readonly Val[],
    attrs: { readonly scale: number; readonly causal: boolean },
  ): readonly Val[] {
    const product = (x: Val, y: Val, xAxis: number, yAxis: number): Val =>
      b.dotGeneral([x, y], { lhsBatch: [0, 1], rhsBatch: [0, 1], lhsContract: [xAxis], rhsContract: [yAxis] });
    const all = scale(b, product(q!, k!, 3, 3), attrs.scale);
    const { dtype, shape } = all.aval;
    const place = (axis: number): Val => b.iota([], { shape: shape.slice(2), axis, dtype: "int32" });
    const seen = (): Val => broadcastLike(b, b.ge([place(0), place(1)]), all);
    const hidden = (): Val => stretch(b, scalarOf(b, dtype, -Infinity), shape, []);
    const scores = attrs.causal ? b.select([seen(), all, hidden()]) : all;
    const most = overAxes(b, "reduceMax", scores, [3]);
    const sum = b.reduceSum([b.exp([b.sub([scores, most])])], { axes: [3] });
    const logSumExp = b.add([b.reduceMax([scores], { axes: [3] }), b.log([sum])]);
    return [product(b.softmax([scores], { axis: 3 }), v!, 3, 2), logSumExp];
  },
  expm1: (b: Ops, [x]: readonly Val[]): readonly Val[] => [shift(b, b.exp([x!]), -1)],
  log1p: (b: Ops, [x]: readonly Val[]): readonly Val[] => [b.log([shift(b, x!, 1)])],
  /** Without the bound that keeps -∞ · 0 from being NaN, as TensorFlow has it. */
  silu: (b: Ops, [x]: readonly Val[]): readonly Val[] => [b.mul([x!, b.logistic([x!])])],
  tan: (b: Ops, [x]: readonly Val[]): readonly Val[] => [b.div([b.sin([x!]), b.cos([x!])])],
  /** NaN is not below infinity. */
  isFinite: (b: Ops, [x]: readonly Val[]): readonly Val[] => [b.lt([b.abs([x!]), fillLike(b, x!, Infinity)])],
  reduceWindowMin: (b: Ops, [x]: readonly Val[], attrs: WindowAttrs): readonly Val[] => [
    b.neg([b.reduceWindowMax([b.neg([x!])], attrs)]),
  ],
  /** The remainder of sizes, with the sign of x. */
  rem: (b: Ops, [x, y]: readonly Val[]): readonly Val[] => [
    b.mul([b.sign([x!]), b.floorMod([b.abs([x!]), b.abs([y!])])]),
  ],
};

// boundary: as above
export const decompositions: Readonly<Record<string, LowerRule<any> | undefined>> = table;
