// Saving and loading without Keras at hand: options, classes of one's own, what is refused and how.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import {
  type activations,
  deserializeLayer,
  initializers,
  input,
  Layer,
  layers,
  loadLayersModel,
  loadModel,
  losses,
  Model,
  metrics,
  model,
  optimizers,
  registerKerasSerializable,
  regularizers,
  Sequential,
  type SymbolicTensor,
  sequential,
  type Tensors,
} from "../src/index.js";
import { layerClasses } from "../src/layers/layers.gen.js";
import { openArchive, writeArchive } from "../src/saving/archive.js";
import { limitsOf } from "../src/saving/checks.js";
import { classes, type Family } from "../src/saving/classes.js";
import { values } from "./helpers.js";

tf.registerReferenceBackend();

const dense = (): Sequential => sequential([layers.dense({ units: 2, inputShape: [3] })]) as Sequential;
const x = tf.tensor([1, 2, 3, 4, 5, 6], [2, 3]) as Tensor;
const errorOf = async (promise: Promise<unknown>): Promise<{ code: string; reason: string }> =>
  promise.then(
    () => ({ code: "none", reason: "" }),
    (error: unknown) => {
      if (tf.isMillraceError(error)) return { code: error.code, reason: error.reason };
      throw error;
    },
  );
const configOf = (bytes: Uint8Array): string =>
  new TextDecoder().decode(openArchive(bytes, limitsOf(null)).read("config.json"));
/** The same file with another configuration. */
function changed(bytes: Uint8Array, change: (config: string) => string): Uint8Array {
  const archive = openArchive(bytes, limitsOf(null));
  const files = Object.fromEntries(archive.names.map((name) => [name, archive.read(name)]));
  return writeArchive({ ...files, "config.json": new TextEncoder().encode(change(configOf(bytes))) });
}

test("every class is in the table of Keras's classes, and nothing else is", () => {
  const isClassOf = (base: unknown) => (it: unknown) =>
    typeof it === "function" && it.prototype instanceof (base as new () => object) && !isBase(it);
  const isBase = (it: { readonly name: string }): boolean => it.name === "MeanMetricWrapper";
  const namesIn = (namespace: object, base: unknown): string[] =>
    Object.entries(namespace).flatMap(([name, it]) => (isClassOf(base)(it) ? [name] : []));
  const all: Record<Family, string[]> = {
    layer: Object.keys(layerClasses).filter((name) => name !== "InputLayer"),
    initializer: namesIn(initializers, initializers.Initializer),
    regularizer: namesIn(regularizers, regularizers.Regularizer),
    loss: namesIn(losses, losses.Loss),
    metric: namesIn(metrics, metrics.Metric),
    optimizer: namesIn(optimizers, optimizers.Optimizer),
  };
  for (const [family, names] of Object.entries(all)) {
    expect([family, names.sort()]).toEqual([family, Object.keys(classes[family as Family]).sort()]);
  }
});

describe("what is saved", () => {
  test("comes back with the same weights, names, frozen layers and numbers; randomness is not touched", async () => {
    const net = sequential([
      layers.dense({ units: 4, inputShape: [3], name: "first", trainable: false }),
      layers.batchNormalization(),
      layers.dense({ units: 2, activation: "softmax" }),
    ]);
    const bytes = await net.toBytes();
    tf.setRandomSeed(9);
    const next = values(tf.randomUniform([3]) as Tensor);
    tf.setRandomSeed(9);
    const again = await loadModel(bytes);
    expect(values(tf.randomUniform([3]) as Tensor)).toEqual(next);
    expect(again).toBeInstanceOf(Sequential);
    expect(values(again.predict(x) as Tensor)).toEqual(values(net.predict(x)));
    expect(again.layers.map((layer) => [layer.name, layer.trainable])).toEqual(
      net.layers.map((layer) => [layer.name, layer.trainable]),
    );
    expect(again.trainableWeights.length).toBe(4);
    expect(again.optimizer).toBeNull();
  });

  test("trains on as if it had never been saved", async () => {
    const net = dense();
    net.compile({
      optimizer: optimizers.adam({ learningRate: 0.1 }),
      loss: losses.huber({ delta: 0.5 }),
      metrics: ["mae"],
    });
    const y = tf.zeros([2, 2]) as Tensor;
    await net.trainOnBatch(x, y);
    net.optimizer!.learningRate.assign(0.05);
    const again = await loadModel(await net.toBytes());
    const logs = [await net.trainOnBatch(x, y), await again.trainOnBatch(x, y)];
    expect(logs[1]).toEqual(logs[0]);
    expect(again.weights.map((w) => w.arraySync())).toEqual(net.weights.map((w) => w.arraySync()));
    expect(again.optimizer!.learningRate.itemSync()).toBeCloseTo(0.05, 7);
    expect(again.optimizer!.iterations.itemSync()).toBe(2);
    const bare = await loadModel(await net.toBytes(), { compile: false });
    expect(bare.optimizer).toBeNull();
  });

  test("is a snapshot: what is trained meanwhile is not in it", async () => {
    const net = dense();
    const before = net.weights.map((w) => w.arraySync());
    const bytes = net.toBytes();
    net.setWeights([tf.zeros([3, 2]) as Tensor, tf.ones([2]) as Tensor]);
    expect((await loadModel(await bytes)).weights.map((w) => w.arraySync())).toEqual(before);
  });

  test("a model that is not built has nothing to save", async () => {
    const { code, reason } = await errorOf(sequential([layers.dense({ units: 2, name: "head" })]).toBytes());
    expect([code, reason]).toEqual(["E_VARIABLE", expect.stringMatching(/"sequential.*inputShape/)]);
  });

  test("a layer that stands in a model and in one nested in it is one layer again", async () => {
    const a = input({ shape: [3] }) as SymbolicTensor;
    const part = input({ shape: [3] }) as SymbolicTensor;
    const shared = layers.dense({ units: 3 });
    const nested = model({ inputs: part, outputs: shared.apply(part) as SymbolicTensor });
    const net = model({ inputs: a, outputs: shared.apply(nested.apply(a) as SymbolicTensor) as SymbolicTensor });
    const again = await loadModel(await net.toBytes());
    expect(again.countParams()).toBe(12);
    expect(values(again.predict(x) as Tensor)).toEqual(values(net.predict(x) as Tensor));
  });

  test("a functional model is made again from its configuration, shared and nested layers too", () => {
    const a = input({ shape: [3], name: "a" }) as SymbolicTensor;
    const shared = layers.dense({ units: 3 });
    const part = input({ shape: [3] }) as SymbolicTensor;
    const nested = model({ inputs: part, outputs: [layers.dense({ units: 3 }).apply(part) as SymbolicTensor, part] });
    const [p, q] = nested.apply(a) as unknown as readonly [SymbolicTensor, SymbolicTensor];
    const net = model({
      inputs: [a],
      outputs: layers.add().apply([shared.apply(p) as SymbolicTensor, shared.apply(q) as SymbolicTensor]),
    });
    const config = JSON.parse(JSON.stringify({ className: "Functional", config: net.getConfig() }));
    const again = deserializeLayer(config) as Model;
    expect(again.getConfig()).toEqual(net.getConfig());
    again.setWeights(net.getWeights());
    expect(values(again.predict(x) as Tensor)).toEqual(values(net.predict(x) as Tensor));
  });
});

describe("files", () => {
  let folder = "";
  const stored = new Map<string, Uint8Array>();
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-saving-"));
  });
  afterAll(() => {
    tf.provideFiles(null);
    rmSync(folder, { recursive: true });
  });
  const memory = (): tf.Files => ({
    kind: async (path) =>
      stored.has(path) ? "file" : [...stored.keys()].some((it) => it.startsWith(`${path}/`)) ? "directory" : null,
    stat: async (path) => ({ bytes: stored.get(path)!.length, version: "" }),
    list: async (path) =>
      [...stored.keys()].filter((it) => it.startsWith(`${path}/`)).map((it) => it.slice(path.length + 1)),
    read: async (path) => {
      const bytes = stored.get(path);
      if (bytes) return bytes;
      throw new tf.MillraceError("E_FILE", `no ${path}`);
    },
    write: async (path, bytes, { overwrite = true } = {}) => {
      if (!overwrite && stored.has(path)) throw new tf.MillraceError("E_FILE", `${path} is there`);
      stored.set(path, bytes);
    },
    writeDirectory: async () => {},
  });

  test("without files a path is refused, and bytes serve", async () => {
    tf.provideFiles(null);
    expect((await errorOf(dense().save("m.keras"))).code).toBe("E_FILE");
    expect((await errorOf(loadModel("m.keras"))).code).toBe("E_FILE");
    const bytes = await dense().toBytes();
    for (const source of [
      bytes,
      bytes.slice().buffer,
      new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
      new Blob([bytes.slice()]),
    ]) {
      expect((await loadModel(source)).countParams()).toBe(8);
    }
    expect((await errorOf(loadModel(5 as never))).code).toBe("E_ARGUMENT");
  });

  test("a path, a file: address and an unpacked directory are read; weights alone too", async () => {
    tf.provideFiles(memory());
    const net = dense();
    await net.save("a/m.keras");
    expect((await loadModel("a/m.keras")).weights[0]!.arraySync()).toEqual(net.weights[0]!.arraySync());
    stored.set("/a/m.keras", stored.get("a/m.keras")!);
    expect((await loadLayersModel(new URL("file:///a/m.keras"))).countParams()).toBe(8);
    const archive = openArchive(stored.get("a/m.keras")!, limitsOf(null));
    for (const name of archive.names) stored.set(`dir/${name}`, archive.read(name));
    expect((await loadModel("dir")).countParams()).toBe(8);
    await net.saveWeights("w.weights.h5");
    const other = dense();
    await other.loadWeights("w.weights.h5");
    expect(other.weights[0]!.arraySync()).toEqual(net.weights[0]!.arraySync());
  });

  test("weights of another model are refused, and none is set", async () => {
    const net = sequential([layers.dense({ units: 2, inputShape: [3] }), layers.dense({ units: 5 })]);
    const before = net.weights.map((w) => w.arraySync());
    expect((await errorOf(net.loadWeights("w.weights.h5"))).code).toBe("E_FORMAT");
    expect(net.weights.map((w) => w.arraySync())).toEqual(before);
  });

  test("endings, overwrite and options are checked before anything is written", async () => {
    const net = dense();
    expect((await errorOf(net.save("m.h5"))).code).toBe("E_ARGUMENT");
    expect((await errorOf(net.saveWeights("m.h5"))).code).toBe("E_ARGUMENT");
    expect((await errorOf(net.save("a/m.keras", { overwrite: false }))).code).toBe("E_FILE");
    expect((await errorOf(net.save("b.keras", { overwite: true } as never))).reason).toMatch(
      /did you mean "overwrite"/,
    );
    expect(stored.has("b.keras")).toBe(false);
  });

  test("a signal that aborts rejects with its reason, and nothing is written or left", async () => {
    const aborted = { aborted: true, reason: "enough" };
    await expect(dense().save("c.keras", { signal: aborted })).rejects.toBe("enough");
    expect(stored.has("c.keras")).toBe(false);
    const bytes = await dense().toBytes();
    const before = tf.memory().numTensors;
    for (const hears of [0, 1, 2, 3]) {
      let asked = 0;
      const signal = {
        get aborted(): boolean {
          return asked++ >= hears;
        },
        reason: "enough",
      };
      await expect(loadModel(bytes, { signal })).rejects.toBe("enough");
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  test("progress goes from 0 to 1 and never back", async () => {
    const told: number[] = [];
    await loadModel(await dense().toBytes(), { onProgress: (fraction) => told.push(fraction) });
    expect([told[0], told.at(-1), [...told].sort((a, b) => a - b)]).toEqual([0, 1, told]);
  });

  test("an address is read where a server gives it, within the limit", async () => {
    const bytes = await dense().toBytes();
    const { createServer } = await import("node:http");
    const server = createServer((request, response) => {
      response.statusCode = request.url === "/m.keras" ? 200 : 404;
      response.end(bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    try {
      expect((await loadModel(`http://127.0.0.1:${port}/m.keras`)).countParams()).toBe(8);
      expect((await errorOf(loadModel(`http://127.0.0.1:${port}/none`))).reason).toMatch(/404/);
      const { code } = await errorOf(loadModel(`http://127.0.0.1:${port}/m.keras`, { limits: { bytes: 10 } }));
      expect(code).toBe("E_FORMAT");
    } finally {
      server.close();
    }
    writeFileSync(join(folder, "m.keras"), bytes);
    expect(readFileSync(join(folder, "m.keras")).length).toBe(bytes.length);
  });
});

describe("formats are told by content", () => {
  const of = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
  const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const hdf5 = of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0);
  test.each<[string, Uint8Array, string, RegExp]>([
    [".h5", hdf5, "E_UNIMPLEMENTED", /Keras 2 \(\.h5\) is not read yet/],
    [
      "a layers model of tfjs",
      json({ modelTopology: {}, weightsManifest: [] }),
      "E_UNIMPLEMENTED",
      /layers model of TensorFlow\.js/,
    ],
    ["a graph model of tfjs", json({ format: "graph-model", modelTopology: {} }), "E_ARGUMENT", /tf\.loadExecutable/],
    ["an artifact", json({ format: "millrace-artifact" }), "E_ARGUMENT", /tf\.loadExecutable/],
    [".tflite", of(28, 0, 0, 0, 0x54, 0x46, 0x4c, 0x33, 0, 0), "E_ARGUMENT", /tf\.loadExecutable/],
    ["ONNX", of(0x08, 0x07, 0x12, 0x04), "E_ARGUMENT", /tf\.loadExecutable/],
    ["a packed SavedModel", writeArchive({ "m/saved_model.pb": of(1) }), "E_ARGUMENT", /tf\.loadExecutable/],
    ["another archive", writeArchive({ "a.txt": of(1) }), "E_FORMAT", /no model of Keras/],
    ["a configuration alone", json({ class_name: "Sequential", config: {} }), "E_FORMAT", /without weights/],
    ["text", new TextEncoder().encode("model"), "E_FORMAT", /is no model/],
    ["nothing", of(), "E_FORMAT", /is empty/],
  ])("%s", async (_, bytes, code, reason) => {
    expect(await errorOf(loadModel(bytes))).toEqual({ code, reason: expect.stringMatching(reason) });
  });

  test("one that is not what the caller says is refused", async () => {
    const bytes = await dense().toBytes();
    expect((await loadModel(bytes, { format: "keras" })).countParams()).toBe(8);
    expect((await errorOf(loadModel(bytes, { format: "h5" }))).reason).toMatch(
      /a model of Keras 3, not of the format "h5"/,
    );
  });
});

describe("classes and functions of one's own", () => {
  class Scale extends Layer {
    static override readonly className: string = "Scale";
    private factor: tf.Variable | null = null;
    private readonly start: number;
    constructor(config: { name?: string; start?: number } = {}) {
      const { start = 1, ...rest } = config;
      super(rest);
      this.start = start;
    }
    override build(): void {
      const initializer = initializers.constant({ value: this.start });
      this.factor = this.addWeight({ name: "factor", shape: [], initializer });
    }
    override call(inputs: Tensors): Tensor {
      return tf.mul(inputs as Tensor, this.factor!);
    }
    override getConfig(): Record<string, unknown> {
      return { ...super.getConfig(), start: this.start };
    }
  }
  /** Layers that are properties, alone and in a list. */
  class Block extends Layer {
    static override readonly className: string = "Block";
    private readonly head = layers.dense({ units: 3 });
    private readonly rest = [layers.dense({ units: 3 }), new Scale({ start: 3 })];
    override build(shape: readonly (number | null)[]): void {
      for (const layer of [this.head, ...this.rest]) layer.buildFor(shape);
    }
    override call(inputs: Tensors): Tensor {
      return [this.head, ...this.rest].reduce((y, layer) => layer.apply(y) as Tensor, inputs as Tensor);
    }
  }
  class Net extends Model {
    static override readonly className: string = "Net";
    private readonly block = new Block();
    private readonly out = layers.dense({ units: 2 });
    override call(inputs: Tensors): Tensor {
      return this.out.apply(this.block.apply(inputs as Tensor) as Tensor) as Tensor;
    }
  }

  test("are named where they are missing, and taken from customObjects by either name", async () => {
    const net = sequential([new Scale({ start: 2 }), layers.dense({ units: 2 })]);
    net.buildFor([null, 3]);
    const bytes = await net.toBytes();
    expect(await errorOf(loadModel(bytes))).toEqual({
      code: "E_VERSION",
      reason: expect.stringMatching(/needs the layer "Scale".*customObjects: \{ "Scale": … \}/),
    });
    const again = await loadModel(bytes, { customObjects: { Scale } });
    expect(values(again.predict(x) as Tensor)).toEqual(values(net.predict(x) as Tensor));
    const packaged = changed(bytes, (it) =>
      it.replace('"registered_name": "Scale"', '"registered_name": "mine>Scale"'),
    );
    expect((await loadModel(packaged, { customObjects: { "mine>Scale": Scale } })).countParams()).toBe(9);
    expect(await errorOf(loadModel(bytes, { customObjects: { Scale: 5 } }))).toEqual({
      code: "E_ARGUMENT",
      reason: expect.stringMatching(/customObjects: "Scale" must be a class/),
    });
    expect((await errorOf(loadModel(bytes, { customObjects: { Scale: Date } }))).code).toBe("E_ARGUMENT");
  });

  test("layers in layers, and models of one's own, are saved and come back", async () => {
    registerKerasSerializable(Net);
    registerKerasSerializable(Block);
    registerKerasSerializable(Scale);
    const net = new Net();
    net.predict(x);
    const bytes = await net.toBytes();
    const again = await loadModel(bytes);
    expect(again).toBeInstanceOf(Net);
    expect(values(again.predict(x) as Tensor)).toEqual(values(net.predict(x) as Tensor));
  });

  test("activations, losses, metrics, optimizers and initializers", async () => {
    const twice: activations.Activation = (it) => tf.mul(it, 2);
    const far = (t: Tensor, p: Tensor): Tensor => tf.mean(tf.abs(tf.sub(t, p)), -1);
    class Half extends initializers.Initializer {
      static readonly className: string = "Half";
      override apply(shape: readonly number[]): Tensor {
        return tf.fill(shape, 0.5);
      }
    }
    class Plain extends optimizers.Optimizer {
      static override readonly className: string = "Plain";
      constructor(config: optimizers.OptimizerConfig) {
        super({ name: "plain", ...config }, optimizers.sgdRule(0, false) as optimizers.OptimizerRule);
      }
    }
    const net = sequential([
      layers.dense({ units: 2, activation: twice, kernelInitializer: new Half(), inputShape: [3] }),
    ]);
    net.compile({ optimizer: new Plain({ learningRate: 0.25 }), loss: far, metrics: [far] });
    const bytes = await net.toBytes();
    for (const name of ["twice", "Half", "Plain", "far"]) {
      const { [name]: _, ...customObjects } = { twice, Half, Plain, far } as Record<string, unknown>;
      expect(["E_VERSION", "E_UNIMPLEMENTED"]).toContain((await errorOf(loadModel(bytes, { customObjects }))).code);
    }
    const again = await loadModel(bytes, { customObjects: { twice, Half, Plain, far } });
    const y = tf.zeros([2, 2]) as Tensor;
    expect(await again.trainOnBatch(x, y)).toEqual(await net.trainOnBatch(x, y));
    expect(again.weights[0]!.arraySync()).toEqual(net.weights[0]!.arraySync());
    const nameless = sequential([layers.dense({ units: 2, activation: (() => twice)().bind(null), inputShape: [3] })]);
    Object.defineProperty((nameless.layers[0] as unknown as { activation: object }).activation, "name", { value: "" });
    expect((await errorOf(nameless.toBytes())).code).toBe("E_ARGUMENT");
  });
});

describe("code in files is never run", () => {
  test("Lambda is refused, in safe mode whatever is given, without it unless a class takes its place", async () => {
    const net = sequential([layers.inputLayer({ inputShape: [3] }), layers.reLU({ name: "code" })]);
    const bytes = changed(await net.toBytes(), (it) => it.replace('"class_name": "ReLU"', '"class_name": "Lambda"'));
    for (const options of [{}, { safeMode: false }, { customObjects: { Lambda: layers.ReLU } }]) {
      expect(await errorOf(loadModel(bytes, options))).toEqual({
        code: "E_UNIMPLEMENTED",
        reason: expect.stringMatching(
          /Python code in a Lambda \("code"\), which is never run.*safeMode: false.*customObjects/,
        ),
      });
    }
    class Standin extends Layer {
      override call(inputs: Tensors): Tensor {
        return tf.neg(inputs as Tensor);
      }
      constructor({ name }: { name?: string } = {}) {
        super(name === undefined ? {} : { name });
      }
    }
    const loaded = await loadModel(bytes, { safeMode: false, customObjects: { Lambda: Standin } });
    expect(values(loaded.predict(x) as Tensor)).toEqual([-1, -2, -3, -4, -5, -6]);
  });

  test("a lambda in place of an activation, and modules that are not Keras's, are refused", async () => {
    const bytes = await sequential([layers.dense({ units: 2, activation: "relu", inputShape: [3] })]).toBytes();
    const lambda = changed(bytes, (it) =>
      it.replace('"relu"', '{"class_name": "__lambda__", "config": {"value": ["4wEA", null, null]}}'),
    );
    expect((await errorOf(loadModel(lambda))).reason).toMatch(/never run/);
    const os = changed(bytes, (it) =>
      it.replace('"module": "keras.layers", "class_name": "Dense"', '"module": "os", "class_name": "system"'),
    );
    expect((await errorOf(loadModel(os))).code).toBe("E_VERSION");
    for (const name of ["constructor", "__proto__", "toString"]) {
      const odd = changed(bytes, (it) => it.replace('"class_name": "Dense"', `"class_name": "${name}"`));
      expect([name, (await errorOf(loadModel(odd))).code]).toEqual([name, "E_UNIMPLEMENTED"]);
    }
  });
});

describe("what Keras has and Millrace has not is named", () => {
  test.each([
    [
      '"use_bias": true',
      '"use_bias": true, "kernel_constraint": {"class_name": "MaxNorm", "config": {}}',
      /Dense with kernel_constraint: /,
    ],
    ['"config": {"name": "float32"}', '"config": {"name": "mixed_float16"}', /layers of dtype "mixed_float16"/],
    ['"units": 2', '"units": 2, "rank": 4', /Dense with the option "rank"/],
    ['"activation": "linear"', '"activation": "sparsemax"', /activation "sparsemax" is not built here/],
  ])("%s", async (from, to, reason) => {
    const bytes = changed(await dense().toBytes(), (it) => {
      // The dtype of the layer, not of the model.
      const at = it.lastIndexOf(from);
      return it.slice(0, at) + to + it.slice(at + from.length);
    });
    expect(await errorOf(loadModel(bytes))).toEqual({ code: "E_UNIMPLEMENTED", reason: expect.stringMatching(reason) });
  });

  test("an optimizer that is not here can be left out", async () => {
    const net = dense();
    net.compile({ optimizer: "adam", loss: "mse" });
    const bytes = changed(await net.toBytes(), (it) => it.replace('"class_name": "Adam"', '"class_name": "Lion"'));
    expect((await errorOf(loadModel(bytes))).reason).toMatch(/optimizer "Lion" is not built here/);
    expect((await loadModel(bytes, { compile: false })).countParams()).toBe(8);
  });

  test("state of an optimizer that does not fit is left out, with a warning", async () => {
    const net = dense();
    net.compile({ optimizer: "adam", loss: "mse" });
    await net.trainOnBatch(x, tf.zeros([2, 2]) as Tensor);
    const bytes = changed(await net.toBytes(), (it) => it.replace('"amsgrad": false', '"amsgrad": true'));
    const warnings: string[] = [];
    tf.setLogger({ warn: (message) => warnings.push(message) });
    const again = await loadModel(bytes);
    tf.setLogger();
    expect(warnings).toEqual([expect.stringMatching(/^W_OPTIMIZER_STATE: /)]);
    expect(again.optimizer!.iterations.itemSync()).toBe(0);
  });
});
