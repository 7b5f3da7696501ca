// One network, its recurrence written in three ways: the same loss, gradients and training. And one trace for every batch.
import * as tf from "../src/index.js";

type T = tf.Tensor;

const [time, features, units] = [6, 3, 5];

/** Deterministic numbers in (−1, 1). */
function data(shape: readonly number[], seed: number): T {
  const count = shape.reduce((n, d) => n * d, 1);
  return tf.tensor(
    Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898 + seed * 78.233)),
    shape,
  );
}

interface Weights {
  readonly kernel: tf.Variable;
  readonly recurrent: tf.Variable;
  readonly readout: tf.Variable;
}

const makeWeights = (): Weights => ({
  kernel: tf.variable(tf.mul(data([features, units], 1), 0.5)),
  recurrent: tf.variable(tf.mul(data([units, units], 2), 0.3)),
  readout: tf.variable(data([units, 1], 3)),
});

const step = (h: T, x: T, { kernel, recurrent }: Weights): T =>
  tf.tanh(tf.add(tf.matMul(x, kernel), tf.matMul(h, recurrent)));
/** Zeros [batch, units], made of a row so that the batch may be of any size. */
const startOf = (rows: T, w: Weights): T => tf.zerosLike(tf.matMul(tf.gather(rows, 0), w.kernel));

/** The last state, from rows [time, batch, features]. */
const recurrences: Readonly<Record<string, (rows: T, w: Weights) => T>> = {
  whileLoop: (rows, w) =>
    tf.whileLoop(
      (i) => tf.less(i, time),
      (i, h) => [tf.add(i, 1), step(h!, tf.gather(rows, i), w)],
      [tf.scalar(0, "int32"), startOf(rows, w)],
    )[1]!,
  "whileLoop with a bound": (rows, w) =>
    tf.whileLoop(
      (i) => tf.less(i, time),
      (i, h) => [tf.add(i, 1), step(h!, tf.gather(rows, i), w)],
      [tf.scalar(0, "int32"), startOf(rows, w)],
      { maximumIterations: time },
    )[1]!,
  scan: (rows, w) =>
    tf.gather(
      tf.scan((h: T, row: T) => step(h, row, w), rows, startOf(rows, w)),
      time - 1,
    ),
  unrolled: (rows, w) =>
    Array.from({ length: time }, (_, i) => i).reduce((h, i) => step(h, tf.gather(rows, i), w), startOf(rows, w)),
};

type Recurrence = (typeof recurrences)[string];

const lossOf = (recurrence: Recurrence, rows: T, want: T, w: Weights): T =>
  tf.mean(tf.square(tf.sub(tf.matMul(recurrence(rows, w), w.readout), want)));

const rows = data([time, 4, features], 4);
const want = data([4, 1], 5);

const numbers = (x: T): number[] => Array.from(x.dataSync(), Number);

function expectClose(got: readonly number[], expected: readonly number[]): void {
  for (const [i, value] of got.entries()) expect(value).toBeCloseTo(expected[i]!, 5);
}

function lossAndGradients(recurrence: Recurrence, isTraced: boolean): number[][] {
  const w = makeWeights();
  const run = (xs: T, ys: T): T[] => {
    const { value, grads } = tf.variableGrads(() => lossOf(recurrence, xs, ys, w) as tf.Scalar);
    return [value, ...[w.kernel, w.recurrent, w.readout].map((v) => grads[v.name]!)];
  };
  return (isTraced ? tf.fn(run) : run)(rows, want).map(numbers);
}

describe.each(Object.entries(recurrences))("%s", (_, recurrence) => {
  test.each([false, true])("gives the loss and gradients of the unrolled one; traced: %s", (isTraced) => {
    const expected = lossAndGradients(recurrences.unrolled!, false);
    lossAndGradients(recurrence, isTraced).forEach((values, i) => {
      expectClose(values, expected[i]!);
    });
  });

  test("trains", () => {
    const w = makeWeights();
    const optimizer = tf.train.adam(0.03);
    const train = tf.fn((xs: T, ys: T) => optimizer.minimize(() => lossOf(recurrence, xs, ys, w)));
    const losses = Array.from({ length: 60 }, () => train(rows, want).itemSync() as number);
    expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.05);
    expect(train.tracingCount()).toBe(1);
  });
});

/** Programs that are compiled, of all backends. */
const compiled = (): number => Object.values(tf.memory().backends).reduce((n, { executables }) => n + executables, 0);

test("one trace serves batches of 1 to 512, and no size compiles a program", () => {
  const w = makeWeights();
  const gradient = tf.fn(
    (xs: T, ys: T) => {
      const { value, grads } = tf.variableGrads(() => lossOf(recurrences.scan!, xs, ys, w) as tf.Scalar);
      return [value, grads[w.recurrent.name]!];
    },
    {
      inputSignature: [
        { dtype: "float32", shape: [time, null, features] },
        { dtype: "float32", shape: [null, 1] },
      ],
    },
  );
  const of = (batch: number): { got: number[][]; compiled: number } => {
    const args = [data([time, batch, features], batch), data([batch, 1], batch + 1)] as const;
    const before = compiled();
    return { got: gradient(...args).map(numbers), compiled: compiled() - before };
  };
  of(3);
  // Making the data is eager code, whose programs are for any size too.
  of(5);
  for (let batch = 1; batch <= 512; batch++) {
    const { got, compiled: made } = of(batch);
    expect({ batch, made, finite: got.flat().every(Number.isFinite) }).toEqual({ batch, made: 0, finite: true });
  }
  expect(gradient.tracingCount()).toBe(1);
  // The sizes are those of the values: as the function of one size gives.
  for (const batch of [1, 2, 17, 512]) {
    const [xs, ys] = [data([time, batch, features], batch), data([batch, 1], batch + 1)];
    const alone = tf.variableGrads(() => lossOf(recurrences.unrolled!, xs, ys, w) as tf.Scalar);
    const expected = [alone.value, alone.grads[w.recurrent.name]!].flatMap(numbers);
    expectClose(of(batch).got.flat(), expected);
  }
});

test("without a signature: the second size makes the trace that serves every other", () => {
  const w = makeWeights();
  const loss = tf.fn((xs: T) => tf.mean(recurrences.whileLoop!(xs, w)));
  for (let batch = 2; batch <= 40; batch++) loss(data([time, batch, features], batch));
  expect(loss.tracingCount()).toBe(2);
  const { retraces } = loss.explainRetraces();
  expect(retraces.map(({ changes }) => changes)).toEqual([
    [{ path: "argument 0", was: `float32[${time},2,${features}]`, became: `float32[${time},3,${features}]` }],
  ]);
});
