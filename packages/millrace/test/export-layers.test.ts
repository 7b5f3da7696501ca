// A model of every layer goes to an artifact and predicts the same bits.
import * as tf from "../src/index.js";

const { layers } = tf;

/** A layer by its factory's name, with its input: float32 unless its values say otherwise. */
const cases: Record<
  string,
  { readonly make: () => tf.Layer; readonly shape: readonly number[]; readonly dtype?: "int32" }
> = {
  activation: { make: () => layers.activation({ activation: "tanh" }), shape: [3] },
  averagePooling2d: { make: () => layers.averagePooling2d({ poolSize: 2, padding: "same" }), shape: [5, 5, 2] },
  batchNormalization: { make: () => layers.batchNormalization({}), shape: [4, 3] },
  bidirectional: { make: () => layers.bidirectional({ layer: layers.gru({ units: 3 }) }), shape: [5, 2] },
  conv2d: { make: () => layers.conv2d({ filters: 2, kernelSize: 3, strides: 2, padding: "same" }), shape: [7, 7, 3] },
  dense: { make: () => layers.dense({ units: 3, activation: "gelu" }), shape: [2, 4] },
  dropout: { make: () => layers.dropout({ rate: 0.5 }), shape: [3] },
  elu: { make: () => layers.elu({}), shape: [3] },
  embedding: { make: () => layers.embedding({ inputDim: 5, outputDim: 3 }), shape: [4], dtype: "int32" },
  flatten: { make: () => layers.flatten({}), shape: [2, 3] },
  globalAveragePooling2d: { make: () => layers.globalAveragePooling2d({}), shape: [3, 3, 2] },
  globalMaxPooling2d: { make: () => layers.globalMaxPooling2d({}), shape: [3, 3, 2] },
  gru: { make: () => layers.gru({ units: 3, resetAfter: false }), shape: [5, 2] },
  layerNormalization: { make: () => layers.layerNormalization({}), shape: [2, 5] },
  leakyReLU: { make: () => layers.leakyReLU({}), shape: [3] },
  lstm: { make: () => layers.lstm({ units: 3, returnSequences: true }), shape: [5, 2] },
  masking: { make: () => layers.masking({ maskValue: 0 }), shape: [4, 2] },
  maxPooling2d: { make: () => layers.maxPooling2d({ poolSize: 2 }), shape: [5, 5, 2] },
  reLU: { make: () => layers.reLU({ maxValue: 1 }), shape: [3] },
  reshape: { make: () => layers.reshape({ targetShape: [3, -1] }), shape: [2, 6] },
  rnn: {
    make: () => layers.rnn({ cell: [layers.gruCell({ units: 3 }), layers.lstmCell({ units: 2 })] }),
    shape: [5, 2],
  },
  simpleRNN: { make: () => layers.simpleRNN({ units: 3, returnSequences: true }), shape: [5, 2] },
  softmax: { make: () => layers.softmax({}), shape: [3] },
  timeDistributed: { make: () => layers.timeDistributed({ layer: layers.dense({ units: 3 }) }), shape: [5, 2] },
};
const merging = ["add", "average", "concatenate", "maximum", "minimum", "multiply", "subtract"] as const;

test("no layer is forgotten", () => {
  const factories = Object.entries(layers).filter(([name, f]) => typeof f === "function" && /^[a-z]/.test(name));
  const cells = ["gruCell", "lstmCell", "simpleRNNCell", "stackedRNNCells"];
  const tested = [...Object.keys(cases), ...merging, ...cells, "input", "inputLayer"];
  expect(factories.map(([name]) => name).sort()).toEqual(tested.sort());
});

async function holdSame(model: tf.Model, inputs: readonly tf.Tensor[]): Promise<void> {
  const want = model.predict(inputs.length === 1 ? inputs[0]! : inputs) as tf.Tensor;
  const executable = await tf.loadExecutable(await tf.artifactFiles(model.toConcreteFunctions()));
  const got = executable.predict(inputs.length === 1 ? inputs[0]! : inputs) as tf.Tensor;
  expect(got.shape).toEqual(want.shape);
  expect(await got.data()).toEqual(await want.data());
  executable.dispose();
}

const values = (shape: readonly number[], dtype: "float32" | "int32" = "float32"): tf.Tensor => {
  const count = shape.reduce((n, d) => n * d, 1);
  const numbers = Array.from({ length: count }, (_, i) => (dtype === "int32" ? i % 5 : Math.sin(i)));
  return tf.tensor(numbers, shape as number[], dtype) as tf.Tensor;
};

test.each(Object.entries(cases))("%s", async (_, { make, shape, dtype }) => {
  const x = tf.input({ shape: [...shape], dtype: dtype ?? "float32" });
  // boundary: a layer of any kind is applied
  const model = tf.model({ inputs: x, outputs: make().apply(x as never) as never }) as tf.Model;
  for (const batch of [2, 3]) await holdSame(model, [values([batch, ...shape], dtype)]);
});

test.each(merging)("%s", async (name) => {
  const inputs = [tf.input({ shape: [3], name: "a" }), tf.input({ shape: [3], name: "b" })] as const;
  const merge = (layers[name] as (options?: object) => tf.Layer)({});
  const model = tf.model({ inputs: inputs as never, outputs: merge.apply(inputs as never) as never }) as tf.Model;
  await holdSame(model, [values([2, 3]), values([2, 3])]);
});
