// A TensorArray in a loop is one stack that is written in place.
import * as tf from "../src/index.js";

// boundary: what this backend counts besides
type CpuStats = tf.Memory["backends"][string] & Record<"arenaBytes", number>;
const onCpu = (await tf.ready().then(() => tf.getBackend())) === "cpu" ? test : test.skip;

const [count, width] = [400, 2048];
const stackBytes = 4 * count * width;

function running(xs: tf.Tensor): tf.Tensor {
  const rows = new tf.TensorArray("float32", count).unstack(xs);
  const empty = new tf.TensorArray("float32", count, { elementShape: [width] });
  const [, , sums] = tf.whileLoop(
    (i) => tf.less(i, count),
    (i, sum, made) => {
      const next = tf.tanh(tf.add(sum, rows.read(i)));
      return [tf.add(i, 1), next, made.write(i, next)];
    },
    [tf.scalar(0, "int32"), tf.zeros([width]), empty],
  );
  return sums.stack();
}

onCpu("forward and back", async () => {
  const arena = () => (tf.memory().backends.cpu as CpuStats).arenaBytes;
  const xs = tf.fill([count, width], 0.01);
  const values = tf.fn(running)(xs);
  expect((await values.data())[0]).toBeCloseTo(Math.tanh(0.01));
  expect(arena()).toBeLessThan(1.25 * stackBytes);
  const before = tf.memory().backends.cpu!.liveBytes;
  const gradient = tf.fn((x: tf.Tensor) => tf.grad((y) => tf.sum(tf.square(running(y))))(x))(xs);
  await gradient.data();
  // The results, their cotangents and those of the rows; the arrays are not kept for each trip, the running sum is.
  expect(arena()).toBeLessThan(3.25 * stackBytes);
  expect(tf.memory().backends.cpu!.peakBytes - before).toBeLessThan(2.5 * stackBytes);
});
