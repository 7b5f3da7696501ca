// recomputeGrad: what a block computes is not kept for its gradient.
import * as tf from "../src/index.js";

// boundary: what this backend counts besides
type CpuStats = tf.Memory["backends"][string] & Record<"arenaBytes", number>;
const onCpu = (await tf.ready().then(() => tf.getBackend())) === "cpu" ? test : test.skip;

onCpu("a chain of blocks needs less memory, and gives the same", async () => {
  const [blocks, layers, rows, width] = [6, 8, 256, 64];
  const w = tf.variable(tf.randomUniform([width, width], -0.1, 0.1));
  const block = (x: tf.Tensor): tf.Tensor =>
    Array.from({ length: layers }).reduce<tf.Tensor>((y) => tf.tanh(tf.matMul(y, w)), x);
  const gradient = (f: typeof block) =>
    tf.fn((x: tf.Tensor) =>
      tf.grad((start) => tf.sum(Array.from({ length: blocks }).reduce<tf.Tensor>((y) => f(y), start)))(x),
    );
  const x = tf.randomUniform([rows, width]);
  // An arena only grows: the one that is to be smaller comes first.
  const arenaAfter = async (f: typeof block) => {
    const values = await gradient(f)(x).data();
    return { values, arena: (tf.memory().backends.cpu as CpuStats).arenaBytes };
  };
  const recomputed = await arenaAfter(tf.recomputeGrad(block));
  const kept = await arenaAfter(block);
  const layerBytes = 4 * rows * width;
  // All layers' values; or one a block, and those of the block that is being walked back.
  expect(kept.arena).toBeGreaterThan(blocks * layers * layerBytes);
  expect(recomputed.arena).toBeLessThan((blocks + layers + 6) * layerBytes);
  recomputed.values.forEach((value: number, i: number) => {
    expect(value).toBeCloseTo(Number(kept.values[i]), 5);
  });
});
