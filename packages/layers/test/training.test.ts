import * as tf from "@millrace/autodiff";
import { layers, optimizers, sequential } from "../src/index.js";

tf.registerReferenceBackend();

const xorX = tf.tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
const xorY = tf.tensor([[0], [1], [1], [0]]);

describe("XOR", () => {
  test("a small network learns it", async () => {
    tf.setRandomSeed(1);
    const net = sequential([
      layers.dense({ units: 8, activation: "tanh" }),
      layers.dense({ units: 1, activation: "sigmoid" }),
    ]);
    net.compile({
      optimizer: optimizers.adam({ learningRate: 0.05 }),
      loss: "binaryCrossentropy",
      metrics: ["accuracy"],
    });
    const { history } = await net.fit(xorX, xorY, { epochs: 200, verbose: 0 });
    expect(Object.keys(history)).toEqual(["loss", "accuracy"]);
    expect(history.loss!.at(-1)!).toBeLessThan(0.1);
    expect(history.accuracy!.at(-1)).toBe(1);
    const y = net.predict(xorX).dataSync();
    expect([...y].map(Math.round)).toEqual([0, 1, 1, 0]);
  });
});

test("a small CNN with everything that is between its layers tells lying bars from standing ones", async () => {
  tf.setRandomSeed(3);
  const size = 6;
  const images: number[] = [];
  const labels: number[] = [];
  for (let at = 0; at < size; at++) {
    for (const lies of [0, 1]) {
      for (let i = 0; i < size * size; i++) images.push(Number((lies ? Math.floor(i / size) : i % size) === at));
      labels.push(lies);
    }
  }
  const net = sequential([
    layers.conv2d({ filters: 8, kernelSize: 3, activation: "relu", inputShape: [size, size, 1] }),
    layers.batchNormalization({ momentum: 0.5 }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.flatten(),
    layers.dropout({ rate: 0.1 }),
    layers.dense({ units: 2, activation: "softmax" }),
  ]);
  net.compile({
    optimizer: optimizers.adam({ learningRate: 0.03 }),
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy"],
  });
  const xs = tf.tensor(images, [2 * size, size, size, 1]);
  const ys = tf.tensor(labels, [2 * size], "int32");
  await net.fit(xs, ys, { epochs: 15, batchSize: 6, verbose: 0 });
  const { accuracy } = await net.evaluate(xs, ys);
  expect(accuracy).toBe(1);
}, 30_000);
