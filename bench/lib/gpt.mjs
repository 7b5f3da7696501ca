// The GPT of cases f and k: 4 layers, 128 wide, 4 heads, 128 tokens, vocabulary 256; pre-norm, one dense layer for q, k and v.
import * as tf from "millrace";
import { stepOf } from "./training.mjs";

export const [batch, length, vocabulary] = [16, 128, 256];
const [layers, width, heads] = [4, 128, 4];
const { add, dense, embedding, layerNormalization } = tf.layers;

const norm = () => layerNormalization({ epsilon: 1e-5 });

/** A trained vector for each place, added. */
class Positions extends tf.Layer {
  build() {
    this.positions = this.addWeight({ name: "positions", shape: [length, width], initializer: "randomNormal" });
  }
  call(x) {
    return x.add(this.positions);
  }
  computeOutputShape(shape) {
    return shape;
  }
}

/** Causal attention of all heads: [batch, length, 3 · width], queries, keys and values, gives [batch, length, width]. */
class Attention extends tf.Layer {
  call(x) {
    const [b, t] = x.shape;
    const [q, k, v] = tf.unstack(x.reshape([b, t, 3, heads, width / heads]).transpose([2, 0, 3, 1, 4]));
    const attended = tf.scaledDotProductAttention(q, k, v, { causal: true });
    return attended.transpose([0, 2, 1, 3]).reshape([b, t, width]);
  }
  computeOutputShape([b, t]) {
    return [b, t, width];
  }
}

const chain = (x, ...layers) => layers.reduce((h, layer) => layer.apply(h), x);
const gelu = (x) => tf.gelu(x, { approximate: true });

function block(x) {
  const attended = chain(x, norm(), dense({ units: 3 * width }), new Attention(), dense({ units: width }));
  const y = add().apply([x, attended]);
  return add().apply([y, chain(y, norm(), dense({ units: 4 * width, activation: gelu }), dense({ units: width }))]);
}

function network() {
  const inputs = tf.input({ shape: [length], dtype: "int32" });
  let x = chain(inputs, embedding({ inputDim: vocabulary, outputDim: width }), new Positions());
  for (let i = 0; i < layers; i++) x = block(x);
  return tf.model({ inputs, outputs: chain(x, norm(), dense({ units: vocabulary, useBias: false })) });
}

/** The model, its weights made but nothing run, its batch of tokens and their successors, and what it is trained with. */
export function gpt() {
  const tokens = tf.randomUniformInt([batch, length], 0, vocabulary);
  const next = tf.concat([tokens.slice([0, 1], [batch, length - 1]), tokens.slice([0, 0], [batch, 1])], 1);
  const model = network();
  const compile = {
    optimizer: tf.optimizers.adamW({ learningRate: 3e-4, weightDecay: 0.01 }),
    loss: tf.losses.sparseCategoricalCrossentropy({ fromLogits: true }),
  };
  return { model, tokens, next, compile };
}

/** A training step as one function, and its batch. */
export function gptStep() {
  const { model, tokens, next, compile } = gpt();
  const step = tf.fn(stepOf(model, compile));
  return { step, tokens, next };
}
