// Against Keras: expected.json was written by keras/make.py with Keras 3.15.1.
import { readFileSync } from "node:fs";
import type { NestedValues, Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { type Layer, layers, losses, metrics, optimizers, regularizers, sequential } from "../src/index.js";

tf.registerReferenceBackend();

type Nested = number | Nested[];
interface Expected {
  readonly layers: readonly {
    readonly name: string;
    readonly config: Record<string, unknown>;
    readonly x: Nested;
    readonly training: boolean;
    readonly weights: readonly Nested[];
    readonly y: Nested;
    readonly after: readonly Nested[];
  }[];
  readonly losses: readonly {
    readonly name: string;
    readonly config: Record<string, unknown>;
    readonly t: Nested;
    readonly p: Nested;
    readonly weight: Nested | null;
    readonly y: Nested;
  }[];
  readonly optimizers: readonly {
    readonly name: string;
    readonly config: Record<string, unknown>;
    readonly start: readonly Nested[];
    readonly grads: readonly (readonly Nested[])[];
    readonly end: readonly Nested[];
    readonly state: readonly Nested[];
  }[];
  readonly metrics: readonly {
    readonly name: string;
    readonly t: Nested;
    readonly p: Nested;
    readonly weight: Nested | null;
    readonly y: number;
  }[];
  readonly training: {
    readonly start: readonly Nested[];
    readonly x: Nested;
    readonly y: Nested;
    readonly vx: Nested;
    readonly vy: Nested;
    readonly history: Record<string, readonly number[]>;
    readonly end: readonly Nested[];
    readonly evaluate: Record<string, number>;
    readonly predict: Nested;
  };
}

const expected = JSON.parse(readFileSync(new URL("keras/expected.json", import.meta.url), "utf8")) as Expected;

const flat = (x: Nested): number[] => (Array.isArray(x) ? x.flatMap(flat) : [x]);
const float = (x: Nested): Tensor => tf.tensor(x as NestedValues, undefined, "float32");
const int = (x: Nested): Tensor => tf.tensor(x as NestedValues, undefined, "int32");

/** Equal within `tolerance` of the greater of 1 and the wanted value. */
function near(got: Tensor, want: Nested, tolerance = 2e-5): void {
  const [have, wanted] = [Array.from(got.dataSync() as Float32Array), flat(want)];
  expect(have.length).toBe(wanted.length);
  for (const [i, w] of wanted.entries()) {
    const off = Math.abs(have[i]! - w) / Math.max(1, Math.abs(w));
    if (!(off <= tolerance)) throw new Error(`element ${i} is ${have[i]}, Keras has ${w}`);
  }
}

describe("layers", () => {
  const make = layers as unknown as Record<string, (config: unknown) => Layer>; // boundary: by name
  test.each(expected.layers.map((it) => [`${it.name} ${JSON.stringify(it.config)}`, it] as const))("%s", (_, it) => {
    const layer = make[it.name]!(it.config);
    const x = it.name === "embedding" ? int(it.x) : float(it.x);
    layer.buildFor([null, ...x.shape.slice(1)]);
    expect(layer.weights.length).toBe(it.weights.length);
    layer.setWeights(it.weights.map(float));
    const y = layer.apply(x, { training: it.training }) as Tensor;
    near(y, it.y);
    expect(layer.computeOutputShape(x.shape)).toEqual(y.shape);
    layer.weights.forEach((w, i) => {
      near(w, it.after[i]!);
    });
  });
});

describe("losses", () => {
  const make = losses as unknown as Record<string, (config: unknown) => losses.Loss>; // boundary: by name
  test.each(expected.losses.map((it) => [`${it.name} ${JSON.stringify(it.config)}`, it] as const))("%s", (_, it) => {
    const t = it.name.startsWith("sparse") ? int(it.t) : float(it.t);
    near(make[it.name]!(it.config).apply(t, float(it.p), it.weight === null ? null : float(it.weight)), it.y);
  });
});

describe("optimizers, five steps", () => {
  const make = optimizers as unknown as Record<string, (config: unknown) => optimizers.Optimizer>; // boundary: by name
  test.each(expected.optimizers.map((it) => [`${it.name} ${JSON.stringify(it.config)}`, it] as const))(
    "%s",
    (_, it) => {
      const optimizer = make[it.name]!(it.config);
      const variables = it.start.map((v, i) => tf.variable(float(v), { name: `v${i}` }));
      for (const grads of it.grads) optimizer.applyGradients(variables.map((v, i) => [float(grads[i]!), v] as const));
      variables.forEach((v, i) => {
        near(v, it.end[i]!, 1e-6);
      });
      // The state in the order of Keras's files.
      expect(optimizer.variables.map((v) => v.size)).toEqual(it.state.map((s) => flat(s).length));
      optimizer.variables.forEach((v, i) => {
        near(v, it.state[i]!, 1e-6);
      });
    },
  );
});

describe("metrics, two batches", () => {
  const make = metrics as unknown as Record<string, () => metrics.Metric>; // boundary: by name
  test.each(expected.metrics.map((it) => [it.name, it] as const))("%s", (_, it) => {
    const metric = make[it.name]!();
    const cut = (x: Nested, from: number): Nested => (x as Nested[]).slice(from, from + 2);
    for (const from of [0, 2]) {
      const t = it.name.startsWith("sparse") ? int(cut(it.t, from)) : float(cut(it.t, from));
      metric.updateState(t, float(cut(it.p, from)), it.weight === null ? null : float(cut(it.weight, from)));
    }
    near(metric.result(), it.y);
  });
});

test("training: weights and history after three epochs, the last batch of each smaller", async () => {
  const it = expected.training;
  const net = sequential([
    layers.inputLayer({ inputShape: [4] }),
    layers.dense({ units: 5, activation: "relu", kernelRegularizer: regularizers.l2({ l2: 0.01 }) }),
    layers.batchNormalization(),
    layers.dense({ units: 3, activation: "softmax" }),
  ]);
  net.setWeights(it.start.map(float));
  net.compile({
    optimizer: optimizers.adam({ learningRate: 0.05 }),
    loss: "sparse_categorical_crossentropy",
    metrics: ["accuracy"],
  });
  const [vx, vy] = [float(it.vx), int(it.vy)] as const;
  const options = { batchSize: 3, epochs: 3, shuffle: false, validationData: [vx, vy] as const, verbose: 0 } as const;
  const { history } = await net.fit(float(it.x), int(it.y), options);
  expect(Object.keys(history).sort()).toEqual(Object.keys(it.history).sort());
  for (const [name, values] of Object.entries(it.history)) near(tf.tensor(history[name]!), [...values], 1e-4);
  net.weights.forEach((w, i) => {
    near(w, it.end[i]!, 1e-4);
  });
  const logs = await net.evaluate(vx, vy);
  for (const [name, value] of Object.entries(it.evaluate)) expect(logs[name]).toBeCloseTo(value, 4);
  near(net.predict(vx), it.predict, 1e-4);
});
