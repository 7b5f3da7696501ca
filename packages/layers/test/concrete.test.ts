// A model as functions to take elsewhere: its names, its sizes, and the same numbers as predict.
import * as tf from "@millrace/autodiff";
import { input, layers, model, sequential } from "../src/index.js";

tf.registerReferenceBackend();

test("a sequential model gives one function for any batch, with the numbers of predict", () => {
  const net = sequential([
    layers.conv2d({ filters: 2, kernelSize: 3, activation: "relu", inputShape: [6, 6, 1] }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.flatten(),
    layers.dropout({ rate: 0.5 }),
    layers.dense({ units: 3, activation: "softmax" }),
  ]);
  const functions = net.toConcreteFunctions();
  const executable = new tf.Executable(functions);
  expect(executable.signatures.serving_default).toEqual({
    inputs: [{ name: "input", dtype: "float32", shape: ["batch", 6, 6, 1] }],
    outputs: [{ name: "output", dtype: "float32", shape: ["batch", 3] }],
  });
  expect(functions[0]!.weights.map((w) => w.value)).toEqual(net.weights);
  for (const batch of [1, 4]) {
    const x = tf.randomUniform([batch, 6, 6, 1]) as tf.Tensor;
    const predicted = executable.predict(x) as tf.Tensor;
    expect(predicted.arraySync()).toEqual((net.predict(x) as tf.Tensor).arraySync());
  }
});

test("a functional model keeps its names and dtypes", () => {
  const ids = input({ shape: [null], dtype: "int32", name: "ids" });
  const extra = input({ shape: [4], name: "extra" });
  const pooled = layers.embedding({ inputDim: 7, outputDim: 4 }).apply(ids);
  const both = layers.add({ name: "sum" }).apply([layers.dense({ units: 4 }).apply(pooled), extra]);
  const net = model({ inputs: [ids, extra], outputs: both });
  const executable = new tf.Executable(net.toConcreteFunctions());
  expect(executable.signatures.serving_default!.inputs).toEqual([
    { name: "ids", dtype: "int32", shape: ["batch", "ids_1"] },
    { name: "extra", dtype: "float32", shape: ["batch", 4] },
  ]);
});

test("a model without an input shape says so", () => {
  expect(() => sequential([layers.dense({ units: 1 })]).toConcreteFunctions()).toThrow(/input shape is not known/);
});

test("a function made of a model knows which layer each node comes from", () => {
  const net = sequential([
    layers.dense({ units: 4, activation: "relu", inputShape: [3], name: "hidden" }),
    layers.dropout({ rate: 0.5 }),
    layers.dense({ units: 2, name: "out" }),
  ]);
  const [f] = net.toConcreteFunctions();
  const found = f!.graph.nodes.map((node) => `${f!.layers!.get(node)} ${node.op.name}`);
  expect(found).toEqual([
    "hidden dotGeneral",
    "hidden broadcastInDim",
    "hidden add",
    "hidden relu",
    "out dotGeneral",
    "out broadcastInDim",
    "out add",
  ]);
});
