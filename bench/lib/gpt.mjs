// The GPT of cases f and k: 4 layers, 128 wide, 4 heads, 128 tokens, vocabulary 256; pre-norm, one dense layer for q, k and v.
import * as tf from "millrace";
import { stepOf } from "./training.mjs";

export const [batch, length, vocabulary] = [16, 128, 256];
const [layers, width, heads] = [4, 128, 4];
const { dense, embedding, layerNormalization } = tf.layers;

const norm = () => layerNormalization({ epsilon: 1e-5 });

class Block extends tf.Layer {
  attentionNorm = norm();
  qkv = dense({ units: 3 * width });
  projection = dense({ units: width });
  mlpNorm = norm();
  widen = dense({ units: 4 * width, activation: (x) => tf.gelu(x, { approximate: true }) });
  narrow = dense({ units: width });

  call(x) {
    const [b, t] = x.shape;
    const heads5 = this.qkv.apply(this.attentionNorm.apply(x)).reshape([b, t, 3, heads, width / heads]);
    const [q, k, v] = tf.unstack(heads5.transpose([2, 0, 3, 1, 4]));
    const attended = tf.scaledDotProductAttention(q, k, v, { causal: true });
    const y = x.add(this.projection.apply(attended.transpose([0, 2, 1, 3]).reshape([b, t, width])));
    return y.add(this.narrow.apply(this.widen.apply(this.mlpNorm.apply(y))));
  }
}

class Gpt extends tf.Model {
  tokens = embedding({ inputDim: vocabulary, outputDim: width });
  blocks = Array.from({ length: layers }, () => new Block());
  norm = norm();
  head = dense({ units: vocabulary, useBias: false });

  build() {
    this.positions = this.addWeight({ name: "positions", shape: [length, width], initializer: "randomNormal" });
  }

  call(tokens) {
    const x = this.blocks.reduce((h, block) => block.apply(h), this.tokens.apply(tokens).add(this.positions));
    return this.head.apply(this.norm.apply(x));
  }
}

/** The model built, its batch of tokens and their successors, and what it is trained with. */
export function gpt() {
  const tokens = tf.randomUniformInt([batch, length], 0, vocabulary);
  const next = tf.concat([tokens.slice([0, 1], [batch, length - 1]), tokens.slice([0, 0], [batch, 1])], 1);
  const model = new Gpt();
  model.apply(tokens).dispose();
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
