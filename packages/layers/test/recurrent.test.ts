// Recurrent layers and masks against Keras: recurrent.json was written by keras/recurrent.py with Keras 3.15.1.
import { readFileSync } from "node:fs";
import type { NestedValues, Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { type Layer, layers, losses, type Model, sequential } from "../src/index.js";

tf.registerReferenceBackend();

type Values = NestedValues;
interface Case {
  readonly name: string;
  readonly x: Values;
  readonly states: readonly Values[];
  readonly mask: readonly (readonly boolean[])[] | null;
  readonly weights: readonly Values[];
  readonly ys: readonly Values[];
  readonly grads: readonly Values[];
}
interface Expected {
  readonly cases: readonly Case[];
  readonly model: { tokens: Values; labels: Values; weights: Values[]; ys: Values; loss: number };
  readonly masking: { x: Values; weights: Values[]; ys: Values };
}
const file = new URL("keras/recurrent.json", import.meta.url);
const expected = JSON.parse(readFileSync(file, "utf8")) as Expected;

const gru = (options: object): Layer => layers.gru({ units: 3, ...options });
const lstm = (options: object): Layer => layers.lstm({ units: 3, ...options });
const sequences = { returnSequences: true } as const;
const both = { returnSequences: true, returnState: true } as const;
const backwards = { returnSequences: true, goBackwards: true } as const;
const ofGru = (name: string, more: object): Record<string, () => Layer> => ({
  [name]: () => gru(more),
  [`${name} sequences`]: () => gru({ ...more, ...both }),
  [`${name} backwards`]: () => gru({ ...more, ...backwards }),
  [`${name} no bias`]: () => gru({ ...more, units: 2, useBias: false, returnState: true }),
  [`${name} states`]: () => gru({ ...more, ...sequences }),
  [`${name} mask`]: () => gru({ ...more, ...sequences }),
  [`${name} mask holes`]: () => gru({ ...more, ...backwards }),
  [`${name} relu`]: () => gru({ ...more, ...sequences, activation: "relu" }),
});
const two = (mergeMode: "concat" | "sum" | "ave" | "mul" | null): Layer =>
  layers.bidirectional({ layer: layers.lstm({ units: 2, ...sequences }), mergeMode });
const make: Readonly<Record<string, () => Layer>> = {
  ...ofGru("gru", {}),
  ...ofGru("gru resetFirst", { resetAfter: false }),
  "lstm states": () => lstm(both),
  "lstm mask": () => lstm(sequences),
  "lstm mask last": () => lstm({ returnState: true }),
  "lstm mask backwards": () => lstm(backwards),
  "lstm relu mask": () => lstm({ activation: "relu", returnState: true }),
  simpleRNN: () => layers.simpleRNN({ units: 3, ...both }),
  "simpleRNN backwards mask": () => layers.simpleRNN({ units: 3, ...backwards }),
  "rnn stacked": () => layers.rnn({ cell: [layers.gruCell({ units: 3 }), layers.lstmCell({ units: 2 })], ...both }),
  "bidirectional concat": () => two("concat"),
  "bidirectional sum": () => two("sum"),
  "bidirectional ave": () => two("ave"),
  "bidirectional mul": () => two("mul"),
  "bidirectional None": () => two(null),
  "bidirectional last": () => layers.bidirectional({ layer: layers.gru({ units: 2, returnState: true }) }),
  "bidirectional mask": () => two("concat"),
  "bidirectional backward": () =>
    layers.bidirectional({
      layer: layers.lstm({ units: 2 }),
      backwardLayer: layers.gru({ units: 3, goBackwards: true }),
    }),
  timeDistributed: () => layers.timeDistributed({ layer: layers.dense({ units: 2, activation: "tanh" }) }),
};

const flat = (t: Values): number[] => [t].flat(Number.POSITIVE_INFINITY as 1) as number[];
const tensor = (v: Values): Tensor => tf.tensor(v as number[]) as Tensor;
function expectClose(got: Tensor, want: Values): void {
  const numbers = Array.from(got.dataSync() as Float32Array);
  const wanted = flat(want);
  expect(numbers.length).toBe(wanted.length);
  for (const [i, y] of wanted.entries()) expect(Math.abs(numbers[i]! - y)).toBeLessThan(2e-5 * (1 + Math.abs(y)));
}

test("every case of the file is made here", () => {
  expect(expected.cases.map(({ name }) => name).sort()).toEqual(Object.keys(make).sort());
});

test.each(expected.cases)("$name, with gradients", ({ name, x, states, mask, weights, ys, grads }) => {
  const layer = make[name]!();
  const inputs = [x, ...states].map(tensor);
  const options = mask ? { mask: tf.tensor(mask as never, undefined, "bool") as Tensor } : {};
  const run = (own: Tensor): readonly Tensor[] => {
    const made = layer.applyTensors(states.length > 0 ? [own, ...inputs.slice(1)] : own, options);
    return Array.isArray(made) ? made : [made as Tensor];
  };
  run(inputs[0]!);
  layer.setWeights(weights.map(tensor));
  const results = run(inputs[0]!);
  expect(results.length).toBe(ys.length);
  results.forEach((y, i) => {
    expectClose(y, ys[i]!);
  });
  const variable = tf.variable(inputs[0]!);
  const all = [variable, ...layer.trainableWeights];
  const tape = new tf.GradientTape();
  const loss = tape.run(() => {
    const squares = run(variable as never as Tensor).map((y): Tensor => tf.sum(tf.square(y) as Tensor));
    return squares.reduce((sum, one) => tf.add(sum, one) as Tensor);
  });
  const found = tape.gradient(loss, all) as readonly Tensor[];
  found.forEach((g, i) => {
    expectClose(g, grads[i]!);
  });
});

const masked = (): Model =>
  sequential([
    layers.inputLayer({ inputShape: [5], dtype: "int32" }),
    layers.embedding({ inputDim: 6, outputDim: 3, maskZero: true }),
    layers.dropout({ rate: 0.5 }),
    layers.bidirectional({ layer: layers.gru({ units: 2, ...sequences }) }),
    layers.lstm({ units: 3, ...sequences }),
    layers.timeDistributed({ layer: layers.dense({ units: 2 }) }),
  ]) as never as Model;

test("a mask goes from the embedding through all layers to the loss", () => {
  const { tokens, labels, weights, ys, loss } = expected.model;
  const model = masked();
  model.setWeights(weights.map(tensor));
  const x: Tensor = tf.tensor(tokens as number[], undefined, "int32");
  const y = model.apply(x as never) as Tensor;
  expectClose(y, ys);
  const made = losses.meanSquaredError({}).apply(tensor(labels), y);
  expect(Math.abs(Number(made.dataSync()[0]) - loss)).toBeLessThan(1e-5);
  const inFunction = tf.fn((t: Tensor) =>
    losses.meanSquaredError({}).apply(tensor(labels), model.apply(t as never) as Tensor),
  );
  expect(Math.abs(Number((inFunction(x) as Tensor).dataSync()[0]) - loss)).toBeLessThan(1e-5);
});

test("masking leaves steps out", () => {
  const model = sequential([
    layers.inputLayer({ inputShape: [4, 3] }),
    layers.masking({ maskValue: 0.5 }),
    layers.simpleRNN({ units: 2 }),
  ]) as never as Model;
  model.setWeights(expected.masking.weights.map(tensor));
  expectClose(model.apply(tensor(expected.masking.x) as never) as Tensor, expected.masking.ys);
});

test("unrolled and as a loop a cell gives the same, for any number of steps", () => {
  const cell = (): Layer => layers.gruCell({ units: 3, activation: "softsign" }) as Layer;
  const [loop, steps] = [false, true].map((unroll) => layers.rnn({ cell: cell() as never, unroll, ...both }));
  const x: Tensor = tf.randomNormal([2, 5, 3], 0, 1, "float32", 5);
  const [a, b] = [loop!, steps!].map((layer) => {
    layer.buildFor([null, null, 3]);
    layer.setWeights(loop!.getWeights() as never);
    return layer.applyTensors(x, {}) as readonly Tensor[];
  });
  for (const [i, y] of a!.entries()) expectClose(b![i]!, y.arraySync() as Values);
  const run = tf.fn((t: Tensor) => (loop!.applyTensors(t, {}) as readonly Tensor[])[0]!);
  expectClose(run(x) as Tensor, a![0]!.arraySync() as Values);
  expect((run(tf.slice(x, [0, 0, 0], [2, 3, 3]) as Tensor) as Tensor).shape).toEqual([2, 3, 3]);
});

test("a stateful layer goes on where it ended, until its states are reset", () => {
  const layer = layers.gru({ units: 3, stateful: true });
  const plain = layers.gru({ units: 3 });
  const x: Tensor = tf.randomNormal([2, 6, 3], 0, 1, "float32", 6);
  const half = (from: number): Tensor => tf.slice(x, [0, from, 0], [2, 3, 3]) as Tensor;
  plain.buildFor([null, null, 3]);
  layer.buildFor([2, null, 3]);
  plain.setWeights(layer.getWeights() as never);
  layer.applyTensors(half(0), {});
  const whole = (plain.applyTensors(x, {}) as Tensor).arraySync() as Values;
  expectClose(layer.applyTensors(half(3), {}) as Tensor, whole);
  layer.resetStates();
  layer.applyTensors(half(0), {});
  expectClose(layer.applyTensors(half(3), {}) as Tensor, whole);
  expect(() => layer.applyTensors(tf.zeros([3, 3, 3]) as Tensor, {})).toThrow("batches of one size");
});

test("what does not fit is refused", () => {
  expect(() => layers.bidirectional({ layer: layers.dense({ units: 2 }) as Layer })).toThrow("takes a recurrent layer");
  expect(() => layers.bidirectional({ layer: gru({}), backwardLayer: gru({}) })).toThrow("read in one direction");
  expect(() => layers.bidirectional({ layer: gru({}), mergeMode: "max" as never })).toThrow("mergeMode is one of");
  expect(() => layers.rnn({ cell: layers.dense({ units: 2 }) as never })).toThrow("a cell is needed");
  expect(() => layers.stackedRNNCells({ cells: [] })).toThrow("one cell at least");
  const x: Tensor = tf.zeros([2, 4, 3]);
  expect(() => gru({}).applyTensors([x, x, x], {})).toThrow("needs 1 states, got 2");
  expect(() => layers.gruCell({ units: 2 }).applyTensors([tf.zeros([2, 3]) as Tensor], {})).toThrow(
    "takes [x, ...states]",
  );
});
