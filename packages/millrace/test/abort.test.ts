// Signals through models on the native backend: the step that runs is cancelled, weights are as after the last whole one.
import * as tf from "../src/index.js";

const reason = new Error("enough");
/** What a loop in each program counts up to: where it is infinite, the program never ends. */
const limit = tf.variable(tf.scalar(3), { trainable: false });

const setLimit = (value: number): void => tf.tidy(() => void limit.assign(value));

const waits = (): tf.Tensor =>
  tf.whileLoop(
    (n) => tf.less(n, limit),
    (n) => [tf.add(n, tf.cast(tf.less(limit, Number.POSITIVE_INFINITY), "float32"))],
    [tf.zeros([])],
  )[0]!;

function network() {
  tf.setRandomSeed(3);
  const net = tf.sequential([
    tf.layers.dense({ units: 4, activation: "tanh", inputShape: [2] }),
    tf.layers.dense({ units: 1 }),
  ]);
  const loss = (yTrue: tf.Tensor, yPred: tf.Tensor): tf.Tensor =>
    tf.add(tf.squaredDifference(yTrue, yPred), tf.stopGradient(tf.mul(waits(), 0)));
  net.compile({ optimizer: tf.optimizers.adam({ learningRate: 0.1 }), loss });
  return net;
}

const ones = { xs: tf.ones([8, 2]), ys: tf.ones([8, 1]) };
const batch = (): tf.Batch => ones;
const values = (net: ReturnType<typeof network>): number[][] => net.getWeights().map((w) => [...w.dataSync()]);

/** Three batches. When the third step has been begun, it never ends, until the signal aborts. */
async function* batches(controller: AbortController): AsyncGenerator<tf.Batch> {
  for (let i = 0; i < 3; i++) {
    if (i === 2) {
      setLimit(Number.POSITIVE_INFINITY);
      setImmediate(() => setImmediate(() => controller.abort(reason)));
    }
    yield batch();
  }
}

const onCpu = (await tf.ready().then(() => tf.getBackend())) === "cpu" ? describe : describe.skip;

onCpu("on the native backend (skipped where its addon is not built)", () => {
  beforeEach(() => setLimit(3));

  test("fit", async () => {
    const [aborted, whole] = [network(), network()];
    const controller = new AbortController();
    const ended: number[] = [];
    const fitted = aborted.fit(() => batches(controller), {
      signal: controller.signal,
      callbacks: { onTrainBatchEnd: (i: number) => void ended.push(i) },
      verbose: 0,
    });
    await expect(fitted).rejects.toBe(reason);
    expect(ended).toEqual([0, 1]);
    setLimit(3);
    const two = [batch(), batch()];
    await whole.fit(two, { verbose: 0 });
    expect(values(aborted)).toEqual(values(whole));
    expect(aborted.optimizer!.iterations.itemSync()).toBe(2);
    // It goes on from there.
    await aborted.fit([batch()], { verbose: 0 });
    await whole.fit([batch()], { verbose: 0 });
    expect(values(aborted)).toEqual(values(whole));
  });

  test("evaluate", async () => {
    const net = network();
    const controller = new AbortController();
    await expect(net.evaluate(() => batches(controller), { signal: controller.signal })).rejects.toBe(reason);
    setLimit(3);
    expect(Number.isFinite((await net.evaluate([batch()])).loss)).toBe(true);
  });

  test("predict on a source", async () => {
    const net = tf.sequential([tf.layers.dense({ units: 1, inputShape: [2] }), new Waits()]);
    const predict = async (): Promise<number> => {
      const controller = new AbortController();
      await expect(net.predict(() => batches(controller), { signal: controller.signal })).rejects.toBe(reason);
      setLimit(3);
      await tf.sync();
      return tf.memory().numTensors;
    };
    const held = await predict();
    expect(await predict()).toBe(held);
  });
});

/** Adds nothing, when its loop has ended. */
class Waits extends tf.layers.Layer {
  static override readonly className: string = "Waits";
  override call(x: tf.Tensor): tf.Tensor {
    return tf.add(x, tf.mul(waits(), 0));
  }
}
