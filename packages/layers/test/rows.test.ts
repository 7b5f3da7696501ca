// Optimizers on gradients that are rows: as Keras does it, and as with the whole gradient.
import { readFileSync } from "node:fs";
import * as tf from "@millrace/autodiff";
import { optimizers } from "../src/index.js";

tf.registerReferenceBackend();

interface Case {
  readonly name: "sgd" | "adam" | "adamW" | "rmsprop";
  readonly config: { readonly learningRate: number };
  readonly steps: readonly (readonly number[])[];
  readonly table: readonly number[];
}

const keras = JSON.parse(readFileSync(new URL("keras/rows.json", import.meta.url), "utf8")) as {
  readonly start: number[][];
  readonly weights: number[][];
  readonly cases: readonly Case[];
};

/** The table after these steps, and whether each gradient was rows. */
function train({ name, config, steps }: Case, way: "eager" | "function" | "whole"): tf.Variable {
  const table = tf.variable(keras.start);
  const optimizer = optimizers[name](config);
  optimizer.build([table]);
  const step = (rows: tf.Tensor): void => {
    const tape = new tf.GradientTape();
    const loss = tape.run(() => tf.sum(tf.mul(tf.square(tf.gather(table, rows)), keras.weights)));
    const gradient = tape.gradient(loss, table);
    if (!tf.isIndexedSlices(gradient)) throw new Error("the gradient is dense");
    optimizer.applyGradients([[way === "whole" ? gradient.toDense() : gradient, table]]);
  };
  const run = way === "function" ? tf.fn(step) : step;
  for (const rows of steps) run(tf.tensor(Int32Array.from(rows)));
  return table;
}

test.each(keras.cases)("$name $config on rows $steps", (it) => {
  const want = train(it, "whole").dataSync();
  for (const way of ["eager", "function"] as const) {
    const found = train(it, way).dataSync();
    found.forEach((x: number, i: number) => {
      expect(x).toBeCloseTo(it.table[i]!, 5);
      expect(x).toBeCloseTo(Number(want[i]), 6);
    });
  }
});

test("bounds on gradients make them whole", () => {
  const config = { learningRate: 0.1, globalClipnorm: 0.5 };
  const it: Case = { name: "sgd", config, steps: keras.cases[0]!.steps, table: [] };
  expect(train(it, "eager").dataSync()).toEqual(train(it, "whole").dataSync());
});

test("an embedding learns the same by minimize, in a function and without", () => {
  const losses = [false, true].map((traced) => {
    const table = tf.variable(keras.start);
    const optimizer = optimizers.adam({ learningRate: 0.1 });
    optimizer.build([table]);
    const step = (): tf.Tensor =>
      optimizer.minimize(() => tf.add(tf.sum(tf.square(tf.gather(table, [1, 2, 1]))), tf.sum(tf.gather(table, [0]))));
    const run = traced ? tf.fn(step) : step;
    return [0, 1, 2, 3].map(() => Number(run().itemSync()));
  });
  expect(losses[0]![3]).toBeLessThan(losses[0]![0]!);
  losses[0]!.forEach((loss, i) => {
    expect(losses[1]![i]).toBeCloseTo(loss, 5);
  });
});
