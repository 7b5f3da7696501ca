// Initializers, regularizers and what optimizers do beside their arithmetic, which keras.test.ts holds.

import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { initializers, layers, losses, metrics, optimizers, regularizers, sequential, train } from "../src/index.js";
import { thrown, values } from "./helpers.js";

tf.registerReferenceBackend();
beforeEach(() => tf.setRandomSeed(5));

describe("initializers", () => {
  const shape = [3, 5, 40, 60]; // fans: 600 in, 900 out
  const moments = (name: string): { mean: number; deviation: number; most: number } => {
    const all = values(initializers.get({ className: name, config: { seed: 7 } }).apply(shape));
    const mean = all.reduce((a, b) => a + b, 0) / all.length;
    const variance = all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length;
    return { mean, deviation: Math.sqrt(variance), most: all.reduce((a, b) => Math.max(a, Math.abs(b)), 0) };
  };

  test.each([
    ["GlorotUniform", Math.sqrt(2 / 1500), Math.sqrt(6 / 1500)],
    ["GlorotNormal", Math.sqrt(2 / 1500), (2 * Math.sqrt(2 / 1500)) / 0.8796],
    ["HeUniform", Math.sqrt(2 / 600), Math.sqrt(6 / 600)],
    ["HeNormal", Math.sqrt(2 / 600), (2 * Math.sqrt(2 / 600)) / 0.8796],
    ["LecunUniform", Math.sqrt(1 / 600), Math.sqrt(3 / 600)],
    ["LecunNormal", Math.sqrt(1 / 600), (2 * Math.sqrt(1 / 600)) / 0.8796],
    ["RandomUniform", 0.05 / Math.sqrt(3), 0.05],
    ["TruncatedNormal", 0.05 * 0.8796, 0.1],
  ])("%s has its deviation and bound", (name, deviation, bound) => {
    const got = moments(name);
    expect(Math.abs(got.mean)).toBeLessThan(0.03 * deviation);
    expect(got.deviation / deviation).toBeCloseTo(1, 1.5);
    expect(got.most / bound).toBeCloseTo(1, 1.5);
    expect(got.most).toBeLessThanOrEqual(bound * 1.0001);
  });

  test("a seed repeats; without one tf.setRandomSeed does", () => {
    const drawn = (seed: number | null): number[] => values(initializers.glorotUniform({ seed }).apply([4]));
    expect(drawn(3)).toEqual(drawn(3));
    expect(drawn(3)).not.toEqual(drawn(4));
    tf.setRandomSeed(1);
    const [first, second] = [drawn(null), drawn(null)];
    expect(first).not.toEqual(second);
    tf.setRandomSeed(1);
    expect([drawn(null), drawn(null)]).toEqual([first, second]);
  });

  test.each([
    [4, 7],
    [7, 4],
    [5, 5],
  ])("orthogonal %i x %i", (rows, columns) => {
    const q = initializers.orthogonal({ gain: 2 }).apply([rows, columns]);
    const product = rows <= columns ? tf.matMul(q, q, false, true) : tf.matMul(q, q, true);
    const n = Math.min(rows, columns);
    values(product as Tensor).forEach((v, i) => {
      expect(v).toBeCloseTo(i % (n + 1) === 0 ? 4 : 0, 5);
    });
  });

  test("constants and identity", () => {
    expect(initializers.constant({ value: 3 }).apply([2]).arraySync()).toEqual([3, 3]);
    expect(initializers.identity({ gain: 2 }).apply([2, 3]).arraySync()).toEqual([
      [2, 0, 0],
      [0, 2, 0],
    ]);
    expect(initializers.get("zeros").apply([1], "float64").dtype).toBe("float64");
  });
});

test("regularizers add their penalty to the loss and to the gradient", async () => {
  const net = sequential([
    layers.dense({
      units: 1,
      useBias: false,
      inputShape: [2],
      kernelRegularizer: regularizers.l1l2({ l1: 0.1, l2: 0.2 }),
    }),
  ]);
  net.setWeights([[[2], [-3]]]);
  net.compile({ optimizer: optimizers.sgd({ learningRate: 1 }), loss: "mse" });
  const { loss } = await net.trainOnBatch(tf.zeros([4, 2]), tf.zeros([4, 1]));
  expect(loss).toBeCloseTo(0.1 * 5 + 0.2 * 13, 5);
  const [a, b] = values(net.weights[0]!);
  expect(a).toBeCloseTo(2 - (0.1 + 0.4 * 2), 5);
  expect(b).toBeCloseTo(-3 - (-0.1 - 0.4 * 3), 5);
});

test("a layer adds a loss of its own", async () => {
  class Active extends layers.Layer {
    override call(x: Tensor): Tensor {
      this.addLoss(tf.mul(tf.sum(tf.abs(x)), 0.5) as Tensor);
      return x;
    }
  }
  const net = sequential([new Active()]);
  net.compile({ optimizer: "sgd" });
  expect((await net.testOnBatch(tf.tensor([[1], [-3]]))).loss).toBe(2);
});

describe("optimizers", () => {
  test("minimize finds a minimum, and gives the loss before the step", () => {
    const w = tf.variable(3, { name: "w" });
    const optimizer = optimizers.sgd({ learningRate: 0.1 });
    const f = (): Tensor => tf.square(tf.sub(w, 1)) as Tensor;
    expect(optimizer.minimize(f).itemSync()).toBe(4);
    for (let i = 0; i < 60; i++) optimizer.minimize(f, [w]);
    expect(w.itemSync()).toBeCloseTo(1, 4);
    expect(optimizer.iterations.itemSync()).toBe(61);
  });

  test("a step is part of a tf.function, which makes the state at its first trace, and a new learning rate retraces nothing", () => {
    const w = tf.variable(3, { name: "inside" });
    const optimizer = optimizers.adam({ learningRate: 0.1 });
    const step = tf.fn(() => optimizer.minimize(() => tf.square(w) as Tensor, [w]));
    step();
    const after = w.itemSync();
    expect(after).toBeCloseTo(2.9, 4); // Adam's first step is the learning rate
    optimizer.learningRate.assign(0);
    step();
    const traced = step.tracingCount();
    step();
    expect(w.itemSync()).toBe(after);
    expect(step.tracingCount()).toBe(traced);
  });

  test("gradients by name, and what is refused", () => {
    const w = tf.variable([1, 2], { name: "named" });
    const optimizer = optimizers.sgd({ learningRate: 1 });
    optimizer.build([w]);
    optimizer.applyGradients({ named: tf.tensor([1, 1]) });
    expect(values(w)).toEqual([0, 1]);
    expect(thrown(() => optimizer.applyGradients([[null, w]])).message).toContain(
      'does not depend on the variable "named"',
    );
    expect(thrown(() => optimizer.applyGradients({ nemed: tf.tensor([1, 1]) })).code).toBe("E_VARIABLE");
    expect(thrown(() => optimizer.applyGradients([[tf.tensor([1]), w]])).code).toBe("E_SHAPE");
    expect(thrown(() => optimizers.adam({ clipnorm: 1, clipvalue: 1 })).code).toBe("E_ARGUMENT");
    expect(thrown(() => optimizers.adam({ beta1: 2 })).code).toBe("E_ARGUMENT");
  });

  test("eager steps leave no tensor behind", () => {
    const w = tf.variable([1, 2]);
    const optimizer = optimizers.adam();
    const f = (): Tensor => tf.sum(tf.square(w)) as Tensor;
    optimizer.minimize(f).dispose();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 5; i++) optimizer.minimize(f).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("weight decay leaves out what it is told to", () => {
    const [a, b] = [tf.variable(1), tf.variable(1)];
    const optimizer = optimizers.sgd({ learningRate: 1, weightDecay: 0.5 });
    optimizer.excludeFromWeightDecay([b]);
    optimizer.applyGradients([
      [tf.scalar(0), a],
      [tf.scalar(0), b],
    ]);
    expect([a.itemSync(), b.itemSync()]).toEqual([0.5, 1]);
  });

  test("one of one's own is a rule and a name", () => {
    class Signs extends optimizers.Optimizer {
      constructor() {
        super(
          { name: "signs", learningRate: 0.5 },
          {
            slots: () => ({}),
            update: (param, grad, _, { learningRate, count }) => ({
              param: tf.sub(param, tf.mul(tf.mul(tf.sign(grad), learningRate), count)),
              slots: {},
            }),
          },
        );
      }
    }
    const w = tf.variable([1, 1]);
    const optimizer = new Signs();
    for (let i = 0; i < 2; i++) optimizer.applyGradients([[tf.tensor([3, -7]), w]]);
    expect(values(w)).toEqual([1 - 0.5 - 1, 1 + 0.5 + 1]);
  });

  test("tfjs's names", () => {
    expect(train.adam(0.5).learningRate.itemSync()).toBe(0.5);
    expect(train.sgd(0.5)).toBeInstanceOf(optimizers.SGD);
    expect(train.momentum(0.1, 0.9)).toBeInstanceOf(optimizers.SGD);
  });
});

describe("losses", () => {
  test("are sound where probabilities are not", () => {
    const far = tf.tensor([[1000, -1000]]);
    const sparse = losses.sparseCategoricalCrossentropy({ fromLogits: true });
    expect(sparse.apply(tf.tensor([0], [1], "int32"), far).itemSync()).toBe(0);
    expect(sparse.apply(tf.tensor([1], [1], "int32"), far).itemSync()).toBe(2000);
    // A label that no class has must not count as learned.
    for (const label of [2, -1]) expect(sparse.apply(tf.tensor([label], [1], "int32"), far).itemSync()).toBeNaN();
    const binary = losses.binaryCrossentropy({ fromLogits: true });
    expect(binary.apply(tf.tensor([[0, 0]]), far).itemSync()).toBe(500);
  });
  test("a gradient of logits is probability minus label", () => {
    const logits = tf.tensor([[1, 2, 3]]);
    const f = (x: Tensor): Tensor =>
      losses.sparseCategoricalCrossentropy({ fromLogits: true }).apply(tf.tensor([2], [1], "int32"), x);
    const want = values(tf.sub(tf.softmax(logits), tf.tensor([[0, 0, 1]])) as Tensor);
    values(tf.grad(f)(logits)).forEach((v, i) => {
      expect(v).toBeCloseTo(want[i]!, 6);
    });
  });
  test("shapes that would broadcast are refused", () => {
    expect(thrown(() => losses.meanSquaredError().apply(tf.zeros([4, 1]), tf.zeros([4, 3]))).code).toBe("E_SHAPE");
    expect(thrown(() => losses.sparseCategoricalCrossentropy().apply(tf.zeros([3]), tf.zeros([4, 3]))).code).toBe(
      "E_SHAPE",
    );
  });
  test("an empty batch costs nothing", () => {
    expect(
      losses
        .meanSquaredError()
        .apply(tf.zeros([0, 1]), tf.zeros([0, 1]))
        .itemSync(),
    ).toBe(0);
  });
});

test("the mean of values, weighted", () => {
  const mean = metrics.mean();
  expect(mean.result().itemSync()).toBe(0);
  mean.updateState(tf.tensor([1, 3]));
  mean.updateState(tf.tensor([10]), tf.tensor([2]));
  expect(mean.result().itemSync()).toBe(6);
  mean.resetState();
  expect(mean.result().itemSync()).toBe(0);
});
