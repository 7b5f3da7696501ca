// Training an embedding makes no gradient of the size of its table, and writes the table in place.
import * as tf from "../src/index.js";

const [size, width] = [20_000, 32];
const tableBytes = 4 * size * width;
// boundary: what this backend counts besides
type CpuStats = tf.Memory["backends"][string] & Record<"arenaBytes" | "allocatedBytes", number>;
const stats = () => tf.memory().backends.cpu as CpuStats;
const onCpu = (await tf.ready().then(() => tf.getBackend())) === "cpu" ? test : test.skip;

const makers = {
  sgd: () => tf.optimizers.sgd({ learningRate: 0.1 }),
  momentum: () => tf.optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }),
  adam: () => tf.optimizers.adam({ learningRate: 0.1 }),
};

describe.each(["in a function", "eager"])("%s", (how) => {
  onCpu.each(Object.keys(makers) as (keyof typeof makers)[])("%s", async (name) => {
    const table = tf.variable(tf.fill([size, width], 0.5));
    const optimizer = makers[name]();
    optimizer.build([table]);
    const rows = tf.tensor(Int32Array.from({ length: 64 }, (_, i) => (i * 7919) % 1000));
    const minimize = (at: tf.Tensor): tf.Tensor =>
      optimizer.minimize(() => tf.sum(tf.square(tf.gather(table, at))), [table]);
    const step = how === "eager" ? minimize : tf.fn(minimize);
    await step(rows).data();
    const before = stats();
    const losses: number[] = [];
    for (let i = 0; i < 3; i++) losses.push(Number(await step(rows).item()));
    expect(losses[2]).toBeLessThan(losses[0]!);
    const after = stats();
    expect(after.arenaBytes).toBeLessThan(tableBytes / 4);
    expect(after.allocatedBytes - before.allocatedBytes).toBeLessThan(tableBytes / 4);
    optimizer.dispose();
    table.dispose();
  });
});

onCpu("a model with an embedding", async () => {
  const model = tf.sequential({
    layers: [
      tf.layers.embedding({ inputDim: size, outputDim: width, inputShape: [8] }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 1 }),
    ],
  });
  model.compile({ optimizer: "adam", loss: "mse" });
  const xs = tf.tensor(
    Int32Array.from({ length: 64 * 8 }, (_, i) => (i * 31) % size),
    [64, 8],
  );
  const ys = tf.ones([64, 1]);
  await model.trainOnBatch(xs, ys);
  const before = stats().allocatedBytes;
  const losses: number[] = [];
  for (let i = 0; i < 3; i++) losses.push((await model.trainOnBatch(xs, ys)).loss!);
  expect(losses[2]).toBeLessThan(losses[0]!);
  expect(stats().arenaBytes).toBeLessThan(tableBytes / 4);
  expect(stats().allocatedBytes - before).toBeLessThan(tableBytes / 4);
});
