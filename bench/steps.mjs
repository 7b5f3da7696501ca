// The programs of cases d, e, f, g and i of ../shared/anchors, as functions: what bench/schedule.mjs looks into.
import * as tf from "millrace";

const { conv2d, dense, flatten, lstm, maxPooling2d } = tf.layers;
const classes = () => tf.losses.sparseCategoricalCrossentropy({ fromLogits: true });
const relu = "relu";

/** A training step of a Keras-style model on random data, with Adam. */
function training(shape, batch, layers) {
  const model = tf.sequential({ layers });
  const optimizer = tf.optimizers.adam({ learningRate: 1e-3 });
  const loss = classes();
  optimizer.build(model.trainableWeights);
  const step = (x, y) => {
    const { value, grads } = tf.variableGrads(() => loss.apply(y, model.apply(x, { training: true })));
    optimizer.applyGradients(grads);
    return value;
  };
  return { step, args: [tf.randomUniform([batch, ...shape]), tf.randomUniformInt([batch], 0, 10)] };
}

/** GPT: 4 layers of width 128, 4 heads, 128 tokens, batch 16, a vocabulary of 256, AdamW. */
export function gpt({ layers = 4, width = 128, heads = 4, length = 128, batch = 16, vocabulary = 256 } = {}) {
  const weights = [];
  const weight = (value) => weights[weights.push(tf.variable(value)) - 1];
  const normal = (...shape) => weight(tf.randomNormal(shape, 0, 0.02));
  const linear = (from, to) => ({ w: normal(from, to), b: weight(tf.zeros([to])) });
  const norm = () => ({ gamma: weight(tf.ones([width])), beta: weight(tf.zeros([width])) });
  const tokens = normal(vocabulary, width);
  const places = normal(length, width);
  const head = normal(width, vocabulary);
  const last = norm();
  const blocks = Array.from({ length: layers }, () => ({
    before: norm(),
    qkv: linear(width, 3 * width),
    out: linear(width, width),
    after: norm(),
    up: linear(width, 4 * width),
    down: linear(4 * width, width),
  }));
  const apply = (x, { w, b }) => tf.add(tf.matMul(x, w), b);
  const normed = (x, { gamma, beta }) => tf.layerNorm(x, gamma, beta, { epsilon: 1e-5 });
  const block = (x, p) => {
    const parts = tf.reshape(apply(normed(x, p.before), p.qkv), [batch, length, 3, heads, width / heads]);
    const [q, k, v] = tf.unstack(tf.transpose(parts, [2, 0, 3, 1, 4]));
    const seen = tf.scaledDotProductAttention(q, k, v, { causal: true });
    const merged = tf.reshape(tf.transpose(seen, [0, 2, 1, 3]), [batch, length, width]);
    const y = tf.add(x, apply(merged, p.out));
    return tf.add(y, apply(tf.gelu(apply(normed(y, p.after), p.up), { approximate: true }), p.down));
  };
  const forward = (x) => {
    const start = tf.add(tf.gather(tokens, x), places);
    return tf.matMul(normed(blocks.reduce(block, start), last), head);
  };
  const optimizer = tf.optimizers.adamW({ learningRate: 3e-4, weightDecay: 0.01 });
  optimizer.build(weights);
  const loss = classes();
  const step = (x, y) => {
    const { value, grads } = tf.variableGrads(() => loss.apply(y, forward(x)));
    optimizer.applyGradients(grads);
    return value;
  };
  const ids = () => tf.randomUniformInt([batch, length], 0, vocabulary);
  return { step, args: [ids(), ids()] };
}

/** MobileNetV2 1.0 at 224, for inference: Sandler et al. (2018), table 2. */
export function mobileNet({ size = 224, batch = 1 } = {}) {
  const norm = (channels) => ({
    mean: tf.variable(tf.randomNormal([channels], 0, 0.1)),
    variance: tf.variable(tf.randomUniform([channels], 0.5, 1.5)),
    beta: tf.variable(tf.randomNormal([channels], 0, 0.1)),
    gamma: tf.variable(tf.randomUniform([channels], 0.5, 1.5)),
  });
  const weight = (...shape) => tf.variable(tf.randomNormal(shape, 0, 0.05));
  const conv = (k, from, to, stride) => ({ w: weight(k, k, from, to), norm: norm(to), stride });
  const depth = (channels, stride) => ({ w: weight(3, 3, channels, 1), norm: norm(channels), stride });
  const rows = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ];
  let from = 32;
  const blocks = rows.flatMap(([expand, to, count, stride]) =>
    Array.from({ length: count }, (_, i) => {
      const wide = from * expand;
      const made = {
        expand: expand > 1 ? conv(1, from, wide, 1) : null,
        depth: depth(wide, i === 0 ? stride : 1),
        project: conv(1, wide, to, 1),
        residual: from === to && (i > 0 || stride === 1),
      };
      from = to;
      return made;
    }),
  );
  const stem = conv(3, 3, 32, 2);
  const top = conv(1, 320, 1280, 1);
  const classifier = { w: weight(1280, 1000), b: weight(1000) };
  const normed = (x, { mean, variance, beta, gamma }) => tf.batchNorm(x, mean, variance, beta, gamma, 1e-3);
  const convNorm = (x, p) => normed(tf.conv2d(x, p.w, p.stride, "same"), p.norm);
  const depthNorm = (x, p) => normed(tf.depthwiseConv2d(x, p.w, p.stride, "same"), p.norm);
  const block = (x, p) => {
    const wide = p.expand ? tf.relu6(convNorm(x, p.expand)) : x;
    const y = convNorm(tf.relu6(depthNorm(wide, p.depth)), p.project);
    return p.residual ? tf.add(x, y) : y;
  };
  const step = (x) => {
    const features = tf.relu6(convNorm(blocks.reduce(block, tf.relu6(convNorm(x, stem))), top));
    return tf.softmax(tf.add(tf.matMul(tf.mean(features, [1, 2]), classifier.w), classifier.b));
  };
  return { step, args: [tf.randomUniform([batch, size, size, 3])] };
}

/** Each makes a function and its arguments. */
export const steps = {
  d: () =>
    training([784], 128, [
      dense({ units: 512, activation: relu, inputShape: [784] }),
      dense({ units: 256, activation: relu }),
      dense({ units: 10 }),
    ]),
  e: () =>
    training([28, 28, 1], 64, [
      conv2d({ filters: 32, kernelSize: 3, activation: relu, inputShape: [28, 28, 1] }),
      conv2d({ filters: 64, kernelSize: 3, activation: relu }),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dense({ units: 128, activation: relu }),
      dense({ units: 10 }),
    ]),
  f: () => gpt(),
  g: () => mobileNet(),
  i: () => training([64, 64], 64, [lstm({ units: 128, inputShape: [64, 64] }), dense({ units: 10 })]),
};
