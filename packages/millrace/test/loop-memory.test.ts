// What the gradients of loops keep: a row for each trip that was made, in place.
import * as tf from "../src/index.js";

const rowBytes = 4 * 4096;
// boundary: what this backend counts besides
type CpuStats = tf.Memory["backends"][string] & Record<"arenaBytes" | "allocatedBytes", number>;
const stats = () => tf.memory().backends.cpu as CpuStats;

const onCpu = (await tf.ready().then(() => tf.getBackend())) === "cpu" ? test : test.skip;

/** tanh(… tanh(x w) … w), `trips` times, and the gradient of its sum by x. */
function gradientOf(options: { maximumIterations?: number }) {
  return tf.fn((x: tf.Tensor, w: tf.Tensor, trips: tf.Tensor) => {
    const loop = (start: tf.Tensor): tf.Tensor =>
      tf.whileLoop(
        (i) => tf.less(i, trips),
        (i, y) => [tf.add(i, 1), tf.tanh(tf.mul(y!, w))],
        [tf.scalar(0, "int32"), start],
        options,
      )[1]!;
    return tf.grad((start) => tf.sum(loop(start)))(x);
  });
}

const args = (trips: number) =>
  [tf.linspace(-2, 2, 4096), tf.fill([4096], 1.25), tf.scalar(trips, "int32")] as [tf.Tensor, tf.Tensor, tf.Tensor];

onCpu("a loop without a bound keeps a row a trip, and gives the memory back", async () => {
  const gradient = gradientOf({});
  await gradient(...args(3)).data();
  const before = stats();
  await gradient(...args(500)).data();
  const after = stats();
  // One carried value is read again; what else is new are the arguments and the result.
  expect(after.peakBytes - before.liveBytes).toBeGreaterThan(500 * rowBytes);
  expect(after.peakBytes - before.liveBytes).toBeLessThan(500 * rowBytes + 2 ** 19);
  expect(after.liveBytes - before.liveBytes).toBeLessThan(8 * rowBytes);
  expect(after.arenaBytes).toBe(before.arenaBytes);
});

onCpu("each trip is made twice forward and once back, however many there are", async () => {
  const gradient = gradientOf({});
  const kernels = async (trips: number): Promise<number> => {
    const before = stats().kernels;
    await gradient(...args(trips)).data();
    return stats().kernels - before;
  };
  await kernels(1);
  const [one, two] = [await kernels(100), await kernels(200)];
  expect(two - one).toBeLessThan(one * 1.01);
});

onCpu("a loop with a bound keeps one stack, which it writes in place", async () => {
  const most = 300;
  const gradient = gradientOf({ maximumIterations: most });
  const made = await gradient(...args(200)).data();
  expect(stats().arenaBytes).toBeLessThan(most * rowBytes + 40 * rowBytes);
  expect(made).toEqual(await gradientOf({})(...args(200)).data());
});

onCpu("a scan's results are one stack, too", async () => {
  const rows = tf.fill([300, 4096], 0.5);
  const sums = tf.fn((xs: tf.Tensor) =>
    tf.scan((sum: tf.Tensor, x: tf.Tensor) => tf.tanh(tf.add(sum, x)), xs, tf.zeros([4096]) as tf.Tensor),
  );
  const before = stats().arenaBytes;
  const made = sums(rows);
  expect(made.shape).toEqual([300, 4096]);
  await made.data();
  expect(Math.max(stats().arenaBytes - before, 0)).toBeLessThan(40 * rowBytes);
});

onCpu("the stack of a loop is given back when its program is cancelled", async () => {
  const gradient = gradientOf({});
  const stop = new AbortController();
  const before = stats().liveBytes;
  const endless = gradient(...args(2 ** 30)).data({ signal: stop.signal });
  setImmediate(() => stop.abort());
  await expect(endless).rejects.toThrow();
  await gradient(...args(1)).data();
  expect(stats().liveBytes - before).toBeLessThan(10 * rowBytes);
});
