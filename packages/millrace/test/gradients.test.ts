// Gradients of whole functions, and gradients of these, against TensorFlow's; gradients/make.py wrote what is expected.
import { readFileSync } from "node:fs";
import * as tf from "../src/index.js";
import { functions } from "./gradients/functions.js";

interface Expected {
  readonly shapes: readonly number[][];
  readonly value: number;
  readonly gradient: readonly number[][];
  readonly second: readonly number[][];
}

const { cases } = JSON.parse(readFileSync(new URL("./gradients/expected.json", import.meta.url), "utf8")) as {
  readonly cases: Readonly<Record<string, Expected>>;
};

test("both sides have the same functions", () => expect(Object.keys(functions)).toEqual(Object.keys(cases)));

/** The data of make.py. */
function data(shape: readonly number[], seed: number, dtype: tf.DType): tf.Tensor {
  const count = shape.reduce((n, d) => n * d, 1);
  const values = Float64Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898 + seed * 78.233));
  return tf.cast(tf.tensor(values, shape), dtype);
}

const weighted = (y: tf.Tensor, seed: number): tf.Tensor => tf.sum(tf.mul(y, data(y.shape, seed, y.dtype)));

/** Everything at once: the value, its gradient, and that of the gradient's weighted sum. */
function derivatives(f: (...xs: tf.Tensor[]) => tf.Tensor, xs: readonly tf.Tensor[]): tf.Tensor[] {
  const value = (...args: tf.Tensor[]): tf.Tensor => weighted(f(...args), 91);
  const along = (...args: tf.Tensor[]): tf.Tensor => {
    const parts = tf
      .grads(value)(args)
      .map((g, i) => weighted(g as tf.Tensor, 92 + i));
    return parts.reduce((sum, part) => tf.add(sum, part));
  };
  const tape = new tf.GradientTape();
  const total = tape.run(() => {
    for (const x of xs) tape.watch(x);
    return along(...xs);
  });
  const second = tape.gradient(total, [...xs], { unconnectedGradients: "zero" });
  return [value(...xs), ...tf.grads(value)([...xs]), ...second];
}

/** The largest difference, beside the largest number. */
function distance(got: tf.Tensor, want: readonly number[]): number {
  const values = Array.from(got.dataSync(), Number);
  expect(values.length).toBe(want.length);
  const size = Math.max(1, ...want.map(Math.abs));
  return Math.max(0, ...want.map((w, i) => Math.abs(values[i]! - w) / size));
}

// What is kept has eight digits.
const precisions = [
  { dtype: "float32", first: 1e-5, second: 1e-5 },
  { dtype: "float64", first: 1e-7, second: 1e-7 },
] as const;

describe.each(precisions)("in $dtype", ({ dtype, first, second }) => {
  describe.each(Object.entries(cases))("%s", (name, want) => {
    test.each(["eager", "traced"])("%s", (mode) => {
      const f = functions[name]!;
      const all = (...xs: tf.Tensor[]): tf.Tensor[] => derivatives(f, xs);
      const xs = want.shapes.map((shape, i) => data(shape, i + 1, dtype));
      const [value, ...rest] = (mode === "traced" ? tf.fn(all) : all)(...xs);
      const found = {
        value: distance(value!, [want.value]),
        first: Math.max(...want.gradient.map((w, i) => distance(rest[i]!, w))),
        second: Math.max(...want.second.map((w, i) => distance(rest[want.shapes.length + i]!, w))),
      };
      expect(found.value).toBeLessThan(first);
      expect(found.first).toBeLessThan(first);
      expect(found.second).toBeLessThan(second);
    });
  });
});
