// Training on a device that is not the default.
import { ReferenceBackend } from "@millrace/core/backend";
import * as tf from "../src/index.js";

beforeAll(async () => {
  tf.registerBackend("second", () => new ReferenceBackend({ name: "second" }), { priority: -2 });
  await tf.setBackend("reference");
});

test("an optimizer keeps its state where the variables are", () => {
  const w = tf.device("second:0", () => tf.variable([2, 4]));
  const optimizer = tf.optimizers.adam({ learningRate: 1 });
  optimizer.minimize(() => tf.sum(tf.square(w)), [w]);
  expect(new Set(optimizer.variables.map((v) => v.device))).toEqual(new Set(["second:0"]));
  expect(w.arraySync()).toEqual([expect.closeTo(1, 4), expect.closeTo(3, 4)]);
});
