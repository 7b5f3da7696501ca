// Files that are damaged or lie: every one ends in a typed error or a model, never in a crash, a hang or memory without bound.
import { readFileSync } from "node:fs";
import process from "node:process";
import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { input, layers, loadModel, type Model, model, type SymbolicTensor, sequential } from "../src/index.js";
import { openArchive, writeArchive } from "../src/saving/archive.js";
import { limitsOf } from "../src/saving/checks.js";
import { openHdf5 } from "../src/saving/hdf5-reader.js";
import { RandomStream } from "../src/util/random.js";

tf.registerReferenceBackend();
tf.setLogger(null);

const limits = limitsOf(null);
const [configName, weightsName] = ["config.json", "model.weights.h5"] as const;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (it: string): Uint8Array => new TextEncoder().encode(it);

/** The files in a model's file. */
function unpacked(bytes: Uint8Array): Record<string, Uint8Array> {
  const archive = openArchive(bytes, limits);
  return Object.fromEntries(archive.names.map((name) => [name, archive.read(name)]));
}

async function bytesAndGone(net: Model): Promise<Uint8Array> {
  const bytes = await net.toBytes();
  net.dispose();
  return bytes;
}

async function small(): Promise<Uint8Array> {
  const net = sequential([layers.dense({ units: 4, activation: "relu", inputShape: [3] }), layers.dense({ units: 2 })]);
  net.compile({ optimizer: "adam", loss: "mse", metrics: ["mae"] });
  return bytesAndGone(net);
}

async function woven(): Promise<Uint8Array> {
  const [a, b] = [input({ shape: [4, 3] }) as SymbolicTensor, input({ shape: [3] }) as SymbolicTensor];
  const inner = sequential([layers.dense({ units: 3 }), layers.batchNormalization(), layers.dropout({ rate: 0.5 })]);
  const state = layers.lstm({ units: 3, kernelRegularizer: "l2" }).apply(a) as SymbolicTensor;
  const sum = layers.add().apply([inner.apply(state) as SymbolicTensor, inner.apply(b) as SymbolicTensor]);
  return bytesAndGone(model({ inputs: [a, b], outputs: [sum as SymbolicTensor, state] }));
}

/** What loading ends in: "ok", or the code of the error. Anything else fails. */
async function outcome(bytes: Uint8Array, options: Parameters<typeof loadModel>[1] = {}): Promise<string> {
  let net: Model | null = null;
  try {
    net = await loadModel(bytes, options);
    return "ok";
  } catch (error) {
    if (tf.isMillraceError(error)) return error.code;
    throw error;
  } finally {
    net?.dispose();
  }
}

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));

const typed = new Set(["ok", "E_FORMAT", "E_UNIMPLEMENTED", "E_VERSION", "E_ARGUMENT"]);

/** Ten thousand files unless MILLRACE_FUZZ says otherwise. */
const attempts = Number(process.env.MILLRACE_FUZZ ?? 10_000);

describe("mutated files", () => {
  const damage = (random: RandomStream, bytes: Uint8Array): Uint8Array => {
    const out = bytes.slice();
    const below = (n: number): number => Math.floor(random.uniform() * n);
    for (let i = 1 + below(4); i > 0; i--) {
      const at = below(out.length);
      const kind = below(6);
      if (kind === 0) return out.subarray(0, at);
      if (kind === 1) out.copyWithin(at, below(out.length), below(out.length));
      else if (kind === 2) out.fill(below(2) * 255, at, at + 1 + below(8));
      else out[at] = below(256);
    }
    return out;
  };
  const values = [
    null,
    true,
    -1,
    0,
    1,
    0.5,
    2 ** 31,
    2 ** 53,
    1e300,
    "",
    "x",
    "__proto__",
    "Dense",
    [],
    [null],
    {},
    [[]],
  ];
  /** Puts another value, or another part of the configuration, in one place of it. */
  const distort = (random: RandomStream, config: unknown): unknown => {
    const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
    const visit = (holder: unknown): void => {
      if (typeof holder !== "object" || holder === null) return;
      for (const [key, value] of Object.entries(holder)) {
        places.push({ holder: holder as Record<string, unknown>, key });
        visit(value);
      }
    };
    visit(config);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random.uniform() * list.length)]!;
    const [to, from] = [pick(places), pick(places)];
    const kind = Math.floor(random.uniform() * 4);
    if (kind === 0) delete to.holder[to.key];
    else if (kind === 1) to.holder[to.key] = structuredClone(from.holder[from.key]);
    else to.holder[to.key] = pick(values);
    return config;
  };

  test(`${attempts} of them: no crash, no hang, nothing left behind`, async () => {
    const random = new RandomStream(3);
    const whole = [await small(), await woven(), fixture("keras-3.15.keras")];
    const parts = whole.map(unpacked);
    const configs = parts.map((files) => text(files[configName]!));
    const before = tf.memory();
    const counts: Record<string, number> = {};
    for (let i = 0; i < attempts; i++) {
      const which = i % whole.length;
      const files = parts[which]!;
      const kind = Math.floor(i / whole.length) % 7;
      let bytes: Uint8Array;
      if (kind < 2) bytes = damage(random, whole[which]!);
      else if (kind < 4) bytes = writeArchive({ ...files, [weightsName]: damage(random, files[weightsName]!) });
      else if (kind < 5) bytes = writeArchive({ ...files, [configName]: damage(random, files[configName]!) });
      else {
        const config = distort(random, JSON.parse(configs[which]!));
        bytes = writeArchive({ ...files, [configName]: bytesOf(JSON.stringify(config)) });
      }
      const found = await outcome(bytes);
      counts[found] = (counts[found] ?? 0) + 1;
      if (!typed.has(found)) throw new Error(`attempt ${i} ends in ${found}`);
    }
    expect(Object.keys(counts).sort()).toEqual(expect.arrayContaining(["E_FORMAT", "E_UNIMPLEMENTED", "ok"]));
    const { numTensors, numBytes } = tf.memory();
    expect({ numTensors, numBytes }).toEqual({ numTensors: before.numTensors, numBytes: before.numBytes });
    for (const bytes of whole) expect(await outcome(bytes)).toBe("ok");
  }, 3_600_000);
});

describe("mutated HDF5 files", () => {
  test(`${attempts} of them end in numbers or a typed error`, () => {
    const random = new RandomStream(4);
    const whole = ["earliest", "latest", "compact", "many", "dense-group", "chunked"].map((name) =>
      fixture(`${name}.h5`),
    );
    const below = (n: number): number => Math.floor(random.uniform() * n);
    let read = 0;
    for (let i = 0; i < attempts; i++) {
      const bytes = whole[i % whole.length]!.slice();
      // Most damage is done at the beginning, where the structure is.
      for (let k = 1 + below(6); k > 0; k--)
        bytes[below(k % 2 === 0 ? bytes.length : 2500) % bytes.length] = below(256);
      try {
        const reader = openHdf5(bytes);
        for (const key of reader.keys("group") ?? []) {
          // What lies about its size ends in an error, not in memory.
          if (reader.shape(`group/${key}`)) reader.numbers(`group/${key}`);
          read++;
        }
      } catch (error) {
        if (!tf.isMillraceError(error)) throw error;
        if (!typed.has(error.code)) throw error;
      }
    }
    expect(read).toBeGreaterThan(attempts / 10);
  }, 3_600_000);
});

describe("files that lie", () => {
  const withConfig = async (change: (config: string) => string): Promise<Uint8Array> => {
    const files = unpacked(await small());
    return writeArchive({ ...files, [configName]: bytesOf(change(text(files[configName]!))) });
  };

  test("a layer that asks for more weights than the file holds is refused before they are made", async () => {
    expect(await outcome(await withConfig((it) => it.replace('"units": 4', '"units": 1000000000')))).toBe("E_FORMAT");
  });

  test("weights of another shape or number than the model's are refused, and the model is given back", async () => {
    const before = tf.memory().numTensors;
    for (const units of ["5", "3"]) {
      expect(await outcome(await withConfig((it) => it.replace('"units": 4', `"units": ${units}`)))).toBe("E_FORMAT");
    }
    expect(await outcome(await withConfig((it) => it.replace('"use_bias": true', '"use_bias": false')))).toBe(
      "E_FORMAT",
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  test("weights may hold NaN and infinities", async () => {
    const net = sequential([layers.dense({ units: 2, inputShape: [2], useBias: false })]);
    net.setWeights([tf.tensor([Number.NaN, Infinity, -Infinity, -0], [2, 2]) as Tensor]);
    const again = await loadModel(await net.toBytes());
    expect(Array.from(again.weights[0]!.dataSync() as Float32Array)).toEqual([Number.NaN, Infinity, -Infinity, -0]);
  });

  test("a configuration that is nested too deep, or too large, is not parsed", async () => {
    const files = unpacked(await small());
    const deep = `${'{"a":['.repeat(100_000)}${"]}".repeat(100_000)}`;
    expect(await outcome(writeArchive({ ...files, [configName]: bytesOf(deep) }))).toBe("E_FORMAT");
    expect(await outcome(await small(), { limits: { jsonBytes: 100 } })).toBe("E_FORMAT");
  });

  test("models that apply one another over and over are counted, not drawn", async () => {
    // Each applies the one inside of it a hundred times: a hundred to the eighth layers in a file of a few kilobytes.
    const tensor = (from: string, node: number): unknown => ({
      class_name: "__keras_tensor__",
      config: { shape: [null, 3], dtype: "float32", keras_history: [from, node, 0] },
    });
    let layer: Record<string, unknown> = {
      module: "keras.layers",
      class_name: "ReLU",
      config: { name: "inner" },
      registered_name: null,
    };
    for (let depth = 0; depth < 8; depth++) {
      const nodes = Array.from({ length: 100 }, (_, i) => ({
        args: [i === 0 ? tensor("x", 0) : tensor("inner", i - 1)],
        kwargs: {},
      }));
      const first = { module: "keras.layers", class_name: "InputLayer", config: { batch_shape: [null, 3], name: "x" } };
      const list = [
        { ...first, name: "x", inbound_nodes: [] },
        { ...layer, name: "inner", inbound_nodes: nodes },
      ];
      const last = depth === 0 ? 99 : 100;
      const config = { name: "inner", layers: list, input_layers: ["x", 0, 0], output_layers: ["inner", last, 0] };
      layer = { module: "keras", class_name: "Functional", config, registered_name: "Functional" };
    }
    const files = unpacked(await small());
    expect(await outcome(writeArchive({ ...files, [configName]: bytesOf(JSON.stringify(layer)) }))).toBe("E_FORMAT");
  });

  test("what a file repeats ten thousand times takes time in proportion", async () => {
    const files = unpacked(await small());
    const layer = (i: number): unknown => ({
      module: "keras.layers",
      class_name: "ReLU",
      config: { name: `re_lu_${i}` },
      registered_name: null,
    });
    const first = { module: "keras.layers", class_name: "InputLayer", config: { batch_shape: [null, 3], name: "x" } };
    const chain = [first, ...Array.from({ length: 30_000 }, (_, i) => layer(i))];
    const config = { module: "keras", class_name: "Sequential", config: { name: "long", layers: chain } };
    const of = (it: unknown): Uint8Array => writeArchive({ ...files, [configName]: bytesOf(JSON.stringify(it)) });
    expect(await outcome(of(config), { limits: { layers: 30_000 } })).toBe("E_FORMAT");
    expect(await outcome(of(config))).toBe("ok");
    // Long names, which are compared with others and turned from one case into another.
    const long = "_".repeat(1_000_000);
    for (const own of [{ [long]: 1 }, { padding: long }, { activation: long }, { kernel_initializer: long }]) {
      const odd = { module: "keras.layers", class_name: "Conv2D", config: { filters: 1, kernel_size: [1, 1], ...own } };
      const model = { module: "keras", class_name: "Sequential", config: { name: "odd", layers: [odd] } };
      expect(["E_FORMAT", "E_UNIMPLEMENTED"]).toContain(await outcome(of(model)));
    }
  });

  test("a graph that leads nowhere or in a circle is refused", async () => {
    const files = unpacked(await woven());
    const config = text(files[configName]!);
    const name = /"name": "(add[_0-9]*)"/.exec(config)![1]!;
    const circle = config.replaceAll(
      /"keras_history": \["sequential[_0-9]*", 0, 0\]/g,
      `"keras_history": ["${name}", 0, 0]`,
    );
    for (const it of [
      circle,
      config.replaceAll('["sequential', '["nobody'),
      config.replaceAll('", 0, 0]', '", 7, 0]'),
    ]) {
      expect(it).not.toBe(config);
      expect(await outcome(writeArchive({ ...files, [configName]: bytesOf(it) }))).toBe("E_FORMAT");
    }
  });
});

describe("archives", () => {
  const zip = (files: Record<string, Uint8Array>): Uint8Array => writeArchive(files);
  const field = (bytes: Uint8Array, signature: number, offset: number): number => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = bytes.length - 4; at >= 0; at--) if (view.getUint32(at, true) === signature) return at + offset;
    throw new Error("no such record");
  };

  test("a file that says it unpacks to more than it can, or than the limit, is refused before memory is taken", async () => {
    const bytes = zip({ "config.json": bytesOf("{}") });
    new DataView(bytes.buffer).setUint32(field(bytes, 0x02014b50, 24), 2 ** 31 - 1, true);
    expect(() => openArchive(bytes, limits)).toThrow(/says that 2 bytes unpack to/);
    expect(await outcome(await small(), { limits: { bytes: 100 } })).toBe("E_FORMAT");
    expect(() => openArchive(zip({ a: new Uint8Array(200) }), limitsOf({ bytes: 100 }))).toThrow(
      /over the limit of 100/,
    );
  });

  test("a bit that was turned in stored weights is noticed by the checksum", async () => {
    const bytes = await small();
    const { length } = unpacked(bytes)[weightsName]!;
    // Weights are the last file: its last bytes stand before the directory.
    const directory = new DataView(bytes.buffer).getUint32(field(bytes, 0x06054b50, 16), true);
    expect(length).toBeGreaterThan(1000);
    bytes[directory - 40]! ^= 1;
    await expect(loadModel(bytes)).rejects.toMatchObject({
      code: "E_FORMAT",
      reason: expect.stringMatching(/is damaged/),
    });
  });

  test.each(["../config.json", "/etc/passwd", "a\\b", "C:x", "a/../../b", "a\0b"])("the name %j is refused", (name) => {
    expect(() => openArchive(zip({ [name]: bytesOf("{}") }), limits)).toThrow(/holds the name/);
  });

  test("names that stand twice, encryption and other methods of packing are refused", () => {
    const bytes = zip({ aa: bytesOf("1"), ab: bytesOf("2") });
    const twice = bytes.slice();
    twice[field(twice, 0x02014b50, 47)] = "a".charCodeAt(0);
    expect(() => openArchive(twice, limits)).toThrow(/twice/);
    const encrypted = bytes.slice();
    encrypted[field(encrypted, 0x02014b50, 8)]! |= 1;
    expect(() => openArchive(encrypted, limits)).toThrow(/encrypted/);
    const packed = bytes.slice();
    packed[field(packed, 0x02014b50, 10)] = 12;
    expect(() => openArchive(packed, limits)).toThrow(/method 12/);
  });

  test("what zip packs by deflating is read", () => {
    expect(text(openArchive(fixture("deflated.zip"), limits).read("a.txt"))).toBe(`${"abc ".repeat(100)}\n`);
  });
});
