// Models that learn from datasets whose functions are programs, on the native backend.
import * as tf from "../src/index.js";

const count = 64;
const source = tf.data.fromTensorSlices({
  xs: Array.from({ length: count }, (_, i) => [i / count, 1 - i / count]),
  ys: Array.from({ length: count }, (_, i) => [i % 3]),
});

const batches = (trace?: boolean): tf.data.Dataset<{ xs: tf.Tensor; ys: tf.Tensor }> => {
  const options = trace === undefined ? {} : { trace };
  return source
    .map(({ xs, ys }) => ({ xs: xs.sub(0.5).mul(2), ys: ys.div(3) }), options)
    .filter(({ xs }) => xs.slice([0], [1]).sum().greater(-0.75), options)
    .shuffle(16, 5)
    .batch(8)
    .map(({ xs, ys }) => ({ xs: xs.add(xs.mean(0)), ys }), options);
};

async function learn(trace?: boolean): Promise<{ loss: readonly number[]; ds: ReturnType<typeof batches> }> {
  tf.setRandomSeed(3);
  const model = tf.sequential([
    tf.layers.dense({ units: 4, activation: "tanh", inputShape: [2] }),
    tf.layers.dense({ units: 1 }),
  ]);
  model.compile({ optimizer: tf.optimizers.adam({ learningRate: 0.05 }), loss: "meanSquaredError" });
  const ds = batches(trace);
  const { history } = await model.fit(ds, { epochs: 4, verbose: 0, validationData: ds });
  const before = tf.memory().numTensors;
  await model.fit(ds, { epochs: 1, verbose: 0 });
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
  return { loss: [...history.loss!, ...history.val_loss!], ds };
}

test("fit learns the same from programs and from JavaScript, and frees what it took", async () => {
  const plain = await learn(false);
  const traced = await learn();
  expect(traced.loss).toHaveLength(8);
  for (const [i, loss] of traced.loss.entries()) expect(loss).toBeCloseTo(plain.loss[i]!, 5);
  expect(`${traced.ds.explain()}`.split("\n")).toEqual([
    "fromTensorSlices",
    "map: traced, 1 graph",
    "filter: traced, 1 graph",
    "shuffle",
    "batch",
    "map: traced, 2 graphs",
  ]);
});

test("a model's own programs are pure", async () => {
  const warnings: string[] = [];
  tf.setLogger({ warn: (message) => warnings.push(message) });
  tf.debugging.checkPurity(true);
  try {
    await learn();
  } finally {
    tf.debugging.checkPurity(false);
    tf.setLogger();
  }
  expect(warnings).toEqual([]);
});

test("an augmentation draws anew for each element, as one program", async () => {
  const ds = source.map(({ xs }) => xs.mul(0).add(tf.randomUniform([2])));
  const drawn = await ds.toArray();
  expect(new Set(drawn.flatMap((x) => [...x.dataSync()])).size).toBe(2 * count);
  expect(ds.explain().stages[1]!.function).toMatchObject({ runs: "traced", graphs: { length: 1 } });
  tf.dispose(drawn);
});
