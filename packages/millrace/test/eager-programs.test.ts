// What a tape runs in eager code: the rule of an op, a loss and its gradient are a program each.
import { createCpuBackend } from "@millrace/backend-cpu-napi";
import * as tf from "../src/index.js";

const backend = createCpuBackend();
tf.registerBackend("counted", () => backend, { priority: 100 });
afterAll(() => backend.close());
const runs = (): number => backend.stats().runs!;

/** Programs that run while `f` does. */
function programsOf(f: () => void): number {
  const before = runs();
  f();
  return runs() - before;
}

const x = tf.tensor([
  [-1, 0.5, 2],
  [3, -0.25, 0],
]);

test.each([
  ["relu", (y: tf.Tensor) => tf.relu(y)],
  ["tanh", (y: tf.Tensor) => tf.tanh(y)],
  ["softmax", (y: tf.Tensor) => tf.softmax(y)],
  ["leakyRelu", (y: tf.Tensor) => tf.leakyRelu(y)],
] as const)("the gradient of %s is one program, and that of a graph", (_, f) => {
  const outputGradients = tf.tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const gradient = (y: tf.Tensor): tf.Tensor => {
    const tape = new tf.GradientTape();
    tape.watch(y);
    return tape.gradient(
      tape.run(() => f(y)),
      y,
      { outputGradients },
    )!;
  };
  gradient(x);
  const tape = new tf.GradientTape({ persistent: true });
  tape.watch(x);
  const z = tape.run(() => f(x));
  tape.gradient(z, x, { outputGradients });
  expect(programsOf(() => tape.gradient(z, x, { outputGradients }))).toBe(1);
  const [eager, graph] = [gradient(x), tf.fn(gradient)(x)].map((g) => [...g.dataSync()]);
  for (const [i, value] of eager!.entries()) expect(value).toBeCloseTo(graph![i]!, 6);
});

test("an outer tape sees every op of an inner gradient", () => {
  const outer = new tf.GradientTape();
  const y = tf.tensor([0.5, -1]);
  outer.watch(y);
  const first = outer.run(() => {
    const inner = new tf.GradientTape();
    inner.watch(y);
    return inner.gradient(
      inner.run(() => tf.tanh(y)),
      y,
    )!;
  });
  // (tanh)″ = -2 tanh (1 - tanh²)
  const want = [0.5, -1].map((v) => -2 * Math.tanh(v) * (1 - Math.tanh(v) ** 2));
  for (const [i, value] of [...outer.gradient(first, y)!.dataSync()].entries()) expect(value).toBeCloseTo(want[i]!, 6);
});

describe("a loss in eager code", () => {
  const logits = tf.tensor([
    [1, 2, 3],
    [0, -1, 4],
  ]);
  const labels = tf.tensor([2, 0], undefined, "int32");

  test("is one program, and its gradient another; a size more needs no trace", () => {
    const loss = tf.losses.sparseCategoricalCrossentropy({ fromLogits: true });
    const step = (y: tf.Tensor, p: tf.Tensor): number => {
      const tape = new tf.GradientTape({ persistent: true });
      tape.watch(p);
      const value = tape.run(() => loss.apply(y, p));
      tape.gradient(value, p);
      return programsOf(() => tape.gradient(value, p)) + programsOf(() => loss.apply(y, p));
    };
    for (const count of [2, 3, 4]) {
      const [y, p] = [tf.zeros([count], "int32"), tf.ones([count, 3])];
      step(y, p);
      expect(step(y, p)).toBe(2);
    }
  });

  test("has the value and the gradient of its decomposition", () => {
    const loss = tf.losses.sparseCategoricalCrossentropy({ fromLogits: true });
    const gradient = tf.grad((p: tf.Tensor) => loss.apply(labels, p))(logits);
    const all = logits.arraySync() as number[][];
    const want = all.map((row, i) => {
      const sum = row.reduce((total, v) => total + Math.exp(v), 0);
      return row.map((v, j) => (Math.exp(v) / sum - (j === [2, 0][i] ? 1 : 0)) / 2);
    });
    (gradient.arraySync() as number[][]).forEach((row, i) => {
      for (const [j, value] of row.entries()) expect(value).toBeCloseTo(want[i]![j]!, 6);
    });
  });

  test("of the user's own class is called each time", () => {
    let calls = 0;
    class Counted extends tf.losses.MeanSquaredError {
      override call(yTrue: tf.Tensor, yPred: tf.Tensor): tf.Tensor {
        calls++;
        return super.call(yTrue, yPred);
      }
    }
    const loss = new Counted();
    for (let i = 0; i < 3; i++) loss.apply(logits, logits);
    expect(calls).toBe(3);
  });
});
