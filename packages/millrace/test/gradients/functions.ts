// The functions of make.py, in its order and by its names.
import * as tf from "../../src/index.js";

type T = tf.Tensor;
type F = (...xs: T[]) => T;

const ints = (shape: number[], ...values: number[]): T => tf.tensor(Int32Array.from(values), shape);
const labels = ints([4], 1, 0, 3, 2);

function heads(x: T, count: number): T {
  const [b, t, d] = x.shape as [number, number, number];
  return tf.transpose(tf.reshape(x, [b, t, count, d / count]), [0, 2, 1, 3]);
}

const normalised = (x: T, axes: number[], gamma: T, beta: T, epsilon: number): T => {
  const { mean, variance } = tf.moments(x, axes, true);
  return tf.batchNorm(x, mean, variance, beta, gamma, epsilon);
};

const step = (h: T, x: T, w: T, u: T): T => tf.tanh(tf.add(tf.matMul(x, w), tf.matMul(h, u)));
const stateOf = (x: T, u: T): T => tf.zeros([x.shape[1]!, u.shape[0]!], x.dtype as "float32") as T;

/** The last state of a recurrence over the rows of x. */
function recurrence(x: T, w: T, u: T, options: { maximumIterations?: number } = {}): T {
  const rows = x.shape[0]!;
  const [, last] = tf.whileLoop(
    (i) => tf.less(i, rows),
    (i, h) => [tf.add(i, 1), step(h!, tf.gather(x, i) as T, w, u)],
    [tf.scalar(0, "int32"), stateOf(x, u)],
    options,
  );
  return last!;
}

function gru(x: T, h: T, w: T, u: T): T {
  const [z, r, n] = tf.split(tf.matMul(x, w) as T, 3, 1) as T[];
  const [uz, ur, un] = tf.split(tf.matMul(h, u) as T, 3, 1) as T[];
  const [update, reset] = [tf.sigmoid(tf.add(z!, uz!)), tf.sigmoid(tf.add(r!, ur!))];
  return tf.add(tf.mul(tf.sub(1, update), tf.tanh(tf.add(n!, tf.mul(reset, un!)))), tf.mul(update, h));
}

function residual(x: T, w1: T, w2: T, gamma: T, beta: T): T {
  const y = tf.conv2d(x, w1, 1, "same") as T;
  const z = tf.relu(normalised(y, [0, 1, 2], gamma, beta, 1e-3));
  return tf.relu(tf.add(x, tf.conv2d(z, w2, 1, "same")));
}

function squeezeExcite(x: T, w1: T, w2: T): T {
  const s = tf.matMul(tf.silu(tf.matMul(tf.mean(x, [1, 2]) as T, w1)), w2) as T;
  return tf.mul(x, tf.expandDims(tf.expandDims(tf.sigmoid(s) as T, 1) as T, 1));
}

function entropy(logits: T): T {
  return tf.neg(tf.sum(tf.mul(tf.cast(tf.oneHot(labels, 5), logits.dtype), tf.logSoftmax(logits)), 1));
}

const unit = (x: T): T => tf.mul(x, tf.rsqrt(tf.sum(tf.square(x), 1, true)));

const convolutions = (["same", "valid", 1] as const).flatMap((pad): [string, F][] => [
  ...[1, 2, 3].map((stride): [string, F] => [
    `conv2d, ${pad}, stride ${stride}`,
    (x, w) => tf.conv2d(x!, w!, stride, pad),
  ]),
  [`conv2d, ${pad}, dilation 2`, (x, w) => tf.conv2d(x!, w!, 1, pad, "NHWC", 2)],
]);

const windows = (["same", "valid"] as const).flatMap((pad): [string, F][] => [
  ...[1, 2].flatMap((stride): [string, F][] => [
    [`depthwiseConv2d, ${pad}, stride ${stride}`, (x, w) => tf.depthwiseConv2d(x!, w!, stride, pad)],
    [`conv1d, ${pad}, stride ${stride}`, (x, w) => tf.conv1d(x!, w!, stride, pad)],
  ]),
  [
    `conv2dTranspose, ${pad}, stride 2`,
    (x, w) => tf.conv2dTranspose(x!, w!, pad === "same" ? [1, 6, 6, 3] : [1, 7, 7, 3], 2, pad),
  ],
  ...[1, 2, 3].flatMap((stride): [string, F][] => [
    [`maxPool, ${pad}, stride ${stride}`, (x) => tf.maxPool(x!, 3, stride, pad)],
    [`avgPool, ${pad}, stride ${stride}`, (x) => tf.avgPool(tf.sin(x!), 3, stride, pad)],
  ]),
]);

export const functions: Readonly<Record<string, F>> = {
  "matMul of transposes": (a, b) => tf.matMul(a!, b!, true, true),
  "matMul with broadcast batches": (a, b) => tf.matMul(a!, b!),
  einsum: (a, b) => tf.transpose(tf.matMul(a!, b!), [0, 2, 1]),
  "outer product": (a, b) => tf.outerProduct(tf.tanh(a!), b!),
  "two dense layers": (x, w, b, v) => tf.matMul(tf.gelu(tf.add(tf.matMul(x!, w!), b!)), v!),
  "gelu, approximately": (x) => tf.gelu(tf.mul(x!, 3), { approximate: true }),
  "softmax cross entropy": (x) => entropy(tf.mul(x!, 3)),
  "sigmoid cross entropy": (x, y) => {
    const logits = tf.mul(x!, 4);
    return tf.sub(tf.softplus(logits), tf.mul(logits, tf.sigmoid(y!)));
  },
  "Kullback-Leibler divergence": (p, q) =>
    tf.sum(tf.mul(tf.softmax(p!), tf.sub(tf.logSoftmax(p!), tf.logSoftmax(q!))), 1),
  "Huber loss": (x, y) => {
    const size = tf.abs(tf.sub(x!, y!));
    return tf.where(tf.less(size, 0.5), tf.mul(0.5, tf.square(tf.sub(x!, y!))), tf.sub(tf.mul(0.5, size), 0.125));
  },
  "cosine similarity": (x, y) => tf.sum(tf.mul(unit(x!), unit(y!)), 1),
  layerNorm: (x, g, b) => tf.layerNorm(x!, g!, b!, { epsilon: 1e-3 }),
  "batchNorm in training": (x, g, b) => normalised(x!, [0, 1, 2], g!, b!, 1e-3),
  "batchNorm in inference": (x, m, v, b, g) => tf.batchNorm(x!, m!, tf.add(tf.square(v!), 0.5), b!, g!, 1e-3),
  "root mean square norm": (x, g) => tf.mul(tf.mul(x!, tf.rsqrt(tf.add(tf.mean(tf.square(x!), -1, true), 1e-6))), g!),
  attention: (q, k, v) => tf.scaledDotProductAttention(q!, k!, v!),
  "causal attention": (q, k, v) => tf.scaledDotProductAttention(q!, k!, v!, { causal: true }),
  "attention of several heads": (x, wq, wk, wv, wo) => {
    const [q, k, v] = [wq, wk, wv].map((w) => heads(tf.matMul(x!, w!) as T, 2));
    const y = tf.transpose(tf.scaledDotProductAttention(q!, k!, v!), [0, 2, 1, 3]);
    return tf.matMul(tf.reshape(y, x!.shape), wo!);
  },
  lstm: (x, kernel, recurrent, bias) => tf.lstm(x!, kernel!, recurrent!, { bias: bias! }).state[0],
  "gated recurrent unit": (x, h, w, u) => gru(x!, h!, w!, u!),
  "recurrence by whileLoop": (x, w, u) => recurrence(x!, w!, u!),
  "recurrence by whileLoop, bounded": (x, w, u) => recurrence(x!, w!, u!, { maximumIterations: 6 }),
  "recurrence by scan, from the end": (x, w, u) =>
    tf.scan((h: T, row: T) => step(h, row, w!, u!), x!, stateOf(x!, u!), { reverse: true }),
  "a loop that ends by its values": (x) => {
    const square = tf.add(tf.square(x!), 1);
    return tf.whileLoop(
      (y) => tf.greater(tf.max(tf.abs(tf.sub(tf.square(y!), square))), 0.01),
      (y) => [tf.div(tf.add(y!, tf.div(square, y!)), 2)],
      [x!],
    )[0]!;
  },
  foldl: (x, s) => tf.foldl((a: T, row: T) => tf.add(tf.sin(tf.mul(a, row)), a), x!, s!),
  foldr: (x, s) => tf.foldr((a: T, row: T) => tf.add(tf.sin(tf.mul(a, row)), a), x!, s!),
  mapFn: (x) => tf.mapFn((row: T) => tf.mul(tf.cumsum(row), tf.max(row)), x!),
  cond: (x, y) =>
    tf.cond(
      tf.greater(tf.sum(x!), 0),
      () => tf.mul(tf.sin(x!), y!) as T,
      () => tf.add(tf.exp(x!), y!) as T,
    ),
  "cond, the other branch": (x, y) =>
    tf.cond(
      tf.lessEqual(tf.sum(x!), 0),
      () => tf.mul(tf.sin(x!), y!) as T,
      () => tf.add(tf.exp(x!), y!) as T,
    ),
  switchCase: (x, y) =>
    tf.switchCase(tf.scalar(1, "int32"), [
      () => tf.exp(x!) as T,
      () => tf.mul(tf.square(x!), y!) as T,
      () => tf.neg(y!) as T,
    ]),
  ...Object.fromEntries(convolutions),
  ...Object.fromEntries(windows),
  separableConv2d: (x, d, p) => tf.separableConv2d(x!, d!, p!, 1, "same"),
  "residual block": (x, w1, w2, g, b) => residual(x!, w1!, w2!, g!, b!),
  "squeeze and excite": (x, w1, w2) => squeezeExcite(x!, w1!, w2!),
  embedding: (e) => tf.mean(tf.tanh(tf.gather(e!, ints([2, 3], 1, 4, 1, 0, 5, 5))) as T, 1),
  "gatherND and scatterND": (x) => {
    const picked = tf.exp(tf.gatherND(x!, ints([3, 2], 0, 1, 2, 3, 0, 1)));
    return tf.scatterND(ints([3, 2], 2, 1, 0, 0, 2, 1), picked, [3, 2]);
  },
  tensorScatterUpdate: (x, u) => tf.sin(tf.tensorScatterUpdate(x!, ints([2, 1], 3, 0), tf.square(u!))),
  "cumsum, exclusive, from the end": (x) => tf.exp(tf.cumsum(x!, 1, true, true)),
  cumprod: (x) => tf.cumprod(tf.add(x!, 2), 1),
  product: (x) => tf.prod(tf.add(x!, 1.5), 1),
  logSumExp: (x) => tf.logSumExp(tf.mul(x!, 5), 0),
  norms: (x) => tf.stack([tf.norm(x!), tf.norm(x!, 1), tf.sum(tf.norm(x!, "euclidean", 1))] as T[]),
  "largest and smallest": (x) => tf.mul(tf.max(x!, 0), tf.min(x!, 0)),
  moments: (x) => {
    const { mean, variance } = tf.moments(x!, [1]);
    return tf.stack([mean, variance] as T[]);
  },
  activations: (x) =>
    tf.stack([tf.elu(x!), tf.selu(x!), tf.silu(x!), tf.softplus(x!), tf.leakyRelu(x!), tf.relu6(tf.mul(x!, 8))] as T[]),
  "powers and roots": (x, y) => tf.div(tf.pow(tf.sqrt(tf.add(tf.square(x!), 1)), y!), tf.add(tf.square(y!), 2)),
  angles: (x, y) =>
    tf.add(
      tf.add(tf.mul(tf.sin(x!), tf.cos(y!)), tf.tan(tf.mul(x!, 0.5))),
      tf.add(tf.atan2(x!, tf.add(y!, 2)), tf.erf(x!)),
    ),
  "where and clip": (x, y) =>
    tf.where(tf.greater(x!, y!), tf.clipByValue(tf.square(x!), 0.1, 0.6), tf.maximum(x!, tf.mul(y!, 0.5))),
  "pieces put together": (x) => {
    const even = tf.stack([tf.slice(x!, [0, 0, 1], [2, 1, 3]), tf.slice(x!, [0, 2, 1], [2, 1, 3])] as T[], 1) as T;
    const padded = tf.slice(
      tf.pad(x!, [
        [0, 0],
        [0, 1],
        [0, 0],
      ]) as T,
      [0, 0, 0],
      [2, 4, 3],
    );
    return tf.concat([tf.tile(tf.reshape(even, [2, 2, 3]), [1, 2, 1]), tf.reverse(tf.square(padded), 1)] as T[], 1);
  },
  stopGradient: (x) =>
    tf.add(tf.mul(x!, tf.stopGradient(tf.round(tf.mul(x!, 3)))), tf.mul(tf.square(tf.stopGradient(x!)), x!)),
};
