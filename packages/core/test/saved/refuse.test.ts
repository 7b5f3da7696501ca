// Files that are not what they must be are refused, with the place.
import * as tf from "../../src/index.js";
import type { ReadLimits } from "../../src/saved/artifact.js";
import { readArtifact } from "../../src/saved/read.js";
import { writeArtifact } from "../../src/saved/write.js";
import { type TensorData, writeSafetensors } from "../../src/saved/write-safetensors.js";

tf.registerReferenceBackend();

type Files = ReadonlyMap<string, Uint8Array>;

const read = (files: Files, limits: Partial<ReadLimits> = {}) =>
  readArtifact(files.get("artifact.json")!, files.get("weights.safetensors")!, { limits });

describe("what is refused", () => {
  const w: TensorData = { dtype: "float32", shape: [2], bytes: new Uint8Array(8) };
  const f = tf.nameFunction("f", ({ x }) => tf.add(tf.reshape(x!, [-1]), 1), { x: { shape: ["n", 2] } });
  const base = writeArtifact([{ ...f, weights: [] }], new Map([["w", w]]));
  const text = new TextDecoder().decode(base.get("artifact.json"));
  const json = (change: (text: string) => string): Files =>
    new Map(base).set("artifact.json", new TextEncoder().encode(change(text)));
  const weights = (bytes: Uint8Array): Files => new Map(base).set("weights.safetensors", bytes);
  const header = (header: unknown, data = 8): Files => {
    const bytes = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
    const file = new Uint8Array(8 + bytes.length + data);
    new DataView(file.buffer).setBigUint64(0, BigInt(bytes.length), true);
    file.set(bytes, 8);
    return weights(file);
  };
  const tensor = (over: object = {}) => ({ dtype: "F32", shape: [2], data_offsets: [0, 8], ...over });

  const cases: [string, Files, RegExp][] = [
    ["no JSON", json((t) => t.slice(0, -5)), /^artifact.json: it is no JSON/],
    ["no UTF-8", new Map(base).set("artifact.json", Uint8Array.of(0x7b, 0xff)), /it is no UTF-8/],
    ["another format", json((t) => t.replace("millrace-artifact", "x")), /is no artifact/],
    ["a key twice", json((t) => t.replace('"nodes"', '"params":[],"nodes"')), /the key "params" .* twice/],
    [
      "a key twice, escaped",
      json((t) => t.replace('"nodes"', '"par\\u0061ms":[],"nodes"')),
      /the key "params" .* twice/,
    ],
    ["__proto__", json((t) => t.replace('"format":', '"__proto__":{},"format":')), /the key "__proto__"/],
    ["too deep", json((t) => t.replace('"results":', `"results":${"[".repeat(400)}`)), /nested deeper/],
    [
      "a field too many",
      json((t) => t.replace('"results"', '"result":[],"results"')),
      /graphs\[0\].result is no field/,
    ],
    ["a field too few", json((t) => t.replace(/"results":\[\d+\]/, '"guards":[]')), /graphs\[0\] lacks "results"/],
    [
      "a value before it is made",
      json((t) => t.replace('"inputs":[0]', '"inputs":[4]')),
      /inputs\[0\] must be one of 0 to/,
    ],
    ["a fraction", json((t) => t.replace('"inputs":[0]', '"inputs":[0.5]')), /inputs\[0\] must be one of/],
    [
      "an op that is not listed",
      json((t) => t.replace('"op":"reshape"', '"op":"exp"')),
      /op is exp, which "ops" does not list/,
    ],
    [
      "an output of another shape",
      json((t) => t.replace('"shape":["2*n"]', '"shape":["2*n",1]')),
      /outputs say .* makes/,
    ],
    [
      "a broken rule",
      json((t) => t.replace('"shape":[{"size":"2*n"}]', '"shape":[{"size":"2*n+1"}]')),
      /breaks a rule: reshape/,
    ],
    ["another kind of attribute", json((t) => t.replace('"shape":[{"size":"2*n"}]', '"shape":"n"')), /must be a sizes/],
    [
      "an attribute of no op",
      json((t) => t.replace('"shape":[{"size":"2*n"}]', '"form":[1]')),
      /"form", which is no attribute/,
    ],
    [
      "a size of no parameter",
      json((t) =>
        t.replace('"params":[{"dtype":"float32","shape":["n",2]}]', '"params":[{"dtype":"float32","shape":["2*n",2]}]'),
      ),
      /n, which is no size of a parameter/,
    ],
    ["a size without a name", json((t) => t.replace('"symbols":{"n":[0,null]},', "")), /names a size n/],
    ["a size below nothing", json((t) => t.replace('"shape":["n",2]', '"shape":["n",-2]')), /has the size -2/],
    [
      "a size that overflows",
      json((t) => t.replace('"shape":["n",2]', '"shape":["n",4503599627370496,2]')),
      /more bytes than can be counted/,
    ],
    [
      "a constant of another dtype",
      json((t) => t.replace('"array":"float32"', '"array":"int32"')),
      /constant of another dtype/,
    ],
    ["a constant too short", json((t) => t.replace('"values":[1]', '"values":[]')), /breaks a rule: constant/],
    [
      "a bool that is 2",
      json((t) =>
        t.replace(
          '{"dtype":"float32","shape":[],"data":{"array":"float32","values":[1]}}',
          '{"dtype":"bool","shape":[],"data":{"array":"uint8","values":[2]}}',
        ),
      ),
      /neither 0 nor 1/,
    ],
    [
      "a shape whose size has too many terms",
      json((t) => t.replace('"shape":["n",2]', `"shape":[${Array(20).fill('"n+1"')}]`)),
      /too many terms/,
    ],
    [
      "a list longer than any rank",
      json((t) => t.replace('"shape":[{"size":"2*n"}]', `"shape":[${Array(40).fill(1)}]`)),
      /must be a sizes/,
    ],
    ["quotes without end", json(() => `{"${'\\"'.repeat(1e6)}`), /it is no JSON/],
    ["a number that is no float32", json((t) => t.replace('"values":[1]', '"values":[0.1]')), /is no float32/],
    [
      "a region for nobody",
      json((t) => t.replace('"op":"reshape",', '"op":"reshape","regions":[{"params":[],"nodes":[],"results":[]}],')),
      /has 1 regions, where reshape takes 0/,
    ],
    ["no signature", json((t) => t.replace(/"signatures":\{.*\},/, '"signatures":{},')), /holds no signature/],
    ["a graph that is not there", json((t) => t.replace('"graph":0', '"graph":1')), /graph must be one of 0 to 0/],
    ["a name twice", json((t) => t.replace('"inputs":["x"]', '"inputs":["x","x"]')), /names one of them twice/],
    [
      "an input __proto__",
      json((t) => t.replace('"inputs":["x"]', '"inputs":["__proto__"]')),
      /__proto__, which is no name/,
    ],
    ["too many inputs", json((t) => t.replace('"inputs":["x"]', '"inputs":["x","y"]')), /2 inputs and 0 weights/],
    [
      "a weight that is not there",
      json((t) => t.replace('"inputs":["x"]', '"inputs":[]').replace('"weights":[]', '"weights":["v"]')),
      /weights\[0\] is not among/,
    ],
    [
      "a weight of another shape",
      json((t) => t.replace('"inputs":["x"]', '"inputs":[]').replace('"weights":[]', '"weights":["w"]')),
      /is float32\[2\], where the graph takes float32\[n,2\]/,
    ],
    [
      "a constant that is not there",
      json((t) => t.replace('"graphs"', '"constants":["v"],"graphs"')),
      /the constant "v"/,
    ],
    ["a constant twice", json((t) => t.replace('"graphs"', '"constants":["w","w"],"graphs"')), /constants names one/],
    ["bounds the wrong way", json((t) => t.replace('"n":[0,null]', '"n":[5,2]')), /symbols.n\[1\] must be/],
    ["weights without a header", weights(new Uint8Array(4)), /shorter than the length/],
    ["a header that ends behind the file", weights(Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 0)), /ends behind the file/],
    ["a header of 2^63 bytes", weights(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 128)), /exceeds the limit/],
    ["a header that is a list", header([]), /must be an object/],
    ["a tensor twice", header(`{"w":${JSON.stringify(tensor())},"w":${JSON.stringify(tensor())}}`), /twice/],
    ["a dtype of others", header({ w: tensor({ dtype: "F8_E4M3", data_offsets: [0, 2] }) }), /w.dtype is F8_E4M3/],
    ["another size", header({ w: tensor({ shape: [3] }) }), /has 8 bytes where its shape takes 12/],
    ["a product that overflows", header({ w: tensor({ shape: [2 ** 52, 2 ** 52] }) }), /where its shape takes/],
    [
      "a product that wraps to nothing",
      header({ w: tensor({ shape: [2 ** 32, 2 ** 32], data_offsets: [0, 0] }) }, 0),
      /where its shape takes/,
    ],
    ["an overlap", header({ a: tensor(), b: tensor() }), /b overlaps/],
    ["a hole", header({ a: tensor(), b: tensor({ data_offsets: [12, 20] }) }, 20), /b begins behind a hole/],
    ["an end behind the file", header({ a: tensor() }, 4), /describes .* bytes of a file/],
    ["bytes of nobody", header({ a: tensor() }, 12), /describes .* bytes of a file/],
    ["an offset that is no number", header({ a: tensor({ data_offsets: [0, "8"] }) }), /data_offsets\[1\] must be/],
  ];

  test("the base is right", () => {
    expect(read(base).functions).toHaveLength(1);
    expect(writeSafetensors(new Map([["w", w]])).length % 8).toBe(0);
  });

  test.each(cases)("%s", (_, files, message) => {
    expect(files).not.toEqual(base);
    expect(() => read(files)).toThrow(
      expect.objectContaining({ code: "E_FORMAT", message: expect.stringMatching(message) }),
    );
  });

  test.each([
    ["jsonBytes", { jsonBytes: 100 }],
    ["weightBytes", { weightBytes: 50 }],
    ["nodes", { nodes: 2 }],
    ["tensors", { tensors: 0 }],
  ] as const)("more than limits.%s", (name, limits) => {
    const message = expect.stringContaining(`limits.${name}`);
    expect(() => read(base, limits)).toThrow(expect.objectContaining({ code: "E_FORMAT", message }));
  });

  test("regions deeper than limits.depth", () => {
    const nested = tf.nameFunction(
      "f",
      ({ x }) =>
        tf.cond(
          true,
          () =>
            tf.cond(
              true,
              () => tf.neg(x!),
              () => x!,
            ),
          () => x!,
        ),
      { x: { shape: [2] } },
    );
    const files = writeArtifact([{ ...nested, weights: [] }], new Map());
    expect(read(files).functions).toHaveLength(1);
    expect(() => read(files, { depth: 1 })).toThrow(/deeper than 1 regions/);
  });
});
