// Models for every layer, option, initializer, activation, loss, metric and optimizer that there is, to be saved.
import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import {
  type CompileOptions,
  initializers,
  input,
  type Layer,
  layers,
  losses,
  type Model,
  metrics,
  model,
  optimizers,
  regularizers,
  type SymbolicTensor,
  sequential,
} from "../../src/index.js";

tf.registerReferenceBackend();
tf.setRandomSeed(11);

/** A model that is written here. */
export interface Case {
  readonly net: Model;
  readonly xs: readonly Tensor[];
  readonly ys?: readonly Tensor[];
}

const floats = (...shape: number[]): Tensor => tf.randomUniform(shape, -2, 2) as Tensor;
/** One as itself, several as a list. */
export const all = <T>(list: readonly T[]): T | readonly T[] => (list.length === 1 ? list[0]! : list);

export const train = (net: Model, xs: readonly Tensor[], ys: readonly Tensor[]): Promise<unknown> =>
  net.trainOnBatch(all(xs) as Tensor, all(ys) as Tensor);

/** Weights that are no one's first ones, so that a file that leaves some out is noticed. */
export function scattered(net: Model): Model {
  net.setWeights(net.weights.map((w) => tf.randomUniform(w.shape, 0.1, 0.9, w.dtype) as Tensor));
  return net;
}

/** By name. */
export const cases: Record<string, () => Promise<Case>> = {};

const image = [5, 6, 3];
const row = [6];
const sequence = [4, 3];
const chain = (shape: readonly number[], ...list: readonly Layer[]): Model =>
  scattered(sequential([layers.inputLayer({ inputShape: shape }), ...list]));
const made = new Map<string, number>();
/** One layer, or several, after an input of this shape. */
function layerCase(shape: readonly number[], make: () => Layer | readonly Layer[]): void {
  const name = [make()].flat()[0]!.className;
  made.set(name, (made.get(name) ?? 0) + 1);
  cases[`layer-${name}-${made.get(name)}`] = async () => ({
    net: chain(shape, ...[make()].flat()),
    xs: [floats(3, ...shape)],
  });
}

layerCase(row, () => layers.dense({ units: 4 }));
layerCase(row, () => layers.dense({ units: 4, activation: "softmax", useBias: false, kernelRegularizer: "l1" }));
layerCase(sequence, () =>
  layers.dense({ units: 2, biasInitializer: initializers.constant({ value: 0.5 }), trainable: false }),
);
layerCase(row, () =>
  layers.dense({ units: 2, kernelRegularizer: regularizers.l1l2({ l1: 0.1, l2: 0.2 }), biasRegularizer: "L2" }),
);
layerCase(row, () => layers.dense({ units: 2, dtype: "float64" }));
layerCase(image, () => layers.conv2d({ filters: 2, kernelSize: 3 }));
layerCase(image, () =>
  layers.conv2d({ filters: 2, kernelSize: [2, 3], strides: [2, 1], padding: "same", activation: "relu" }),
);
layerCase(image, () =>
  layers.conv2d({ filters: 3, kernelSize: 2, dilationRate: 2, useBias: false, kernelRegularizer: "l2" }),
);
layerCase(image, () => layers.batchNormalization());
layerCase(image, () => layers.batchNormalization({ axis: 1, momentum: 0.9, epsilon: 0.01, center: false }));
layerCase(row, () =>
  layers.batchNormalization({
    scale: false,
    betaInitializer: "ones",
    gammaRegularizer: "l2",
    movingMeanInitializer: "ones",
  }),
);
layerCase(image, () => layers.layerNormalization());
layerCase(image, () =>
  layers.layerNormalization({ axis: [1, 2], epsilon: 0.01, center: false, gammaRegularizer: "l1" }),
);
layerCase(image, () => layers.layerNormalization({ scale: false }));
for (const pool of [layers.maxPooling2d, layers.averagePooling2d]) {
  layerCase(image, () => pool());
  layerCase(image, () => pool({ poolSize: [2, 3], strides: 1, padding: "same" }));
}
for (const pool of [layers.globalAveragePooling2d, layers.globalMaxPooling2d]) {
  layerCase(image, () => pool());
  layerCase(image, () => pool({ keepDims: true }));
}
layerCase(image, () => layers.flatten());
layerCase(image, () => layers.reshape({ targetShape: [-1, 9] }));
layerCase(row, () => layers.dropout({ rate: 0.4 }));
layerCase(sequence, () => layers.dropout({ rate: 0.4, noiseShape: [null, 1, 3] }));
layerCase(row, () => layers.reLU());
layerCase(row, () => layers.reLU({ maxValue: 1.5, negativeSlope: 0.1, threshold: 0.5 }));
layerCase(row, () => layers.leakyReLU({ negativeSlope: 0.1 }));
layerCase(row, () => layers.elu({ alpha: 0.5 }));
layerCase(row, () => layers.softmax());
layerCase(sequence, () => layers.softmax({ axis: 1 }));
layerCase(sequence, () => layers.lstm({ units: 3 }));
layerCase(sequence, () =>
  layers.lstm({
    units: 2,
    returnSequences: true,
    goBackwards: true,
    activation: "relu",
    recurrentActivation: "hardSigmoid",
  }),
);
layerCase(sequence, () =>
  layers.lstm({ units: 2, useBias: false, unitForgetBias: false, kernelRegularizer: "l1", recurrentRegularizer: "l2" }),
);
layerCase(sequence, () => [
  layers.lstm({ units: 3, returnSequences: true }),
  layers.lstm({ units: 2, biasRegularizer: "l2" }),
]);
layerCase(sequence, () => layers.gru({ units: 3 }));
layerCase(sequence, () => layers.gru({ units: 2, resetAfter: false, returnSequences: true, goBackwards: true }));
layerCase(sequence, () => layers.simpleRNN({ units: 3, useBias: false }));
layerCase(sequence, () => layers.rnn({ cell: layers.lstmCell({ units: 3 }), returnSequences: true }));
layerCase(sequence, () => layers.rnn({ cell: [layers.gruCell({ units: 3 }), layers.simpleRNNCell({ units: 2 })] }));
layerCase(sequence, () =>
  layers.bidirectional({ layer: layers.lstm({ units: 2, returnSequences: true }), mergeMode: "sum" }),
);
layerCase(sequence, () => layers.bidirectional({ layer: layers.gru({ units: 2 }) }));
layerCase(sequence, () => layers.timeDistributed({ layer: layers.dense({ units: 2, activation: "tanh" }) }));
layerCase(sequence, () => [layers.masking({ maskValue: 0.5 }), layers.lstm({ units: 2 })]);
for (const name of "relu relu6 leakyRelu elu selu sigmoid logSigmoid hardSigmoid silu hardSilu gelu tanh softplus softsign mish".split(
  " ",
)) {
  layerCase(row, () => layers.activation({ activation: name }));
}
for (const name of ["exponential", "softmax", "logSoftmax", "linear", "swish"]) {
  layerCase(row, () => layers.dense({ units: 3, activation: name }));
}
const starts: readonly initializers.Initializer[] = [
  initializers.zeros(),
  initializers.ones(),
  initializers.constant({ value: 2 }),
  initializers.identity({ gain: 0.5 }),
  initializers.randomNormal({ mean: 0.1, stddev: 0.2, seed: 3 }),
  initializers.randomUniform({ minval: -1, maxval: 2 }),
  initializers.truncatedNormal(),
  initializers.varianceScaling({ scale: 0.5, mode: "fanAvg", distribution: "untruncatedNormal", seed: 2 }),
  initializers.varianceScaling({ mode: "fanOut", distribution: "uniform" }),
  initializers.varianceScaling(),
  initializers.glorotUniform({ seed: 1 }),
  initializers.glorotNormal(),
  initializers.heUniform(),
  initializers.heNormal(),
  initializers.lecunUniform(),
  initializers.lecunNormal(),
  initializers.orthogonal({ gain: 2 }),
];
for (const kernelInitializer of starts) layerCase(row, () => layers.dense({ units: 6, kernelInitializer }));
cases.embedding = async () => ({
  net: scattered(
    sequential([
      layers.inputLayer({ inputShape: [3], dtype: "int32" }),
      layers.embedding({ inputDim: 5, outputDim: 2, embeddingsRegularizer: "l2" }),
    ]),
  ),
  xs: [tf.tensor([0, 4, 2, 2, 2, 1], [2, 3], "int32") as Tensor],
});
for (const make of [layers.add, layers.subtract, layers.multiply, layers.average, layers.maximum, layers.minimum]) {
  mergeCase(() => make());
}
mergeCase(() => layers.concatenate());
mergeCase(() => layers.concatenate({ axis: 1 }));
function mergeCase(make: () => Layer): void {
  cases[`merge-${make().className}-${JSON.stringify(make().getConfig().axis)}`] = async () => {
    const [a, b] = [input({ shape: [3, 4] }), input({ shape: [3, 4] })];
    return {
      net: model({ inputs: [a, b], outputs: make().apply([a, b]) as SymbolicTensor }),
      xs: [floats(2, 3, 4), floats(2, 3, 4)],
    };
  };
}

cases.graph = async () => {
  // The second input is drawn first, a layer is shared at two depths, and a nested model gives two results.
  const right = input({ shape: [4], name: "right" });
  const left = input({ shape: [4], name: "left" });
  const unused = input({ shape: [2] });
  const shared = layers.dense({ units: 4, activation: "tanh", name: "shared" });
  const inner = input({ shape: [4] });
  const block = model({
    inputs: inner,
    outputs: [layers.dense({ units: 3 }).apply(inner), layers.dense({ units: 2 }).apply(inner)],
    name: "block",
  });
  const tail = sequential([layers.dense({ units: 5, activation: "relu" }), layers.dense({ units: 3 })]);
  const twice = (x: SymbolicTensor): readonly SymbolicTensor[] =>
    // boundary: a model of two outputs gives a list
    block.apply(x) as unknown as readonly SymbolicTensor[];
  const once = shared.apply(left) as SymbolicTensor;
  const [p, q] = twice(once) as [SymbolicTensor, SymbolicTensor];
  const [r, s] = twice(shared.apply(shared.apply(right) as SymbolicTensor) as SymbolicTensor) as [
    SymbolicTensor,
    SymbolicTensor,
  ];
  const outputs = [
    tail.apply(p) as SymbolicTensor,
    layers.add().apply([tail.apply(r) as SymbolicTensor, p]) as SymbolicTensor,
    layers
      .dense({ units: 1, name: "score" })
      .apply(layers.concatenate().apply([q, s]) as SymbolicTensor) as SymbolicTensor,
  ];
  const net = scattered(model({ inputs: [right, left, unused], outputs, name: "woven" }));
  return { net, xs: [floats(3, 4), floats(3, 4), floats(3, 2)] };
};
cases.nested = async () => ({
  net: chain(
    [4],
    sequential([layers.dense({ units: 3 }), sequential([layers.dense({ units: 2 }), layers.dropout({ rate: 0.1 })])]),
  ),
  xs: [floats(2, 4)],
});
cases.deferred = async () => {
  const net = sequential([layers.dense({ units: 3, activation: "relu" }), layers.dense({ units: 2 })]);
  net.predict(floats(1, 3));
  return { net: scattered(net), xs: [floats(2, 3)] };
};
cases["one-of-a-list"] = async () => {
  const a: SymbolicTensor = input({ shape: [3] });
  const made = layers.dense({ units: 2 }).apply(a) as SymbolicTensor;
  return { net: scattered(model({ inputs: [a], outputs: [made] })), xs: [floats(2, 3)] };
};

const number = floats(4, 2);
const chance = tf.softmax(floats(4, 2)) as Tensor;
const classes = tf.tensor([0, 1, 1, 0], [4], "int32");
const compiles: Record<string, readonly [CompileOptions, string | null, Tensor]> = {
  sgd: [{ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: "mse", metrics: ["mae"] }, null, number],
  momentum: [
    {
      optimizer: optimizers.sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true, clipnorm: 0.5 }),
      loss: losses.meanAbsoluteError({ name: "far" }),
      metrics: [metrics.meanSquaredError({ name: "m" })],
    },
    null,
    number,
  ],
  adam: [{ optimizer: "adam", loss: losses.huber() }, null, number],
  amsgrad: [
    {
      optimizer: optimizers.adam({
        learningRate: 0.05,
        beta1: 0.8,
        beta2: 0.95,
        epsilon: 1e-5,
        amsgrad: true,
        clipvalue: 0.1,
      }),
      loss: "meanAbsolutePercentageError",
    },
    null,
    number,
  ],
  adamw: [
    {
      optimizer: optimizers.adamW({ learningRate: 0.05, weightDecay: 0.1 }),
      loss: losses.hinge({ reduction: "sum" }),
      metrics: ["accuracy"],
    },
    null,
    number,
  ],
  rmsprop: [
    {
      optimizer: optimizers.rmsprop({ learningRate: 0.01, rho: 0.8, momentum: 0.5, centered: true, globalClipnorm: 1 }),
      loss: losses.meanSquaredError(),
      metrics: ["mse"],
    },
    null,
    number,
  ],
  binary: [
    {
      optimizer: "sgd",
      loss: losses.binaryCrossentropy({ labelSmoothing: 0.1 }),
      metrics: [metrics.binaryAccuracy({ threshold: 0.3 }), metrics.binaryCrossentropy({ labelSmoothing: 0.1 })],
    },
    "sigmoid",
    chance,
  ],
  categorical: [
    {
      optimizer: "rmsprop",
      loss: losses.categoricalCrossentropy({ fromLogits: true }),
      metrics: [
        metrics.categoricalAccuracy(),
        metrics.categoricalCrossentropy({ fromLogits: true }),
        metrics.accuracy(),
      ],
    },
    null,
    chance,
  ],
  sparse: [
    {
      optimizer: "adamW",
      loss: "sparseCategoricalCrossentropy",
      metrics: ["accuracy", metrics.sparseCategoricalAccuracy(), metrics.sparseCategoricalCrossentropy()],
    },
    "softmax",
    classes,
  ],
};
for (const [name, [options, activation, y]] of Object.entries(compiles)) {
  for (const steps of [0, 2]) {
    cases[`compiled-${name}-${steps}`] = async () => {
      const first = layers.dense({ units: 4, activation: "tanh", kernelRegularizer: "l2" });
      const net = chain([3], first, layers.batchNormalization(), layers.dense({ units: 2, activation }));
      // Each has an optimizer of its own.
      const { optimizer } = options;
      const own =
        typeof optimizer === "string"
          ? optimizer
          : optimizers.get({ className: classOf(optimizer), config: configOf(optimizer) });
      net.compile({ ...options, optimizer: own });
      const x = floats(4, 3);
      for (let i = 0; i < steps; i++) await train(net, [x], [y]);
      // What is asked for by hand is part of the state too.
      if (steps > 0) net.optimizer!.learningRate.assign(0.02);
      return { net, xs: [x], ys: [y] };
    };
  }
}
// boundary: every optimizer has a class with a name
const classOf = (it: object): string => (it.constructor as unknown as { className: string }).className;
const configOf = (it: object): Record<string, unknown> => (it as { getConfig(): Record<string, unknown> }).getConfig();
cases["compiled-frozen"] = async () => {
  const net = chain(
    [3],
    layers.dense({ units: 4, trainable: false }),
    layers.batchNormalization(),
    layers.dense({ units: 2 }),
  );
  net.compile({ optimizer: optimizers.adam({ learningRate: 0.1 }), loss: "mse" });
  const x = floats(4, 3);
  await train(net, [x], [number]);
  return { net, xs: [x], ys: [number] };
};
cases["compiled-frozen-graph"] = async () => {
  const a = input({ shape: [3] }) as SymbolicTensor;
  const h = layers.dense({ units: 4, trainable: false }).apply(a) as SymbolicTensor;
  const tail = sequential([layers.dense({ units: 3, trainable: false }), layers.dense({ units: 2 })]);
  const net = scattered(model({ inputs: a, outputs: tail.apply(h) as SymbolicTensor }));
  net.compile({ optimizer: optimizers.adam({ learningRate: 0.1 }), loss: "mse" });
  const x = floats(4, 3);
  await train(net, [x], [number]);
  return { net, xs: [x], ys: [number] };
};
cases["compiled-outputs"] = async () => {
  const [a, b] = [input({ shape: [3], name: "a" }), input({ shape: [2], name: "b" })];
  const one = layers.dense({ units: 2, name: "one" }).apply(a);
  const two = layers.dense({ units: 1, name: "two" }).apply(layers.concatenate().apply([a, b]) as SymbolicTensor);
  const net = scattered(model({ inputs: [a, b], outputs: [one, two] as readonly SymbolicTensor[] }));
  net.compile({
    optimizer: optimizers.adam({ learningRate: 0.1 }),
    loss: { two: "mae", one: "mse" },
    lossWeights: { one: 0.5, two: 2 },
    metrics: { one: ["mae"], two: metrics.meanSquaredError() },
  });
  const [xs, ys] = [
    [floats(4, 3), floats(4, 2)],
    [number, floats(4, 1)],
  ];
  await train(net, xs, ys);
  return { net, xs, ys };
};
