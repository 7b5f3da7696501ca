// Functions over the common ops.
import { dispatch, sliceOp } from "@millrace/core/graph";
import * as tf from "millrace";
import type { Case } from "./cases.js";

const f = (
  name: string,
  specs: Readonly<Record<string, tf.NamedSpec>>,
  body: (inputs: Readonly<Record<string, tf.Tensor>>) => Readonly<Record<string, tf.Tensor>> | tf.Tensor,
  more: Partial<Case> = {},
): Case => ({ name, functions: () => [tf.nameFunction("serving_default", body, specs)], ...more });

const x34 = { x: { shape: ["batch", 3, 4] } } as const;
const pair = { a: { shape: ["batch", 3, 4] }, b: { shape: ["batch", 3, 4] } } as const;
const bools = { a: { shape: ["batch", 4], dtype: "bool" }, b: { shape: ["batch", 4], dtype: "bool" } } as const;

const made = new Map<string, tf.Tensor>();

/** Constant filters: made outside of the functions, whose traces would draw them anew. */
function filters(shape: readonly number[]): tf.Tensor {
  const key = shape.join();
  if (!made.has(key)) throw new Error(`the filters [${key}] are not made`);
  return made.get(key)!;
}
for (const shape of [
  [3, 4],
  [3, 2, 4],
  [3, 3, 3, 2],
  [3, 3, 3, 1],
]) {
  made.set(shape.join(), tf.randomUniform(shape, -1, 1, "float32", 3) as tf.Tensor);
}

type Unary = (x: tf.Tensor) => tf.Tensor;
const unary: Readonly<Record<string, readonly [op: Unary, range?: readonly [number, number]]>> = {
  abs: [tf.abs],
  ceil: [tf.ceil],
  cos: [tf.cos],
  exp: [tf.exp],
  expm1: [tf.expm1],
  floor: [tf.floor],
  isFinite: [tf.isFinite],
  log: [tf.log, [0.1, 4]],
  log1p: [tf.log1p, [0, 4]],
  logSumExp: [(x) => tf.logSumExp(x, -1)],
  neg: [tf.neg],
  norm: [(x) => tf.norm(x, 2, 1)],
  round: [tf.round],
  rsqrt: [tf.rsqrt, [0.1, 4]],
  sign: [tf.sign],
  sin: [tf.sin],
  sqrt: [tf.sqrt, [0.1, 4]],
  square: [tf.square],
  step: [tf.step],
  tan: [tf.tan, [-1, 1]],
  gelu_tanh: [(x) => tf.gelu(x, { approximate: true })],
  clip: [(x) => tf.clipByValue(x, -0.5, 0.7)],
  "relu -1 to 1": [(x) => tf.clipByValue(x, -1, 1)],
};

type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
const binary: Readonly<Record<string, readonly [op: Binary, range?: readonly [number, number]]>> = {
  add: [tf.add],
  atan2: [tf.atan2],
  div: [tf.div],
  divNoNan: [tf.divNoNan],
  floorDiv: [tf.floorDiv],
  maximum: [tf.maximum],
  minimum: [tf.minimum],
  mod: [tf.mod],
  mul: [tf.mul],
  pow: [tf.pow, [0.1, 2]],
  squaredDifference: [tf.squaredDifference],
  sub: [tf.sub],
  equal: [tf.equal],
  greater: [tf.greater],
  greaterEqual: [tf.greaterEqual],
  less: [tf.less],
  lessEqual: [tf.lessEqual],
  notEqual: [tf.notEqual],
};

export const opCases: readonly Case[] = [
  ...Object.entries(unary).map(([name, [op, range]]) =>
    f(`op ${name}`, x34, ({ x }) => op(x!), range ? { range } : {}),
  ),
  ...Object.entries(binary).map(([name, [op, range]]) =>
    f(`op ${name}`, pair, ({ a, b }) => op(a!, b!), range ? { range } : {}),
  ),
  ...Object.entries(binary).map(([name, [op, range]]) =>
    f(`op ${name} broadcast`, { a: { shape: ["batch", 1, 4] }, b: { shape: [3, 1] } }, ({ a, b }) => op(a!, b!), {
      ...(range ? { range } : {}),
    }),
  ),
  f("op logicalAnd", bools, ({ a, b }) => tf.logicalAnd(a!, b!)),
  f("op logicalOr", bools, ({ a, b }) => tf.logicalOr(a!, b!)),
  f("op logicalXor", bools, ({ a, b }) => tf.logicalXor(a!, b!)),
  f("op logicalNot", bools, ({ a, b }) => ({ y: tf.logicalNot(a!), z: tf.logicalAnd(a!, b!) })),
  f("op where", pair, ({ a, b }) => tf.where(tf.greater(a!, 0), a!, b!)),
  f("op where of a scalar", x34, ({ x }) => tf.where(tf.greater(x!, 0), x!, 0.5)),
  f("op cast", x34, ({ x }) => ({ i: tf.cast(x!, "int32"), b: tf.cast(x!, "bool") }), { range: [-9, 9] }),
  f("op sum", x34, ({ x }) => ({ all: tf.sum(x!), one: tf.sum(x!, 1), kept: tf.sum(x!, [1, 2], true) })),
  f("op mean", x34, ({ x }) => ({ one: tf.mean(x!, 1), kept: tf.mean(x!, -1, true) })),
  f("op extrema", x34, ({ x }) => ({ max: tf.max(x!, 1), min: tf.min(x!, -1, true), product: tf.prod(x!, 1) })),
  f("op all and any", bools, ({ a, b }) => ({ all: tf.all(a!, -1), any: tf.any(b!, -1) })),
  f("op argMax", x34, ({ x }) => ({ max: tf.argMax(x!, -1), min: tf.argMin(x!, 1) })),
  f("op cumsum", x34, ({ x }) => tf.cumsum(x!, 1, true, true)),
  f("op transpose", x34, ({ x }) => tf.transpose(x!, [0, 2, 1])),
  f("op transpose of the batch", x34, ({ x }) => tf.transpose(x!, [2, 1, 0])),
  f("op reverse", x34, ({ x }) => tf.reverse(x!, [1, 2])),
  f("op pad", x34, ({ x }) =>
    tf.pad(x!, [
      [0, 0],
      [1, 2],
      [0, 1],
    ]),
  ),
  f("op pad with a value", x34, ({ x }) =>
    tf.pad(
      x!,
      [
        [0, 0],
        [1, 2],
        [0, 1],
      ],
      7,
    ),
  ),
  f("op slice", x34, ({ x }) => tf.slice(x!, [0, 1, 1], [-1, 2, 2])),
  f("op stridedSlice", x34, ({ x }) => {
    const [batch] = x!.shape as unknown as [number]; // boundary: a size of a trace is symbolic
    const attrs = { start: [0, 0, 1], limit: [batch, 3, 3], strides: [1, 2, 2] };
    return dispatch.current.apply(sliceOp, [x!], attrs)[0]!;
  }),
  f("op split and concat", x34, ({ x }) => {
    const [a, b] = tf.split(x!, 2, 2);
    return tf.concat([b!, a!] as never, 2);
  }),
  f("op stack", pair, ({ a, b }) => tf.stack([a!, b!], 1)),
  f("op unstack", x34, ({ x }) => tf.unstack(x!, 1)[1]!),
  f("op tile", x34, ({ x }) => tf.tile(x!, [1, 2, 1])),
  f("op broadcastTo", { x: { shape: ["batch", 1, 4] } }, ({ x }) => tf.exp(tf.broadcastTo(x!, [x!.shape[0]!, 3, 4]))),
  f(
    "op reshape of two open sizes",
    { x: { shape: ["batch", "time", 4] } },
    ({ x }) => {
      const [batch, time] = x!.shape;
      return tf.reshape(x!, [batch!, time!, 2, 2]);
    },
    { sizes: { time: 3 } },
  ),
  f(
    "op gather",
    { x: { shape: ["batch", 5], dtype: "int32" } },
    ({ x }) =>
      tf.gather(
        tf.tensor([
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
        x!,
      ),
    {
      range: [0, 2],
    },
  ),
  f("op gather of an axis", x34, ({ x }) => tf.gather(x!, tf.tensor([2, 0, 1, 1], undefined, "int32"), 2)),
  f("op oneHot", { x: { shape: ["batch"], dtype: "int32" } }, ({ x }) => tf.oneHot(x!, 4), { range: [0, 3] }),
  f("op matMul of two inputs", { a: { shape: ["batch", 3, 4] }, b: { shape: ["batch", 4, 5] } }, ({ a, b }) =>
    tf.matMul(a!, b!),
  ),
  f("op matMul transposed", { a: { shape: ["batch", 4, 3] }, b: { shape: ["batch", 5, 4] } }, ({ a, b }) =>
    tf.matMul(a!, b!, true, true),
  ),
  f("op matMul with a matrix on the left", { x: { shape: [4, 3] }, b: { shape: ["batch", 3, 2] } }, ({ x, b }) =>
    tf.matMul(x!, b!),
  ),
  f("op attention", { q: { shape: ["batch", 2, 3, 4] }, k: { shape: ["batch", 2, 3, 4] } }, ({ q, k }) =>
    tf.scaledDotProductAttention(q!, k!, q!),
  ),
  f("op causal attention", { q: { shape: ["batch", 2, 3, 4] }, k: { shape: ["batch", 2, 3, 4] } }, ({ q, k }) =>
    tf.scaledDotProductAttention(q!, k!, q!, { causal: true }),
  ),
  f(
    "op causal attention of an open length",
    { q: { shape: ["batch", 2, "time", 4] } },
    ({ q }) => tf.scaledDotProductAttention(q!, q!, q!, { causal: true }),
    { sizes: { time: 5 } },
  ),
  f("op dot of vectors", { a: { shape: ["n"] }, b: { shape: ["n"] } }, ({ a, b }) => tf.dot(a!, b!), {
    sizes: { n: 5 },
  }),
  f("op dot of a vector", { a: { shape: [4] }, b: { shape: [4, "n"] } }, ({ a, b }) => tf.dot(a!, b!), {
    sizes: { n: 5 },
  }),
  f("op outerProduct", { a: { shape: ["batch"] }, b: { shape: [3] } }, ({ a, b }) => tf.outerProduct(a!, b!)),
  f("op matMul that broadcasts", { a: { shape: ["batch", 1, 3, 4] }, b: { shape: [2, 4, 5] } }, ({ a, b }) =>
    tf.matMul(a!, b!),
  ),
  f("op matMul with a constant transposed", x34, ({ x }) => tf.matMul(x!, filters([3, 4]), false, true)),
  f("op products of products", x34, ({ x }) => tf.matMul(x!, tf.matMul(x!, x!, true, false) as tf.Tensor)),
  f("op a constant on the left", x34, ({ x }) => ({ a: tf.sub(1, x!), b: tf.div(2, tf.add(tf.abs(x!), 1)) })),
  f("op concat with a constant", { x: { shape: ["batch", 3] } }, ({ x }) =>
    tf.concat([x!, tf.broadcastTo(tf.tensor([[7, 8]]), [x!.shape[0]!, 2]) as tf.Tensor] as never, 1),
  ),
  f("op mean over an open size", { x: { shape: ["batch", "time", 4] } }, ({ x }) => tf.mean(x!, 1), {
    sizes: { time: 3 },
  }),
  f("op moments", x34, ({ x }) => {
    const { mean, variance } = tf.moments(x!, [1]) as { mean: tf.Tensor; variance: tf.Tensor };
    return { mean, variance };
  }),
  f("op layerNorm", x34, ({ x }) => tf.layerNorm(x!)),
  f("op conv1d", { x: { shape: ["batch", 9, 2] } }, ({ x }) => tf.relu(tf.conv1d(x!, filters([3, 2, 4]), 2, "same"))),
  f("op depthwiseConv2d", { x: { shape: ["batch", 6, 7, 3] } }, ({ x }) =>
    tf.relu6(tf.depthwiseConv2d(x!, filters([3, 3, 3, 2]), 1, "same")),
  ),
  f("op depthwiseConv2d with strides", { x: { shape: ["batch", 6, 7, 3] } }, ({ x }) =>
    tf.depthwiseConv2d(x!, filters([3, 3, 3, 1]), 2, "valid"),
  ),
  f("op conv2d padded by a number", { x: { shape: ["batch", 6, 7, 3] } }, ({ x }) =>
    tf.conv2d(x!, filters([3, 3, 3, 2]), 2, 2),
  ),
  ...(["same", "valid"] as const).map((pad) =>
    f(`op conv2dTranspose ${pad}`, { x: { shape: ["batch", 3, 4, 2] } }, ({ x }) => {
      const size = pad === "same" ? [x!.shape[0]!, 6, 8, 3] : [x!.shape[0]!, 7, 9, 3];
      return tf.relu(tf.add(tf.conv2dTranspose(x!, filters([3, 3, 3, 2]), size as never, 2, pad) as tf.Tensor, 0.5));
    }),
  ),
  f("op maxPool padded by a number", { x: { shape: ["batch", 6, 7, 3] } }, ({ x }) => tf.maxPool(x!, 3, 2, 1)),
  f("op avgPool padded by a number", { x: { shape: ["batch", 6, 7, 3] } }, ({ x }) => tf.avgPool(x!, 3, 2, 1)),
  f(
    "op integers",
    { a: { shape: ["batch", 4], dtype: "int32" }, b: { shape: [4], dtype: "int32" } },
    ({ a, b }) => ({
      sum: tf.add(a!, b!),
      product: tf.mul(a!, b!),
      greater: tf.greater(a!, b!),
      total: tf.sum(a!, -1),
    }),
    { range: [-9, 9] },
  ),
  f("op scaling of inputs", { x: { shape: ["batch", 4] } }, ({ x }) => tf.sub(tf.div(x!, 127.5), 1), {
    range: [0, 255],
  }),
  f("an input as an output", { x: { shape: ["batch", 4] } }, ({ x }) => ({ x: x!, y: tf.mul(x!, 2) })),
  f("a constant as an output", { x: { shape: ["batch", 4] } }, ({ x }) => ({
    c: tf.add(tf.tensor([1, 2]), 1),
    y: tf.mul(x!, 2),
  })),
  f("one value as two outputs", { x: { shape: ["batch", 4] } }, ({ x }) => {
    const y = tf.mul(x!, 2);
    return { y, z: y };
  }),
];
