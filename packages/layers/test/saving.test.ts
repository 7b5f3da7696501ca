// Saving and loading without Keras at hand: options, classes of one's own, what is refused and how.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import {
  deserializeLayer,
  initializers,
  input,
  type Layer,
  layers,
  loadLayersModel,
  loadModel,
  losses,
  type Model,
  metrics,
  model,
  optimizers,
  regularizers,
  Sequential,
  type SymbolicTensor,
  sequential,
} from "../src/index.js";
import { layerClasses } from "../src/layers/layers.gen.js";
import { openArchive, writeArchive } from "../src/saving/archive.js";
import { limitsOf } from "../src/saving/checks.js";
import { classes, type Family } from "../src/saving/classes.js";
import { near, values } from "./helpers.js";
import { dense, errorOf, x } from "./saved-files.js";

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

test("a file that Keras 3.15 wrote is read for ever, and predicts what it did", async () => {
  const fixture = (name: string): Uint8Array =>
    new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
  const net = await loadModel(fixture("keras-3.15.keras"));
  const { xs, ys } = JSON.parse(new TextDecoder().decode(fixture("keras-3.15.json"))) as Record<
    "xs" | "ys",
    number[][]
  >;
  // boundary: a model of two outputs gives a list
  const made = net.predict(xs.map((it) => tf.tensor(it) as Tensor)) as unknown as readonly Tensor[];
  made.forEach((y, i) => {
    near(values(y), [ys[i]!].flat(3) as number[], 1e-5);
  });
  expect(net.optimizer!.iterations.itemSync()).toBe(1);
  expect(net.optimizer!.variables.length).toBe(2 + 2 * net.trainableWeights.length);
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
    // boundary: a model of two outputs gives a list
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

  test("an abort from outside is heard while many weights are read", async () => {
    const layer = (): Layer => layers.dense({ units: 1500, inputShape: [1500], kernelInitializer: "zeros" });
    const large = sequential([layer(), layer(), layer()]);
    const controller = new AbortController();
    const told: number[] = [];
    // It comes as an event, which only the reader itself can let in while it reads.
    const onProgress = (fraction: number): void => {
      told.push(fraction);
      if (fraction > 0) setImmediate(() => controller.abort(new Error("enough")));
    };
    const loading = loadModel(await large.toBytes(), { signal: controller.signal, onProgress });
    await expect(loading).rejects.toThrow("enough");
    expect(told).not.toContain(1);
    large.dispose();
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
      if (request.url === "/moved") return response.writeHead(302, { location: "/m.keras" }).end();
      response.statusCode = request.url === "/m.keras" ? 200 : 404;
      return response.end(bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    try {
      expect((await loadModel(`http://127.0.0.1:${port}/m.keras`)).countParams()).toBe(8);
      expect((await errorOf(loadModel(`http://127.0.0.1:${port}/none`))).reason).toMatch(/404/);
      expect(await errorOf(loadModel(`http://127.0.0.1:${port}/moved`))).toEqual({
        code: "E_FILE",
        reason: expect.stringContaining("redirects to /m.keras"),
      });
      expect((await errorOf(loadModel("http://"))).code).toBe("E_ARGUMENT");
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
    [".h5", hdf5, "E_UNIMPLEMENTED", /an HDF5 file is not read yet/],
    [
      "a layers model of tfjs",
      json({ modelTopology: { model_config: {} }, weightsManifest: [] }),
      "E_UNIMPLEMENTED",
      /a TensorFlow\.js layers model is not read yet/,
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
    expect((await errorOf(loadModel(bytes, { format: "h5" }))).reason).toMatch(/a .keras file, not of the format "h5"/);
  });
});
