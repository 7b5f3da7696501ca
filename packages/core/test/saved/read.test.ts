// What files may say: attributes, sizes, graphs, and ops of other versions.
import { defineComposite, defineOp } from "../../src/extend.js";
import * as tf from "../../src/index.js";
import type { Attrs } from "../../src/ir/attrs.js";
import { addDim, type Dim, floorDivDim, maxDim, minDim, modDim, mulDim, symbol } from "../../src/ir/dim.js";
import { type Graph, GraphBuilder } from "../../src/ir/graph.js";
import { noRule } from "../../src/ir/op.js";
import { printGraph } from "../../src/ir/print.js";
import { addOp, subOp } from "../../src/ops/binary/arithmetic.js";
import { broadcasting } from "../../src/ops/broadcasting.js";
import { constantOp } from "../../src/ops/create/constant.js";
import { coreOps } from "../../src/ops/table.js";
import type { Json, ReadLimits } from "../../src/saved/artifact.js";
import { readArtifact } from "../../src/saved/read.js";
import { parseSize } from "../../src/saved/sizes.js";
import { type Upgrades, upgrades } from "../../src/saved/upgrades.js";
import { writeArtifact } from "../../src/saved/write.js";
import type { TensorData } from "../../src/saved/write-safetensors.js";

tf.registerReferenceBackend();

type Files = ReadonlyMap<string, Uint8Array>;

function filesOf(graph: Graph, tensors: ReadonlyMap<string, TensorData> = new Map()): Files {
  const weights = [...tensors.keys()];
  const inputs = graph.params.slice(weights.length).map((_, i) => `x${i}`);
  const outputs = graph.results.map((_, i) => `y${i}`);
  return writeArtifact([{ name: "f", graph, inputs, outputs, weights }], tensors);
}

const read = (files: Files, limits: Partial<ReadLimits> = {}, given: Upgrades = {}) =>
  readArtifact(files.get("artifact.json")!, files.get("weights.safetensors")!, { limits, upgrades: given });

const again = (graph: Graph): Graph => read(filesOf(graph)).functions[0]!.graph;

/** A graph with one node that has these attributes: an op from outside may have any. */
defineOp({
  name: "saved/any",
  arity: 1,
  infer: ([x]) => [x!],
  reference: () => {},
  vjp: noRule("a test"),
  batch: noRule("a test"),
});

const parsed = (files: Files): Json => JSON.parse(new TextDecoder().decode(files.get("artifact.json")));

describe("attributes", () => {
  const anyOp = () =>
    defineOp<"saved/any", Attrs>({
      name: "saved/any",
      arity: 1,
      infer: ([x]) => [x!],
      reference: () => {},
      vjp: noRule("a test"),
      batch: noRule("a test"),
    });
  const attrsBack = (attrs: Attrs): Attrs => {
    const builder = new GraphBuilder();
    const x = builder.param({ dtype: "float32", shape: [symbol("n", 0)] });
    return again(builder.finish(builder.apply(anyOp(), [x], attrs))).nodes[0]!.attrs;
  };

  test("numbers that JSON does not have", () => {
    const attrs = {
      a: Number.NaN,
      b: Number.POSITIVE_INFINITY,
      c: -0,
      d: [Number.NEGATIVE_INFINITY, 1e-310],
      e: 2n ** 62n,
    };
    expect(attrsBack(attrs)).toEqual(attrs);
    expect(Object.is(attrsBack(attrs).c, -0)).toBe(true);
  });

  test("strings, booleans, lists in lists", () => {
    const attrs = { a: 'ä"\u2028 ', b: [[true], []], toString: "x", constructor: [1] };
    expect(attrsBack(attrs)).toEqual(attrs);
  });

  test("typed arrays, with every bit of a NaN", () => {
    const nan = new Float32Array(Uint32Array.of(0x7fc00001, 0xffc00000).buffer);
    const attrs = {
      nan,
      f: Float32Array.of(0.1, -0, Number.NaN, Number.POSITIVE_INFINITY),
      d: Float64Array.of(0.1, 5e-324),
      i: Int32Array.of(-(2 ** 31)),
      b: BigInt64Array.of(-(2n ** 63n)),
      u: Uint8Array.of(255),
      large: Float64Array.from({ length: 129 }, (_, i) => i / 3),
    };
    const back = attrsBack(attrs);
    const bits = (a: unknown): unknown => new Uint8Array((a as Float32Array).slice().buffer);
    for (const [name, value] of Object.entries(attrs)) {
      expect(back[name]?.constructor).toBe(value.constructor);
      expect(bits(back[name])).toEqual(bits(value));
    }
  });

  test("sizes", () => {
    const n = symbol("n", 0);
    const half = floorDivDim(addDim(n, 1), 2);
    expect(attrsBack({ a: [n, 3, mulDim(half, -4)] })).toEqual({ a: [n, 3, mulDim(half, -4)] });
  });
});

describe("sizes", () => {
  const names = ["n", "a b", "max", "x*y", "constructor", "ü", '"'];
  const symbols = new Map(names.map((name, i) => [name, symbol(name, i % 2)]));
  const [n, m] = [symbols.get("n")!, symbols.get("a b")!];
  const sizes: Dim[] = [
    addDim(mulDim(n, n), -3),
    floorDivDim(addDim(n, m), mulDim(m, 2)),
    modDim(n, 3),
    maxDim(minDim(n, 7), mulDim(m, -1)),
    ...names.map((name) => addDim(mulDim(symbols.get(name)!, 5), 1)),
  ];

  test.each(sizes.map((d) => [String(d), d] as const))("%s", (_, d) => {
    const builder = new GraphBuilder();
    const params = names.map((name) => builder.param({ dtype: "float32", shape: [symbols.get(name)!] }));
    const graph = { ...builder.finish(params), guards: [{ kind: "le" as const, a: d, b: 9 }] };
    expect(again(graph).guards).toEqual(graph.guards);
  });

  test.each([
    ["n+", "ends too early"],
    ["n n", "has n where it should end"],
    ["k", "names a size k"],
    ["floorDiv(n,0)", "divides by zero"],
    ["floorDiv(n)", "lacks a ,"],
    ["n^2", "has no meaning"],
    ["9007199254740993*n", "coefficient"],
    ["9007199254740991*3*n", "coefficient"],
    [`${"max(".repeat(40)}n`, "nested too deeply"],
    [`n${"+n".repeat(3000)}`, "longer than"],
    ['"n', "has no meaning"],
    ["", "ends too early"],
  ])("%s is refused", (text, why) => {
    expect(() => parseSize(text, new Map([["n", n]]))).toThrow(why);
  });
});

test("a product of sums is refused before it is multiplied out", () => {
  const names = Array.from({ length: 9 }, (_, i) => `s${i}`);
  const symbols = new Map(names.map((name) => [name, symbol(name, 0)]));
  const sum = `max(${names.join("+")},-1)`;
  expect(parseSize(sum, symbols)).toEqual(parseSize(names.join("+"), symbols));
  expect(() => parseSize(Array.from({ length: 40 }, () => sum).join("*"), symbols)).toThrow("more than 64 terms");
});

describe("graphs", () => {
  const x = { dtype: "float32", shape: [symbol("n", 0), 2] } as const;

  test("an op of the engine's own is written as what it is made of", () => {
    const builder = new GraphBuilder();
    const params = [builder.param(x), builder.param({ dtype: "float32", shape: [2] })];
    const back = again(builder.finish(builder.apply(broadcasting(addOp), params)));
    expect(back.stage).toBe("traced");
    expect(back.nodes.map((node) => node.op)).toEqual([expect.anything(), addOp]);
  });

  test("a parameter that nobody reads, one result twice, and no node at all", () => {
    const builder = new GraphBuilder();
    const params = [builder.param(x), builder.param({ dtype: "bool", shape: [] })];
    const graph = builder.finish([params[0]!, params[0]!]);
    expect(printGraph(again(graph))).toBe(printGraph(graph));
  });

  test("guards are derived, whatever the file says", () => {
    const builder = new GraphBuilder();
    const [n, m] = [symbol("n", 0), symbol("m", 0)];
    const params = [n, m].map((d) => builder.param({ dtype: "float32", shape: [d] }));
    const graph = builder.finish(builder.apply(addOp, params));
    expect(graph.guards).toHaveLength(1);
    const json = parsed(filesOf(graph)) as { graphs: { guards?: Json }[] };
    delete json.graphs[0]!.guards;
    const files = new Map(filesOf(graph)).set("artifact.json", new TextEncoder().encode(JSON.stringify(json)));
    expect(read(files).functions[0]!.graph.guards).toEqual(graph.guards);
  });

  test("large data is kept once, beside the weights", () => {
    const data = Float32Array.from({ length: 300 }, (_, i) => i);
    const builder = new GraphBuilder();
    const attrs = { dtype: "float32", shape: [300], data } as const;
    const [a] = builder.apply(constantOp, [], attrs);
    const [b] = builder.apply(constantOp, [], { ...attrs, data: data.slice() });
    const files = filesOf(builder.finish(builder.apply(subOp, [a!, b!])));
    expect(parsed(files)).toMatchObject({ constants: ["constants/0"] });
    expect(files.get("artifact.json")!.length).toBeLessThan(1500);
    expect(read(files).functions[0]!.graph.nodes[0]!.attrs.data).toEqual(data);
  });
});

describe("ops", () => {
  const cube = (version: number) =>
    ({
      name: "saved/cube",
      version,
      package: "saved-ops",
      lower: (b, [v]) => [b.mul([v!, b.mul([v!, v!])])],
    }) satisfies Parameters<typeof defineComposite>[0];
  const cubeOp = defineComposite(cube(1));
  const builder = new GraphBuilder();
  const graph = builder.finish(builder.apply(cubeOp, [builder.param({ dtype: "float32", shape: [2] })]));
  const files = filesOf(graph);
  const changed = (change: (text: string) => string): Files => {
    const text = new TextDecoder().decode(files.get("artifact.json"));
    return new Map(files).set("artifact.json", new TextEncoder().encode(change(text)));
  };
  const thrownBy = (f: () => unknown): unknown => {
    try {
      f();
    } catch (error) {
      return error;
    }
    return undefined;
  };

  test("one from outside is found again", () => {
    expect(read(files).functions[0]!.graph.nodes[0]!.op).toBe(cubeOp);
  });

  test("one that is not defined is E_VERSION, which names the package and what to call", () => {
    const error = thrownBy(() => read(changed((text) => text.replaceAll("saved/cube", "saved/gone"))));
    expect(error).toMatchObject({ code: "E_VERSION", op: "saved/gone" });
    expect(String(error)).toMatch(/needs saved\/gone@1, which is not defined here: npm install saved-ops@latest/);
    expect(String(error)).toMatch(/import "saved-ops"/);
  });

  test("one of core that a later release has is E_VERSION", () => {
    const later = thrownBy(() => read(changed((text) => text.replaceAll("saved/cube", "spline"))));
    expect(later).toMatchObject({ code: "E_VERSION", message: expect.stringContaining("npm install") });
    const newer = thrownBy(() => read(changed((text) => text.replace('"saved/cube":1', '"saved/cube":2'))));
    expect(newer).toMatchObject({ code: "E_VERSION", message: expect.stringContaining("is here in version 1") });
  });

  test("one of an earlier version is brought up to date, step by step", () => {
    const old = changed((text) =>
      text.replaceAll("saved/cube", "saved/pow").replace('"op":"saved/pow"', '"op":"saved/pow","attrs":{"n":3}'),
    );
    const planted: Upgrades = {
      "saved/pow": {
        1: ({ attrs }) => ({ op: "saved/power", version: 2, attrs: { exponent: attrs.n! } }),
      },
      "saved/power": { 2: () => ({ op: "saved/cube", version: 1, attrs: {} }) },
    };
    expect(printGraph(read(old, {}, planted).functions[0]!.graph)).toBe(printGraph(graph));
    expect(() => read(old, {}, { "saved/pow": planted["saved/pow"]! })).toThrow(/needs saved\/power@2/);
    const forEver: Upgrades = { "saved/pow": { 1: (node) => node } };
    expect(() => read(old, {}, forEver)).toThrow(/needs saved\/pow@1/);
  });

  test("each of core has a way from every earlier version", () => {
    const lacking = coreOps.flatMap((op) => {
      const earlier = Array.from({ length: op.version - 1 }, (_, i) => i + 1);
      return earlier.filter((version) => !upgrades[op.name]?.[version]).map((version) => `${op.name}@${version}`);
    });
    expect(lacking).toEqual([]);
  });

  test("a later format is E_VERSION", () => {
    expect(() => read(changed((text) => text.replace('"formatVersion":1', '"formatVersion":2,"new":{}')))).toThrow(
      expect.objectContaining({ code: "E_VERSION" }),
    );
  });
});
