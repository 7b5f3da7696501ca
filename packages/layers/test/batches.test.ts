import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { type Batch, layers, optimizers, type Sequential, sequential } from "../src/index.js";
import { codeOf as code, values } from "./helpers.js";

tf.registerReferenceBackend();
beforeEach(() => tf.setRandomSeed(5));

const x = tf.tensor([
  [0, 1],
  [1, 2],
  [2, 0],
  [3, 1],
  [4, 4],
  [5, 0],
  [6, 2],
]);
const y = tf.tensor([[1], [3], [2], [4], [8], [5], [8]]);

/** y = x₀ + x₁, to be learned by a dense layer of one unit. */
function linear(learningRate = 0.01): Sequential {
  const net = sequential([layers.dense({ units: 1, inputShape: [2], kernelInitializer: "zeros" })]);
  net.compile({ optimizer: optimizers.sgd({ learningRate }), loss: "mse", metrics: ["mae"] });
  return net as Sequential;
}

describe("sources of batches", () => {
  const batch = (from: number, to: number): Batch => ({
    xs: tf.slice(x, [from, 0], [to - from, 2]),
    ys: tf.slice(y, [from, 0], [to - from, 1]),
  });
  async function* generator(): AsyncGenerator<Batch> {
    yield batch(0, 4);
    yield batch(4, 7);
  }

  const trained = async (f: (net: Sequential) => Promise<unknown>): Promise<number[]> => {
    const net = linear();
    await f(net);
    return net.getWeights().flatMap(values);
  };

  test("tensors, a list, generators, tuples and typed arrays train alike", async () => {
    const options = { epochs: 2, verbose: 0 } as const;
    const want = await trained((net) => net.fit(x, y, { ...options, batchSize: 4, shuffle: false }));
    const typed = (from: number, to: number): Batch => [
      Float32Array.from(values(x).slice(2 * from, 2 * to)),
      Float32Array.from(values(y).slice(from, to)),
    ];
    expect(await trained((net) => net.fit([batch(0, 4), batch(4, 7)], options))).toEqual(want);
    expect(await trained((net) => net.fit(generator, options))).toEqual(want);
    expect(await trained((net) => net.fit({ [Symbol.asyncIterator]: generator }, options))).toEqual(want);
    expect(await trained((net) => net.fit([typed(0, 4), typed(4, 7)], options))).toEqual(want);
  });

  test("what can be read once needs stepsPerEpoch", async () => {
    expect(await code(() => linear().fit(generator(), { verbose: 0 }))).toBe("E_EXHAUSTED");
    await expect(linear().fit(generator(), { verbose: 0 })).rejects.toThrow(
      "Pass the generator function, not its result",
    );
    const { history } = await linear().fit(generator(), { epochs: 2, stepsPerEpoch: 1, verbose: 0 });
    expect(history.loss!.length).toBe(2);
    expect(await code(() => linear().fit(generator(), { epochs: 3, stepsPerEpoch: 1, verbose: 0 }))).toBe(
      "E_EXHAUSTED",
    );
  });

  test("a source that a step fails on is closed", async () => {
    let closed = false;
    const source = async function* (): AsyncGenerator<Batch> {
      try {
        yield { xs: tf.zeros([2, 3]), ys: tf.zeros([2, 1]) };
      } finally {
        closed = true;
      }
    };
    expect(await code(() => linear().fit(source, { verbose: 0 }))).toBe("E_SHAPE");
    expect(closed).toBe(true);
  });

  test("a dataset's batches are freed, a generator's are not", async () => {
    const made = [batch(0, 4), batch(4, 7)] as { xs: Tensor; ys: Tensor }[];
    const dataset = {
      [Symbol.for("millrace.dataset")]: true,
      cardinality: () => 2,
      async *[Symbol.asyncIterator]() {
        yield* made;
      },
    };
    await linear().fit(
      async function* () {
        yield* made;
      },
      { verbose: 0 },
    );
    expect(made.map(({ xs }) => xs.isDisposed)).toEqual([false, false]);
    await linear().fit(dataset, { verbose: 0 });
    expect(made.map(({ xs, ys }) => xs.isDisposed && ys.isDisposed)).toEqual([true, true]);
  });

  test("evaluate and predict on a source", async () => {
    const net = linear();
    await net.fit(x, y, { epochs: 3, verbose: 0 });
    const [whole, parts] = [await net.evaluate(x, y), await net.evaluate(generator)];
    for (const name of ["loss", "mae"]) expect(parts[name]).toBeCloseTo(whole[name]!, 4);
    const joined = (await net.predict(generator)) as Tensor;
    expect(joined.shape).toEqual([7, 1]);
    expect(values(joined)).toEqual(values(net.predict(x) as Tensor));
  });
});
