// Two devices in one function: copies where they are asked for, or where soft placement needs them.
import * as tf from "@millrace/core";
import { addOp, buildGraph, constantOp, mulOp } from "@millrace/core/graph";
import { copyOp, place, verifyPlaced } from "../src/passes/place.js";

tf.registerReferenceBackend();
tf.config.setLogicalDevices("reference", 2);
const [here, there] = ["reference:0", "reference:1"] as const;
const x = tf.tensor([1, 2]);
const y = tf.tensor([3, 4]).to(there);

const live = (): number => tf.memory().numTensors;

describe("logical devices", () => {
  test("are listed, and hold tensors apart", () => {
    expect(tf.listDevices().map(({ name }) => name)).toEqual([here, there]);
    expect([x.device, y.device, tf.device(there, () => tf.ones([1])).device]).toEqual([here, there, there]);
    expect(y.to(here).add(x).arraySync()).toEqual([4, 6]);
  });
  test("may grow, and do not go", () => {
    expect(() => tf.config.setLogicalDevices("reference", 1)).toThrow(/has 2 devices already/);
    tf.config.setLogicalDevices("reference", 2);
    expect(() => tf.config.setLogicalDevices("reference", 0)).toThrow(/from 1/);
    expect(() => tf.config.setLogicalDevices("nowhere", 2)).toThrow(/no device is called nowhere/);
  });
  test("tensors that die give their memory back where they were", () => {
    const before = live();
    for (let i = 0; i < 200; i++) tf.tidy(() => void tf.device(i % 2 ? here : there, () => tf.ones([4]).add(1)));
    expect(live()).toBeLessThanOrEqual(before);
  });
});

describe("a function", () => {
  const f = tf.fn((a: tf.Tensor) => {
    const far = tf.tanh(a.mul(2).to(there)).add(1);
    return [far, far.to(here).add(a), tf.device(there, () => tf.ones([2]))];
  });
  test("computes where its values are, and copies between", () => {
    const [far, near, ones] = f(x);
    expect([far!.device, near!.device, ones!.device]).toEqual([there, here, there]);
    expect(near!.arraySync()).toEqual(tf.tanh(x.mul(2)).add(1).add(x).arraySync());
    expect(ones!.arraySync()).toEqual([1, 1]);
    expect(String(f.graph(x))).toContain('to(%3) {device: "reference:1", from: "reference:0"}');
  });
  test("says how it runs", () => {
    const report = f.explain(x);
    expect([report.devices, report.programs, report.copies]).toEqual([[here, there], 4, 2]);
    expect(String(report)).toMatch(/on reference:0 and reference:1: 4 programs, 2 copies between/);
  });
  test("frees what it copies", () => {
    tf.dispose(f(x));
    const before = live();
    for (let i = 0; i < 5; i++) tf.dispose(f(x));
    expect(live()).toBeLessThanOrEqual(before);
  });
  test("takes arguments of several devices, a trace for each pattern", () => {
    const add = tf.fn((a: tf.Tensor, b: tf.Tensor) => a.to(there).add(b.to(there)));
    for (const [a, b] of [
      [x, y],
      [y, x],
      [y, y],
      [x, x],
      [x, y],
    ] as const) {
      const sum = add(a, b);
      expect([sum.device, sum.arraySync()]).toEqual([there, a.to(here).add(b.to(here)).arraySync()]);
    }
    expect(add.tracingCount()).toBe(4);
    expect(add.explainRetraces().retraces[0]!.changes).toContainEqual({
      path: "device",
      was: `${here} and ${there}`,
      became: `${there} and ${here}`,
    });
  });
  test("serves any size with one trace", () => {
    const g = tf.fn((a: tf.Tensor) => a.to(there).square().sum(), {
      inputSignature: [{ shape: [null], dtype: "float32" }],
    });
    expect([3, 5, 7].map((n) => g(tf.ones([n])).itemSync())).toEqual([3, 5, 7]);
    expect(g.tracingCount()).toBe(1);
  });
  test("assigns variables where they are", () => {
    const v = tf.device(there, () => tf.variable([1, 1]));
    const w = tf.variable([1, 1]);
    const step = tf.fn((a: tf.Tensor<[2], "float32">) => {
      v.assign(v.mul(2));
      w.assignAdd(v.to(here).mul(a) as tf.Tensor<[2], "float32">);
      return v.read();
    });
    expect([step(x).device, v.device, w.device]).toEqual([there, there, here]);
    expect([v.arraySync(), w.arraySync()]).toEqual([
      [2, 2],
      [3, 5],
    ]);
    const reset = tf.fn(() => {
      v.assign([0, 0]);
      w.assign([9, 9]);
    });
    reset();
    expect([v.device, v.arraySync(), w.device, w.arraySync()]).toEqual([there, [0, 0], here, [9, 9]]);
  });
  test("numbers go where the tensor beside them is", () => {
    expect(tf.fn((b: tf.Tensor) => tf.sub(1, b).greater(0))(y).device).toBe(there);
    expect(
      tf
        .fn((b: tf.Tensor) => tf.where(b.greater(3), b, 0))(y)
        .arraySync(),
    ).toEqual([0, 4]);
  });
  test("an effect comes after those before it, on whatever device", () => {
    const said: string[] = [];
    tf.setLogger({ info: (line) => said.push(line) });
    tf.fn((a: tf.Tensor) => {
      tf.print(a.to(there).to(here), "first");
      tf.print(a, "second");
      return a;
    })(x);
    tf.setLogger();
    expect(said.map((line) => line.split(" ")[0])).toEqual(["first", "second"]);
  });
  test("inside of control flow there is one device", () => {
    const branch = tf.fn((a: tf.Tensor) =>
      tf.cond(
        a.sum().greater(0),
        () => a.to(there),
        () => a,
      ),
    );
    expect(() => branch(x)).toThrow(/inside of control flow all tensors are on one device/);
    const far = tf.fn((a: tf.Tensor) => {
      const b = a.to(there);
      return tf.cond(
        b.sum().greater(0),
        () => b.add(1),
        () => b,
      );
    });
    expect([far(x).device, far(x).arraySync()]).toEqual([there, [2, 3]]);
  });
  test("an error on the way frees what was made, and leaves variables", () => {
    const v = tf.variable(1);
    const g = tf.fn((a: tf.Tensor) => {
      v.assignAdd(1);
      const far = a.to(there);
      tf.debugging.assertLess(far, 2);
      return far.add(1);
    });
    const before = live();
    expect(() => g(x)).toThrow(/assertLess/);
    expect(v.arraySync()).toBe(1);
    expect(live()).toBeLessThanOrEqual(before);
  });
});

describe("soft placement", () => {
  const said: string[] = [];
  beforeEach(() => {
    said.length = 0;
    tf.setLogger({ info: (line) => said.push(line) });
    tf.config.setSoftDevicePlacement(true);
  });
  afterEach(() => {
    tf.config.setSoftDevicePlacement(false);
    tf.setLogger();
  });
  test("copies operands to the first one's device, and says so once a line", () => {
    for (let i = 0; i < 2; i++) {
      const sum = tf.add(x, y);
      expect([sum.device, sum.arraySync()]).toEqual([here, [4, 6]]);
    }
    expect(said).toEqual([
      expect.stringMatching(
        /^placement: add on reference:0 gets a copy of an operand on reference:1, at .*placement\.test\.ts:\d+/,
      ),
    ]);
  });
  test("in functions too, where the pass inserts the copies", () => {
    const f = tf.fn((a: tf.Tensor, b: tf.Tensor) => b.mul(a).add(y));
    const made = f(x, y);
    expect([made.device, made.arraySync()]).toEqual([there, [6, 12]]);
    expect(said).toHaveLength(1);
  });
  test("takes the default device where there is none of a name", () => {
    expect(tf.device("cuda:0", () => tf.ones([1])).device).toBe(here);
    expect(said[0]).toMatch(/^placement: there is no cuda:0, so reference:0 takes its place/);
    tf.config.setSoftDevicePlacement(false);
    expect(tf.config.getSoftDevicePlacement()).toBe(false);
    expect(() => tf.device("cuda:0", () => tf.ones([1]))).toThrow(/no device is called cuda:0/);
  });
});

test("each op's device is logged where that is asked for", () => {
  const said: string[] = [];
  tf.setLogger({ info: (line) => said.push(line) });
  tf.debugging.setLogDevicePlacement(true);
  y.add(y);
  tf.fn((a: tf.Tensor) => tf.tanh(a.to(there)))(x);
  tf.debugging.setLogDevicePlacement(false);
  tf.setLogger();
  expect(said).toEqual(["placement: add on reference:1", "placement: tanh on reference:1"]);
});

describe("the pass", () => {
  const f32 = { dtype: "float32" as const, shape: [2] };
  test("puts copies where operands meet, constants wherever they are read, and results where they are made", () => {
    const graph = buildGraph([f32, f32], (b, [p, q]) => {
      const [one] = b.apply(constantOp, [], {
        dtype: "float32",
        shape: [2],
        data: Float32Array.of(1, 1),
      });
      const [near] = b.apply(addOp, [p!, one!]);
      const [far] = b.apply(addOp, [q!, one!]);
      return [b.apply(mulOp, [near!, far!])[0]!, far!, one!];
    });
    const placed = place(graph, ["a:0", "b:0"], "a:0");
    expect(verifyPlaced(placed)).toEqual([]);
    expect(placed.graph.results.map(placed.deviceOf)).toEqual(["a:0", "b:0", "a:0"]);
    expect(placed.graph.nodes.filter((node) => node.op === copyOp).map(({ attrs }) => attrs.device)).toEqual([
      "a:0",
      "a:0",
    ]);
    expect(String(placed.graph)).toMatchInlineSnapshot(`
      "graph traced (%0: float32[2], %1: float32[2]) {
        %2: float32[2] = constant() {data: Float32Array(1,1), dtype: "float32", shape: [2]}
        %3: float32[2] = add(%0, %2)
        %4: float32[2] = add(%1, %2)
        %5: float32[2] = to(%4) {device: "a:0", from: "b:0"}
        %6: float32[2] = mul(%3, %5)
        %7: float32[2] = to(%2) {device: "a:0", from: "a:0"}
        return %6, %4, %7
      }"
    `);
    const broken = {
      ...placed,
      deviceOf: (v: Parameters<typeof placed.deviceOf>[0]) =>
        v === placed.graph.params[0] ? "b:0" : placed.deviceOf(v),
    };
    const lying = {
      graph,
      deviceOf: (v: Parameters<typeof placed.deviceOf>[0]) => ["a:0", "b:0"][graph.params.indexOf(v)],
    };
    expect(verifyPlaced(broken).length + verifyPlaced(lying).length).toBeGreaterThan(0);
  });
});
