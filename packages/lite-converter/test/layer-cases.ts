// Models over all layers and their options.
import * as tf from "millrace";
import type { Case } from "./cases.js";

const { input, layers, model, sequential } = tf;

interface Weighted {
  readonly weights: readonly tf.Variable[];
  toConcreteFunctions(): readonly tf.NamedFunction[];
}

/** Weights that are no zeros and ones: variances stay positive. */
export function randomize(net: Weighted, seed = 7): readonly tf.NamedFunction[] {
  net.weights.forEach((w, i) => {
    const low = w.name.includes("variance") ? 0.5 : -0.5;
    w.assign(tf.randomUniform(w.shape as readonly number[], low, low + 1, "float32", seed + i));
  });
  return net.toConcreteFunctions();
}

const of = (name: string, make: () => Weighted, more: Partial<Case> = {}): Case => ({
  name,
  functions: () => randomize(make()),
  ...more,
});

/** What a layer makes of symbolic tensors. */
function applied(layer: unknown, x: unknown): never {
  // boundary: a list of layers is no type that checks shapes
  return (layer as { apply(x: unknown): never }).apply(x);
}

/** A layer on inputs of a shape. */
const layer = (name: string, inputShape: readonly (number | null)[], make: () => unknown, more?: Partial<Case>): Case =>
  of(
    name,
    () => {
      const x = input({ shape: inputShape, name: "x" });
      return model({ inputs: x, outputs: applied(make(), x) }) as never;
    },
    more,
  );

const activations = [
  "linear",
  "relu",
  "relu6",
  "leaky_relu",
  "elu",
  "selu",
  "sigmoid",
  "log_sigmoid",
  "hard_sigmoid",
  "silu",
  "hard_silu",
  "gelu",
  "tanh",
  "softplus",
  "softsign",
  "mish",
  "exponential",
  "softmax",
  "log_softmax",
] as const;

export const layerCases: readonly Case[] = [
  ...activations.map((activation) => layer(`dense ${activation}`, [6], () => layers.dense({ units: 5, activation }))),
  ...activations.map((activation) =>
    layer(`activation ${activation}`, [3, 6], () => layers.activation({ activation })),
  ),
  layer("dense without bias", [6], () => layers.dense({ units: 5, useBias: false })),
  layer("dense on sequences", [3, 6], () => layers.dense({ units: 5, activation: "relu" })),
  layer("dense on an open length", [null, 6], () => layers.dense({ units: 5 }), { sizes: { x_1: 4 } }),
  ...(["same", "valid"] as const).flatMap((padding) =>
    [1, 2, [2, 1] as const].map((strides) =>
      layer(`conv2d ${padding} strides ${strides}`, [7, 8, 3], () =>
        layers.conv2d({ filters: 4, kernelSize: [3, 2], strides, padding, activation: "relu" }),
      ),
    ),
  ),
  layer("conv2d dilated", [9, 9, 2], () => layers.conv2d({ filters: 3, kernelSize: 3, dilationRate: [2, 3] })),
  layer("conv2d dilated same", [9, 9, 2], () =>
    layers.conv2d({ filters: 3, kernelSize: 3, dilationRate: 2, padding: "same", activation: "tanh" }),
  ),
  layer("conv2d without bias", [5, 5, 2], () => layers.conv2d({ filters: 3, kernelSize: 1, useBias: false })),
  layer("conv2d on open sizes", [null, null, 2], () => layers.conv2d({ filters: 3, kernelSize: 3, padding: "same" }), {
    sizes: { x_1: 6, x_2: 5 },
  }),
  ...(["same", "valid"] as const).flatMap((padding) => [
    layer(`max pooling ${padding}`, [7, 6, 2], () => layers.maxPooling2d({ poolSize: [2, 3], strides: 2, padding })),
    layer(`average pooling ${padding}`, [7, 6, 2], () =>
      layers.averagePooling2d({ poolSize: [2, 3], strides: 2, padding }),
    ),
    layer(
      `average pooling ${padding} on open sizes`,
      [null, null, 2],
      () => layers.averagePooling2d({ poolSize: 3, strides: 2, padding }),
      { sizes: { x_1: 6, x_2: 7 } },
    ),
  ]),
  layer("global average pooling", [4, 5, 3], () => layers.globalAveragePooling2d()),
  layer("global average pooling, axes kept", [4, 5, 3], () => layers.globalAveragePooling2d({ keepDims: true })),
  layer("global max pooling", [4, 5, 3], () => layers.globalMaxPooling2d()),
  layer("batch normalization", [4, 5, 3], () => layers.batchNormalization()),
  layer("batch normalization of an inner axis", [4, 5, 3], () => layers.batchNormalization({ axis: 1 })),
  layer("batch normalization without gamma and beta", [6], () =>
    layers.batchNormalization({ scale: false, center: false }),
  ),
  layer("layer normalization", [4, 6], () => layers.layerNormalization()),
  layer("layer normalization of two axes", [4, 6], () => layers.layerNormalization({ axis: [1, 2] })),
  layer("layer normalization without gamma and beta", [4, 6], () =>
    layers.layerNormalization({ scale: false, center: false }),
  ),
  layer("elu", [6], () => layers.elu({})),
  layer("elu with alpha", [6], () => layers.elu({ alpha: 0.5 })),
  layer("leaky relu", [6], () => layers.leakyReLU({ negativeSlope: 0.1 })),
  layer("relu", [6], () => layers.reLU({})),
  layer("relu to 6", [6], () => layers.reLU({ maxValue: 6 }), { range: [-9, 9] }),
  layer("relu to 1", [6], () => layers.reLU({ maxValue: 1 }), { range: [-9, 9] }),
  layer("relu with all options", [6], () => layers.reLU({ maxValue: 4, negativeSlope: 0.1, threshold: 1 }), {
    range: [-9, 9],
  }),
  layer("softmax of an inner axis", [3, 4, 5], () => layers.softmax({ axis: 2 })),
  layer("flatten", [3, 4, 5], () => layers.flatten()),
  layer("reshape", [3, 4], () => layers.reshape({ targetShape: [2, 6] })),
  layer("dropout", [3, 4], () => layers.dropout({ rate: 0.5 })),
  layer("lstm", [4, 3], () => layers.lstm({ units: 5 })),
  layer("lstm sequences", [4, 3], () => layers.lstm({ units: 5, returnSequences: true })),
  layer("lstm backwards", [4, 3], () => layers.lstm({ units: 5, goBackwards: true, useBias: false })),
  layer("lstm with relu", [4, 3], () =>
    layers.lstm({ units: 5, activation: "relu", recurrentActivation: "hard_sigmoid", unroll: true }),
  ),
  layer("gru", [4, 3], () => layers.gru({ units: 5, returnSequences: true })),
  layer("gru reset first", [4, 3], () => layers.gru({ units: 5, resetAfter: false })),
  layer("masking", [4, 3], () => layers.masking({ maskValue: 0 })),
  layer("simpleRNN", [4, 3], () => layers.simpleRNN({ units: 5, unroll: true })),
  layer("bidirectional", [4, 3], () => layers.bidirectional({ layer: layers.lstm({ units: 5 }) })),
  layer("timeDistributed", [4, 3], () => layers.timeDistributed({ layer: layers.dense({ units: 5 }) })),
  layer("rnn of stackedRNNCells", [4, 3], () =>
    layers.rnn({
      cell: layers.stackedRNNCells({
        cells: [layers.gruCell({ units: 5 }), layers.lstmCell({ units: 4 }), layers.simpleRNNCell({ units: 3 })],
      }),
      unroll: true,
    }),
  ),
  of(
    "embedding",
    () => {
      const ids = input({ shape: [7], dtype: "int32", name: "ids" });
      return model({ inputs: ids, outputs: layers.embedding({ inputDim: 9, outputDim: 4 }).apply(ids) }) as never;
    },
    { range: [0, 8] },
  ),
  layer("embedding of float ids", [7], () => layers.embedding({ inputDim: 9, outputDim: 4 }), { range: [0, 8] }),
  ...(["add", "average", "maximum", "minimum", "multiply", "concatenate"] as const).map((name) =>
    of(`${name} of three`, () => {
      const xs = ["a", "b", "c"].map((n) => input({ shape: [4, 3], name: n }));
      return model({ inputs: xs, outputs: applied(layers[name](), xs) }) as never;
    }),
  ),
  of("subtract", () => {
    const xs = ["a", "b"].map((n) => input({ shape: [4, 3], name: n }));
    return model({ inputs: xs, outputs: applied(layers.subtract(), xs) }) as never;
  }),
  of("a merge that broadcasts", () => {
    const [a, b] = [input({ shape: [4, 3], name: "a" }), input({ shape: [1, 3], name: "b" })];
    return model({
      inputs: [a, b],
      outputs: applied(layers.multiply(), [a, b]),
    }) as never;
  }),
  of("the digits network", digits),
  of(
    "convolution, normalization, relu",
    () =>
      sequential([
        layers.conv2d({ filters: 4, kernelSize: 3, useBias: false, inputShape: [8, 8, 2] }),
        layers.batchNormalization(),
        layers.activation({ activation: "relu" }),
        layers.conv2d({ filters: 3, kernelSize: 3, padding: "same", activation: "relu" }),
        layers.batchNormalization(),
        layers.globalAveragePooling2d(),
        layers.dense({ units: 4 }),
        layers.batchNormalization(),
        layers.reLU({ maxValue: 6 }),
      ]) as never,
  ),
  of("a residual network with two outputs", () => {
    const x = input({ shape: [6, 6, 2], name: "image" });
    const c = layers.conv2d({ filters: 2, kernelSize: 3, padding: "same", activation: "relu" }).apply(x);
    const sum = layers.add().apply([x, c] as never) as never;
    const relu = layers.activation({ activation: "relu" }).apply(sum);
    const pooled = layers.globalAveragePooling2d({ name: "features" }).apply(relu as never);
    const y = layers.dense({ units: 3, activation: "softmax", name: "classes" }).apply(pooled as never);
    return model({ inputs: x, outputs: [y, pooled] as never }) as never;
  }),
];

/** The quickstart's network, with probabilities. */
export function digits(): Weighted {
  return sequential([
    layers.conv2d({ name: "conv1", filters: 32, kernelSize: 3, activation: "relu", inputShape: [28, 28, 1] }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.conv2d({ name: "conv2", filters: 64, kernelSize: 3, activation: "relu" }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.flatten(),
    layers.dropout({ rate: 0.4 }),
    layers.dense({ name: "hidden", units: 128, activation: "relu" }),
    layers.dense({ name: "scores", units: 10, activation: "softmax" }),
  ]) as never;
}
