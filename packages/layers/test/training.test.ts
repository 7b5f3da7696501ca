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
