// What users pass by mistake, or as they know it from tfjs.
import * as tf from "@millrace/autodiff";
import { isMillraceError, type Tensor } from "@millrace/autodiff";
import * as nn from "../src/index.js";
import { thrown } from "./helpers.js";

tf.registerReferenceBackend();

/** What a caller without types may pass. */
const untyped = (value: unknown): never => value as never;

const xs: Tensor = tf.ones([4, 2]);
const ys: Tensor = tf.ones([4, 1]);

function line(): nn.Sequential {
  const model = nn.sequential({ layers: [nn.layers.dense({ units: 1, inputShape: [2] })] });
  model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  return model;
}

describe("arrays of numbers", () => {
  const reasonOf = async (call: () => unknown): Promise<string> => {
    try {
      await call();
    } catch (error) {
      if (isMillraceError(error, "E_ARGUMENT")) return error.reason;
      throw error;
    }
    return "";
  };
  const model = line();
  const call = (method: "fit" | "evaluate" | "predict" | "trainOnBatch", ...args: unknown[]): unknown =>
    Reflect.apply(model[method], model, args);
  const numbers = [
    [1, 2],
    [3, 4],
  ];
  const labels = [[1], [2]];

  test.each<[string, string, () => unknown]>([
    ["fit's samples", "xs", () => call("fit", numbers, labels, { verbose: 0 })],
    ["fit's labels", "ys", () => call("fit", xs, labels, { verbose: 0 })],
    ["a flat list", "xs", () => call("fit", [1, 2], [1], { verbose: 0 })],
    ["evaluate's", "xs", () => call("evaluate", numbers, labels)],
    ["predict's", "predict", () => call("predict", numbers)],
    ["trainOnBatch's", "xs", () => call("trainOnBatch", numbers, labels)],
    ["those of a batch", "xs", () => call("fit", [{ xs: numbers, ys: labels }], { verbose: 0 })],
  ])("%s are refused, and the error says what to pass", async (_, what, f) => {
    expect(await reasonOf(f)).toBe(
      `${what}: needs tensors or typed arrays, got an array of numbers; pass tf.tensor(…) of it`,
    );
  });
});

describe("callbacks", () => {
  test("may be plain objects of hooks", async () => {
    const seen: string[] = [];
    const hooks = {
      onEpochEnd: (epoch: number, logs: nn.Logs) => void seen.push(`${epoch} ${Object.keys(logs)}`),
    };
    await line().fit(xs, ys, { epochs: 2, verbose: 0, callbacks: hooks });
    await line().fit(xs, ys, { verbose: 0, callbacks: [hooks, new nn.callbacks.History()] });
    expect(seen).toEqual(["0 loss", "1 loss", "0 loss"]);
  });
  test("with a hook that there is not are refused with the nearest", async () => {
    const fit = line().fit(xs, ys, { verbose: 0, callbacks: untyped({ onEpochEnds: () => {} }) });
    const reason = 'LambdaCallback: there is no option "onEpochEnds" (did you mean "onEpochEnd"?)';
    await expect(fit).rejects.toMatchObject({ code: "E_ARGUMENT", reason });
    await expect(line().fit(xs, ys, { callbacks: untyped([3]) })).rejects.toMatchObject({ code: "E_ARGUMENT" });
  });
});

describe("predict from a source", () => {
  const model = line();
  const all = model.predict(tf.ones([4, 2])).arraySync();
  test.each<[string, () => AsyncIterable<nn.BatchLeaf | nn.Batch>]>([
    [
      "inputs alone",
      async function* () {
        yield xs;
      },
    ],
    [
      "typed arrays",
      async function* () {
        yield new Float32Array(8).fill(1);
      },
    ],
    [
      "batches with labels",
      async function* () {
        yield { xs, ys };
      },
    ],
    [
      "batches without",
      async function* () {
        yield { xs };
      },
    ],
  ])("of %s", async (_, source) => {
    const made = await model.predict(source as () => AsyncIterable<nn.Batch>);
    expect(made.arraySync()).toEqual(all);
  });
  test("of inputs alone is no training", async () => {
    const source = async function* (): AsyncGenerator<never> {
      yield xs as never;
    };
    await expect(model.fit(source, { verbose: 0 })).rejects.toMatchObject({
      code: "E_ARGUMENT",
      reason: expect.stringContaining("needs labels"),
    });
  });
});

test("apply refuses options that it does not know", () => {
  expect(thrown(() => line().apply(xs, untyped({ trainin: true }))).reason).toMatch(/no option "trainin"/);
});

describe("applyGradients", () => {
  const w = tf.variable([1, 2], { name: "slope" });
  const square = (): Tensor => tf.sum(tf.square(w));

  test("takes what variableGrads gives, also at its first step", () => {
    const optimizer = nn.optimizers.sgd({ learningRate: 0.5 });
    const { grads } = tf.variableGrads(square);
    optimizer.applyGradients(grads);
    expect(w.arraySync()).toEqual([0, 0]);
    expect(thrown(() => nn.optimizers.sgd().applyGradients({ ...grads })).code).toBe("E_VARIABLE");
  });
  test.each([[[w]], [[{ name: "slope", tensor: xs }]], [[[w, xs]]], [[null]]])("refuses %j", (wrong) => {
    expect(thrown(() => nn.optimizers.sgd().applyGradients(untyped(wrong))).code).toBe("E_ARGUMENT");
  });
  test("counts a gradient that is left out as null", () => {
    expect(thrown(() => nn.optimizers.sgd().applyGradients([[untyped(undefined), w]])).code).toBe("E_GRADIENT");
  });
  test("variables of one name have no gradients by name", () => {
    const twin = tf.variable([1], { name: "slope" });
    expect(thrown(() => tf.variableGrads(() => tf.add(square(), tf.sum(twin)))).code).toBe("E_VARIABLE");
  });
  test("a learning rate is set as in Keras", () => {
    const optimizer = nn.optimizers.sgd({ learningRate: 1 });
    const rate = optimizer.learningRate;
    optimizer.learningRate = 0.25;
    expect([optimizer.learningRate, rate.itemSync()]).toEqual([rate, 0.25]);
    optimizer.learningRate = tf.scalar(0.5);
    expect(rate.itemSync()).toBe(0.5);
    expect(thrown(() => Object.assign(optimizer, { learningRate: [1, 2] })).code).toBe("E_SHAPE");
  });
  test("minimize takes a list of variables", () => {
    expect(thrown(() => nn.optimizers.sgd().minimize(square, untyped(true))).code).toBe("E_ARGUMENT");
  });
});

describe("an abort while a source works on its next batch", () => {
  /** One batch, then a wait that `open` ends. */
  function slow(): { source: () => AsyncGenerator<nn.Batch>; open: () => void; isClosed: () => boolean } {
    let open = (): void => {};
    let closed = false;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const source = async function* (): AsyncGenerator<nn.Batch> {
      try {
        yield { xs, ys };
        await gate;
        yield { xs, ys };
      } finally {
        closed = true;
      }
    };
    return { source, open, isClosed: () => closed };
  }

  test.each<
    [string, (model: nn.Sequential, source: () => AsyncGenerator<nn.Batch>, signal: AbortSignal) => Promise<unknown>]
  >([
    ["fit", (model, source, signal) => model.fit(source, { verbose: 0, signal })],
    ["evaluate", (model, source, signal) => model.evaluate(source, { signal })],
    ["predict", (model, source, signal) => model.predict(source, { signal })],
  ])("%s rejects at once, and the source closes when it can", async (_, call) => {
    const { source, open, isClosed } = slow();
    const reason = new Error("enough");
    const abort = new AbortController();
    const run = call(line(), source, abort.signal);
    setImmediate(() => abort.abort(reason));
    await expect(run).rejects.toBe(reason);
    expect(isClosed()).toBe(false);
    open();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed()).toBe(true);
  });
});
