// The reader: what real programs wrote, and files that lie.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Builder } from "flatbuffers";
import * as tf from "millrace";
import { convert, readModel } from "../src/index.js";
import { digits } from "./layer-cases.js";

const goldens = new URL("../../../../shared/goldens/", import.meta.url);
const withGoldens = existsSync(goldens) ? describe : describe.skip;
const mutations = Number(process.env.MILLRACE_FUZZ ?? 2000);

/** What a mutated file may do: be read, or be refused with E_FORMAT. */
function outcome(bytes: Uint8Array): "read" | "refused" {
  try {
    readModel(bytes);
    return "read";
  } catch (error) {
    if (tf.isMillraceError(error, "E_FORMAT")) return "refused";
    throw error;
  }
}

/** Marsaglia's xorshift: the same mutations in every run. */
function random(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

const extremes = [0, 1, 0x7f, 0x80, 0xff];

function mutate(bytes: Uint8Array, below: (n: number) => number): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let n = 1 + below(4); n > 0; n--) {
    const at = below(copy.length - 4);
    const kind = below(5);
    if (kind === 0) copy[at] = below(256);
    else if (kind === 1) copy[at] = extremes[below(extremes.length)]!;
    else if (kind === 2) view.setInt32(at & ~3, below(2) === 0 ? -1 - below(64) : 0x7fffffff - below(64), true);
    else if (kind === 3) view.setInt32(at & ~3, below(copy.length), true);
    else copy.copyWithin(at, below(copy.length), below(copy.length));
  }
  return below(8) === 0 ? copy.subarray(0, below(copy.length)) : copy;
}

describe("files that lie", () => {
  test("what is no .tflite file is refused by words", () => {
    for (const bytes of [
      new Uint8Array(),
      new Uint8Array(3),
      new Uint8Array(64),
      new TextEncoder().encode("{}".repeat(40)),
    ]) {
      expect(() => readModel(bytes)).toThrow(/this is no whole \.tflite file/);
    }
  });

  test("every truncation of a small file is refused", async () => {
    const net = tf.sequential([tf.layers.dense({ units: 2, inputShape: [3] })]);
    const { bytes } = await convert(net);
    for (let length = 0; length < bytes.length; length += 3) expect(outcome(bytes.subarray(0, length))).toBe("refused");
  });

  test("tables that many others point at are refused before they fill memory", () => {
    // A model of 2,000 times the same graph, which has 2,000 times the same tensor: 4 million of them in 16 KB.
    const builder = new Builder();
    const times = (offset: number): number => {
      builder.startVector(4, 2000, 4);
      for (let i = 0; i < 2000; i++) builder.addOffset(offset);
      return builder.endVector();
    };
    builder.startObject(9);
    builder.addFieldInt32(2, 0, -1);
    const tensors = times(builder.endObject());
    builder.startObject(5);
    builder.addFieldOffset(0, tensors, 0);
    const graphs = times(builder.endObject());
    builder.startObject(8);
    builder.addFieldInt32(0, 3, 0);
    builder.addFieldOffset(2, graphs, 0);
    builder.finish(builder.endObject(), "TFL3");
    expect(() => readModel(builder.asUint8Array())).toThrow(/its tables hold more than its bytes can/);
  });

  test(`${mutations} mutations are read or refused, none crashes`, async () => {
    const plain = await convert(tf.sequential([tf.layers.lstm({ units: 3, inputShape: [2, 3] })]));
    const quantised = await convert(tf.sequential([tf.layers.dense({ units: 32, inputShape: [32] })]), {
      quantize: "dynamic",
    });
    const below = random(12345);
    const outcomes = { read: 0, refused: 0 };
    for (let i = 0; i < mutations; i++) {
      outcomes[outcome(mutate(i % 2 === 0 ? plain.bytes : quantised.bytes, below))]++;
    }
    // Both happen, or the mutations prove nothing.
    expect(outcomes.read).toBeGreaterThan(mutations / 50);
    expect(outcomes.refused).toBeGreaterThan(mutations / 10);
  });
});

withGoldens("files of other programs (needs ../shared/goldens)", () => {
  const files = (folder: URL): URL[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      if (entry.isDirectory()) return files(new URL(`${entry.name}/`, folder));
      return entry.name.endsWith(".tflite") ? [new URL(entry.name, folder)] : [];
    });

  test("are all read", () => {
    const all = files(goldens);
    expect(all.length).toBeGreaterThan(15);
    for (const file of all) {
      const { graphs } = readModel(readFileSync(file));
      for (const { tensors, operators, inputs, outputs } of graphs) {
        expect(Math.min(tensors.length, operators.length, inputs.length, outputs.length)).toBeGreaterThan(0);
      }
    }
  });

  test("have the operators, options and scales that they have", () => {
    const { graphs, minRuntimeVersion } = readModel(readFileSync(new URL("cnn_bn_int8.tflite", goldens)));
    const [conv] = graphs[0]!.operators.filter((o) => o.operator === "CONV_2D");
    expect(conv!.options).toMatchObject({ table: "Conv2DOptions", values: { padding: "SAME", strideW: 1 } });
    const filters = graphs[0]!.tensors[conv!.inputs[1]!]!;
    expect(filters).toMatchObject({ type: "INT8", shape: [8, 3, 3, 3] });
    expect(filters.quantization!.scales).toHaveLength(8);
    expect(minRuntimeVersion).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

test("what is written is what is read", async () => {
  const { bytes } = await convert(digits(), { quantize: "dynamic" });
  const { graphs } = readModel(bytes);
  const [filters] = graphs[0]!.tensors.filter((t) => t.type === "INT8");
  expect(filters!.data!.byteLength).toBe(64 * 3 * 3 * 32);
  expect(filters!.quantization).toMatchObject({ axis: 0 });
  expect(Math.max(...new Int8Array(filters!.data!.slice().buffer).map(Math.abs))).toBe(127);
});
