// Steps of an optimizer in eager code leave nothing behind, also where two flows take turns.
import process from "node:process";
import * as tf from "../src/index.js";

const steps = Number(process.env.MILLRACE_STEPS ?? 10_000);
const [batch, features, units] = [16, 32, 64];

/** A small network, its optimizer, and one step of it. */
function trainer(seed: number): () => tf.Tensor {
  const x = tf.randomNormal([batch, features], 0, 1, "float32", seed);
  const y = tf.randomNormal([batch, 1], 0, 1, "float32", seed + 1);
  const w = tf.variable(tf.randomNormal([features, units], 0, 0.1, "float32", seed + 2));
  const b = tf.variable(tf.zeros([units]));
  const v = tf.variable(tf.randomNormal([units, 1], 0, 0.1, "float32", seed + 3));
  const optimizer = tf.train.adam(1e-3);
  return () =>
    optimizer.minimize(() => tf.mean(tf.square(tf.sub(tf.matMul(tf.relu(tf.add(tf.matMul(x, w), b)), v), y))));
}

/** What lives after a step, and how much memory the process has. */
function held(): { tensors: number; bytes: number; backendBytes: number; resident: number } {
  const { numTensors, numBytes, backends } = tf.memory();
  const backendBytes = Object.values(backends).reduce((sum, { liveBytes }) => sum + liveBytes, 0);
  return { tensors: numTensors, bytes: numBytes, backendBytes, resident: process.memoryUsage().rss };
}

/** The state after a tenth of the steps, and after all: the first may be the largest that there is between two collections. */
async function run(
  stepsOf: (count: number) => Promise<void>,
): Promise<[early: ReturnType<typeof held>, late: ReturnType<typeof held>]> {
  await stepsOf(steps / 10);
  const early = held();
  await stepsOf((steps * 9) / 10);
  return [early, held()];
}

/** One tensor a step would be nine tenths of `steps`; what waits for the next collection is less than that, at both times. */
function expectFlat([early, late]: Awaited<ReturnType<typeof run>>): void {
  expect(late.tensors - early.tensors).toBeLessThan(steps / 10);
  expect(late.bytes - early.bytes).toBeLessThan(16 * 2 ** 20);
  expect(late.backendBytes - early.backendBytes).toBeLessThan(16 * 2 ** 20);
  // The gradients alone of so many steps are 80 MB; the young generation of JavaScript may be up to 64.
  expect(late.resident - early.resident).toBeLessThan(64 * 2 ** 20);
}

test(`${steps} steps`, async () => {
  const step = trainer(1);
  const losses: number[] = [];
  const found = await run(async (count) => {
    for (let i = 0; i < count; i++) {
      const loss = step();
      if (i % 100 === 0) losses.push(loss.itemSync() as number);
      loss.dispose();
    }
  });
  expectFlat(found);
  expect(losses.at(-1)).toBeLessThan(losses[0]! / 10);
});

test(`${steps} steps of two flows that take turns`, async () => {
  const flows = [trainer(1), trainer(2)];
  const losses = flows.map(() => [] as number[]);
  const found = await run(async (count) => {
    await Promise.all(
      flows.map(async (step, which) => {
        for (let i = 0; i < count / 2; i++) {
          const loss = step();
          const [value] = await loss.data();
          losses[which]!.push(Number(value));
          loss.dispose();
        }
      }),
    );
  });
  expectFlat(found);
  // Each as alone: neither saw what the other did.
  for (const [which, seed] of [1, 2].entries()) {
    const alone = trainer(seed);
    const first = Array.from({ length: 5 }, () => alone().itemSync());
    expect(losses[which]!.slice(0, 5)).toEqual(first);
  }
});
