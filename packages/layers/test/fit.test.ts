import { jest } from "@jest/globals";
import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import {
  Callback,
  callbacks,
  input,
  type Logs,
  layers,
  losses,
  model,
  optimizers,
  type Sequential,
  sequential,
} from "../src/index.js";
import { values } from "./helpers.js";

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

/** Writes down which hooks were called. */
class Record extends Callback {
  readonly calls: string[] = [];
  override onTrainBegin(): void {
    this.calls.push("train");
  }
  override onTrainEnd(): void {
    this.calls.push("end");
  }
  override onEpochBegin(epoch: number): void {
    this.calls.push(`epoch ${epoch}`);
  }
  override onEpochEnd(_epoch: number, logs: Logs): void {
    this.calls.push(Object.keys(logs).join(" "));
  }
  override onTrainBatchBegin(batch: number): void {
    this.calls.push(`batch ${batch}`);
  }
  override async onTrainBatchEnd(): Promise<void> {
    await null;
    this.calls.push("done");
  }
  override onTestBegin(): void {
    this.calls.push("test");
  }
  override onTestBatchEnd(batch: number): void {
    this.calls.push(`tested ${batch}`);
  }
}

describe("callbacks", () => {
  test("hooks are called in order and awaited", async () => {
    const record = new Record();
    const options = {
      batchSize: 4,
      epochs: 2,
      initialEpoch: 1,
      validationSplit: 0.3,
      callbacks: record,
      verbose: 0,
    } as const;
    const history = await linear().fit(x, y, options);
    const logs = "loss mae val_loss val_mae";
    expect(record.calls).toEqual(["train", "epoch 1", "batch 0", "done", "test", "tested 0", logs, "end"]);
    expect(history.epoch).toEqual([1]);
  });

  test("numbers of a batch are there for those who ask", async () => {
    const seen: number[] = [];
    const ask = callbacks.lambda({ onTrainBatchEnd: async (_, logs) => void seen.push((await logs()).loss!) });
    const { history } = await linear().fit(x, y, { batchSize: 4, callbacks: [ask], verbose: 0, shuffle: false });
    expect(seen.length).toBe(2);
    expect(seen[0]).toBeCloseTo((1 + 9 + 4 + 16) / 4);
    expect(seen[1]).toBe(history.loss![0]);
  });

  test("stopTraining ends after the step and resolves", async () => {
    const record = new Record();
    const stop = callbacks.lambda({
      onTrainBatchEnd() {
        (this as unknown as Callback).model.stopTraining = true; // boundary: `this` is the callback
      },
    });
    await linear().fit(x, y, { batchSize: 2, epochs: 3, callbacks: [record, stop], verbose: 0 });
    expect(record.calls).toEqual(["train", "epoch 0", "batch 0", "done", "loss mae", "end"]);
  });

  test("earlyStopping brings back the weights of the best epoch", async () => {
    const net = linear(0.2); // diverges from the first step on
    const kernels: number[][] = [];
    const keep = callbacks.lambda({ onEpochEnd: () => void kernels.push(values(net.weights[0]!)) });
    const stop = callbacks.earlyStopping({ monitor: "loss", patience: 2, restoreBestWeights: true });
    const { history } = await net.fit(x, y, { epochs: 20, callbacks: [keep, stop], verbose: 0 });
    const best = history.loss!.indexOf(Math.min(...history.loss!));
    expect(history.loss!.length).toBe(best + 3);
    expect(values(net.weights[0]!)).toEqual(kernels[best]);
  });

  test("earlyStopping on a number that is not there says which there are", async () => {
    const stop = callbacks.earlyStopping();
    await expect(linear().fit(x, y, { callbacks: stop, verbose: 0 })).rejects.toThrow(
      /"val_loss" is none of loss, mae/,
    );
  });

  test("lambda refuses an unknown hook", () => {
    expect(() => callbacks.lambda({ onEpochend: () => {} } as object)).toThrow(/did you mean "onEpochEnd"/);
  });
});

describe("progress", () => {
  const lines = async (verbose: 0 | 1 | 2): Promise<string[]> => {
    const written: string[] = [];
    tf.setLogger({ info: (line) => void written.push(line) });
    await linear().fit(x, y, { epochs: 2, batchSize: 4, verbose });
    tf.setLogger();
    return written;
  };
  test("2 is a line an epoch", async () => {
    const written = await lines(2);
    expect(written.length).toBe(2);
    expect(written[1]).toMatch(/^Epoch 2\/2 - 2 steps - \S+ - \S+\/step - loss: \d+\.\d{4} - mae: \d+\.\d{4}$/);
  });
  test("1 is a bar", async () => {
    const written = await lines(1);
    expect(written[0]).toBe("Epoch 1/2");
    expect(written.at(-1)).toMatch(/2\/2 ━{20} - .*loss: /);
  });
  test("0 is silent", async () => {
    expect(await lines(0)).toEqual([]);
  });
  test("without a bar a long epoch says how far it is, once a minute", async () => {
    let now = 1e12;
    const clock = jest.spyOn(Date, "now").mockImplementation(() => now);
    const slow = callbacks.lambda({
      onTrainBatchBegin() {
        now += 25_000;
      },
    });
    const written: string[] = [];
    tf.setLogger({ info: (line) => void written.push(line) });
    await linear().fit(x, y, { batchSize: 1, verbose: 2, callbacks: slow });
    tf.setLogger();
    clock.mockRestore();
    expect(written.map((line) => line.split(" ")[0])).toEqual(["3/7", "6/7", "Epoch"]);
    expect(written[0]).toMatch(/^3\/7 - 1m 40s left - loss: /);
  });
  test("anything else is refused", async () => {
    await expect(lines(3 as 2)).rejects.toMatchObject({ code: "E_ARGUMENT" });
  });
});

describe("abort", () => {
  test("rejects with the reason; weights are as after the last whole step", async () => {
    const [aborted, whole] = [linear(), linear()];
    const controller = new AbortController();
    const abort = callbacks.lambda({
      onTrainBatchEnd: (batch) => (batch === 1 ? controller.abort("enough") : undefined),
    });
    const options = { batchSize: 2, shuffle: false, verbose: 0 } as const;
    const fitted = aborted.fit(x, y, { ...options, epochs: 3, callbacks: abort, signal: controller.signal });
    await expect(fitted).rejects.toBe("enough");
    const head = (t: Tensor): Tensor => tf.slice(t, [0, 0], [4, t.shape[1]!]);
    await whole.fit(head(x), head(y), options);
    expect(aborted.getWeights().flatMap(values)).toEqual(whole.getWeights().flatMap(values));
    expect(aborted.optimizer!.iterations.itemSync()).toBe(2);
  });

  test("before the first step", async () => {
    const net = linear();
    await expect(net.fit(x, y, { signal: AbortSignal.abort("no"), verbose: 0 })).rejects.toBe("no");
    expect(values(net.weights[0]!)).toEqual([0, 0]);
  });
});

describe("what a step costs", () => {
  test("training leaves no tensor behind", async () => {
    const net = linear();
    const options = { batchSize: 3, epochs: 1, validationSplit: 0.3, verbose: 0 } as const;
    const everything = async (epochs: number): Promise<void> => {
      await net.fit(x, y, { ...options, epochs });
      await net.evaluate(x, y);
      await net.trainOnBatch(x, y);
      (net.predict(x, { batchSize: 3 }) as Tensor).dispose();
    };
    await everything(1);
    const before = tf.memory().numTensors;
    await everything(3);
    expect(tf.memory().numTensors).toBe(before);
  });

  test("a disposed model leaves nothing, but for the optimizer that it was given", async () => {
    const before = tf.memory().numTensors;
    const net = linear();
    await net.fit(x, y, { batchSize: 7, shuffle: false, verbose: 0 });
    const given = net.optimizer!;
    net.dispose();
    expect(tf.memory().numTensors).toBe(before + given.variables.length);
    given.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("sizes of batches share two traces, and a new learning rate none", async () => {
    let calls = 0;
    const net = sequential([layers.dense({ units: 1 })]);
    net.compile({
      optimizer: "adam",
      loss: (t, p) => {
        calls++;
        return tf.squaredDifference(t, p);
      },
    });
    const source = [2, 3, 4, 2].map((n) => ({ xs: tf.zeros([n, 2]), ys: tf.zeros([n, 1]) }));
    await net.fit(source, { epochs: 3, verbose: 0 });
    net.optimizer!.learningRate.assign(0.1);
    await net.fit(source, { verbose: 0 });
    expect(calls).toBe(2);
  });
});

describe("several inputs and outputs", () => {
  test("by place and by name, losses weighted, numbers named for the outputs", async () => {
    const [a, b] = [input({ shape: [2], name: "a" }), input({ shape: [1], name: "b" })];
    const sum = layers.dense({ units: 1, name: "sum" }).apply(layers.concatenate().apply([a, b]));
    const kind = layers.dense({ units: 1, name: "kind", activation: "sigmoid" }).apply(a);
    const net = model({ inputs: [a, b], outputs: [sum, kind] });
    net.compile({
      optimizer: "sgd",
      loss: { sum: "mse", kind: "binaryCrossentropy" },
      lossWeights: { kind: 0.5 },
      metrics: { kind: "accuracy" },
    });
    const labels = tf.tensor([[0], [1], [0], [1], [0], [1], [0]]);
    const logs = await net.evaluate([x, y], [y, labels]);
    expect(Object.keys(logs)).toEqual(["loss", "sum_loss", "kind_loss", "kind_accuracy"]);
    expect(logs.loss).toBeCloseTo(logs.sum_loss! + 0.5 * logs.kind_loss!, 4);
    const options = { shuffle: false, verbose: 0 } as const;
    net.optimizer!.learningRate.assign(0);
    for (const validationData of [
      [
        [x, y],
        [y, labels],
      ],
      [
        { a: x, b: y },
        { kind: labels, sum: y },
      ],
    ] as const) {
      const { history } = await net.fit([x, y], [y, labels], { ...options, validationData });
      expect(Object.keys(history)).toContain("val_kind_accuracy");
    }
    net.optimizer!.learningRate.assign(0.01);
    const named = await net.evaluate({ b: y, a: x }, { kind: labels, sum: y });
    expect(named).toEqual(logs);
    const { history } = await net.fit([{ xs: { a: x, b: y }, ys: [y, labels] }], { epochs: 3, verbose: 0 });
    expect(history.loss![2]).toBeLessThan(history.loss![0]!);
    expect(net.predict([x, y]).map((t) => t.shape)).toEqual([
      [7, 1],
      [7, 1],
    ]);
    await expect(net.evaluate({ a: x }, [y, labels])).rejects.toThrow('"b" is missing');
  });
});

test("sample weights: a weight of 2 is the sample twice", async () => {
  const [twice, weighted] = [linear(), linear()];
  const options = { shuffle: false, verbose: 0 } as const;
  const rows = tf.tensor([
    [0, 1],
    [1, 2],
  ]);
  const labels = tf.tensor([[1], [3]]);
  await weighted.fit(rows, labels, { ...options, sampleWeight: tf.tensor([2, 1]) });
  await twice.fit(
    tf.tensor([
      [0, 1],
      [1, 2],
      [0, 1],
    ]),
    tf.tensor([[1], [3], [1]]),
    options,
  );
  const [a, b] = [weighted, twice].map((net) => values(net.weights[0]!));
  // The mean over 2 samples against the mean over 3.
  a!.forEach((v, i) => {
    expect(v).toBeCloseTo(b![i]! * 1.5, 5);
  });
});

test("two moons: a small network separates them", async () => {
  const angles = Array.from({ length: 60 }, (_, i) => (Math.PI * i) / 59);
  const points = [
    ...angles.map((t) => [Math.cos(t), Math.sin(t)]),
    ...angles.map((t) => [1 - Math.cos(t), 0.5 - Math.sin(t)]),
  ];
  const net = sequential([layers.dense({ units: 16, activation: "relu" }), layers.dense({ units: 2 })]);
  net.compile({
    optimizer: optimizers.adam({ learningRate: 0.05 }),
    loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }),
    metrics: ["accuracy"],
  });
  const labels = tf.tensor(
    points.map((_, i) => (i < 60 ? 0 : 1)),
    [120],
    "int32",
  );
  const { history } = await net.fit(tf.tensor(points as number[][]), labels, { epochs: 30, batchSize: 30, verbose: 0 });
  expect(history.accuracy!.at(-1)).toBeGreaterThan(0.98);
});

test("what is given wrongly is refused with a sentence", async () => {
  const net = sequential([layers.dense({ units: 1 })]);
  await expect(net.fit(x, y)).rejects.toThrow("fit: compile the model first");
  const compiled = linear();
  await expect(compiled.fit(x, tf.zeros([3, 1]), { verbose: 0 })).rejects.toThrow(
    "differ in their number of samples: 7, 3",
  );
  await expect(compiled.fit(x, tf.zeros([7, 3]), { verbose: 0 })).rejects.toThrow(
    "labels of shape [7, 3] do not fit predictions of [7, 1]",
  );
  await expect(compiled.fit(x, y, { epocs: 3 } as object)).rejects.toThrow(
    'no option "epocs" (did you mean "epochs"?)',
  );
  await expect(compiled.fit(x, y, { epochs: 1.5 })).rejects.toThrow("epochs must be a whole number");
  await expect(compiled.fit(x, undefined, { verbose: 0 })).rejects.toThrow("needs labels");
  await expect(compiled.fit([], { verbose: 0 })).rejects.toThrow("it gave no batch");
  expect(() => net.compile({ optimizer: "adm", loss: "mse" })).toThrow('"adm" is no optimizer (did you mean "Adam"?)');
  expect(() => net.compile({ optimizer: "adam", loss: "mse", metrics: ["acuracy"] })).toThrow(
    'did you mean "Accuracy"?',
  );
});

test("a step is one program, and nothing is computed between steps", async () => {
  const net = linear();
  const batch = { xs: tf.zeros([4, 2]), ys: tf.zeros([4, 1]) };
  const runsOf = async (batches: number): Promise<number> => {
    const before = tf.memory().backends.reference!.runs;
    await net.fit(Array(batches).fill(batch), { verbose: 0 });
    return tf.memory().backends.reference!.runs - before;
  };
  await runsOf(1);
  expect((await runsOf(6)) - (await runsOf(1))).toBe(5);
});
