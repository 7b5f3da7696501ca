// Ops from outside of core: composites run as what they are made of, primitives as calls of JavaScript between programs.
import { inspect } from "node:util";
import * as tf from "@millrace/core";
import { ReferenceBackend } from "@millrace/core/backend";
import {
  applyOp,
  type Composite,
  defineComposite,
  defineOp,
  type NoAttrs,
  noRule,
  type Op,
  subDim,
} from "@millrace/core/extend";

tf.registerReferenceBackend();
const fusing = new ReferenceBackend({ name: "fusing", fusion: true });

const cubeOp: Composite<"test/cube"> = defineComposite({
  name: "test/cube",
  lower: (b, [x]) => [b.mul([x!, b.mul([x!, x!])])],
});
const cube = (x: tf.Tensor): tf.Tensor => applyOp(cubeOp, [x]);

let calls = 0;
const cbrtOp: Op<"test/cbrt", NoAttrs> = defineOp({
  name: "test/cbrt",
  arity: 1,
  infer: ([x]) => [x!],
  reference([x], _attrs, [out]) {
    calls++;
    for (let i = 0; i < x!.data.length; i++) out!.data[i] = Math.cbrt(Number(x!.data[i]));
  },
  vjp: (b, [g], _ins, [y]) => [b.div([g!, b.mul([y!, y!])])],
  batch: "elementwise",
});
const cbrt = (x: tf.Tensor): tf.Tensor => applyOp(cbrtOp, [x]);

/** An op with two results and an attribute that is a size. */
const splitAtOp: Op<"test/splitAt", { readonly at: number }, "many"> = defineOp({
  name: "test/splitAt",
  arity: 1,
  many: true,
  infer: ([x], { at }) => [
    { dtype: x!.dtype, shape: [at] },
    { dtype: x!.dtype, shape: [subDim(x!.shape[0]!, at)] },
  ],
  reference([x], { at }, [low, high]) {
    for (let i = 0; i < x!.data.length; i++) {
      if (i < at) low!.data[i] = x!.data[i]!;
      else high!.data[i - at] = x!.data[i]!;
    }
  },
  vjp: noRule("it is not needed here"),
  batch: noRule("it is not needed here"),
});

const codeOf = (f: () => unknown): string | undefined => {
  try {
    f();
  } catch (error) {
    return tf.isMillraceError(error) ? `${error.code} ${error.message}` : String(error);
  }
  return undefined;
};

describe("a composite", () => {
  test("needs its decomposition alone, in eager code and in functions", () => {
    expect(cube(tf.tensor([2, -3])).arraySync()).toEqual([8, -27]);
    expect(cube(tf.tensor2d([[2, 3]], [1, 2], "int32")).arraySync()).toEqual([[8, 27]]);
    expect(
      tf
        .fn((x: tf.Tensor) => tf.add(cube(x), 1))(tf.tensor([2]))
        .arraySync(),
    ).toEqual([9]);
  });
  test("fuses: one kernel with what stands around it", async () => {
    const { Device } = await import("../src/runtime/device.js");
    const { GraphBuilder } = await import("../src/ir/graph.js");
    const { addOp } = await import("../src/ops/families.gen.js");
    const builder = new GraphBuilder();
    const x = builder.param({ dtype: "float32", shape: [4] });
    const device = new Device(fusing, 0);
    const sum = builder.apply(addOp, [builder.apply(cubeOp, [x])[0]!, x]);
    const program = device.compile(builder.finish(sum)).bind([]);
    const before = fusing.stats().kernels;
    const buf = fusing.upload(new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer), { dtype: "float32", shape: [4] });
    const [out] = device.run(program, [buf], []);
    expect([...new Float32Array(fusing.readSync(out!).buffer)]).toEqual([2, 10, 30, 68]);
    expect(fusing.stats().kernels - before).toBe(1);
  });
  test("breaks the rules of what it is made of by its own name", () => {
    const op = defineComposite<"test/add2">({ name: "test/add2", lower: (b, [x, y]) => [b.add([x!, y!])] });
    const said = codeOf(() => applyOp(op, [tf.tensor([1, 2]), tf.tensor([1, 2, 3])]));
    expect(said).toMatch(/^E_SHAPE /);
  });
});

describe("a primitive", () => {
  test("runs in JavaScript, in eager code and between the programs of a function", () => {
    expect(cbrt(tf.tensor([8, -27])).arraySync()).toEqual([2, -3]);
    expect(cbrt(tf.tensor([8, -27, 64])).arraySync()).toEqual([2, -3, 4]);
    const f = tf.fn((x: tf.Tensor, c: tf.Tensor) => {
      const y = cbrt(tf.mul(x, c));
      return [tf.add(y, cbrt(tf.add(y, x))), y, x];
    });
    calls = 0;
    const outs = f(tf.tensor([4, 0]), tf.tensor([2, 1]));
    expect(outs.map((y) => y.arraySync())).toEqual([
      [2 + Math.fround(Math.cbrt(6)), 0],
      [2, 0],
      [4, 0],
    ]);
    expect(calls).toBe(2);
  });
  test("has several results, attributes and any sizes", () => {
    const [low, high] = applyOp(splitAtOp, [tf.tensor([1, 2, 3])], { at: 1 });
    expect([low!.arraySync(), high!.arraySync()]).toEqual([[1], [2, 3]]);
    const g = tf.fn((x: tf.Tensor) => tf.neg(cbrt(x)), { inputSignature: [{ shape: [null] }] });
    for (const n of [1, 3, 0]) expect(g(tf.ones([n])).arraySync()).toEqual(Array(n).fill(-1));
    expect(g.tracingCount()).toBe(1);
  });
  test("leaves no memory behind", () => {
    const f = tf.fn((x: tf.Tensor) => tf.add(cbrt(tf.mul(x, 2)), 1));
    const x = tf.tensor([4]);
    f(x).dispose();
    const before = tf.memory().numBytes;
    for (let i = 0; i < 5; i++) tf.dispose([f(x), cbrt(x)]);
    expect(tf.memory().numBytes).toBe(before);
  });
  test("splits the program, and explain says so", () => {
    const f = tf.fn(function rooted(x: tf.Tensor) {
      return tf.add(cbrt(tf.mul(x, 2)), 1);
    });
    const report = f.explain(tf.tensor([4]));
    expect([report.device, report.programs, report.hostCalls.map(({ op }) => op)]).toEqual([
      "reference:0",
      2,
      ["test/cbrt"],
    ]);
    expect(report.hostCalls[0]!.site?.file).toMatch(/extend\.test\.ts$/);
    expect(`${report}`).toMatch(
      /^rooted on reference:0: 2 programs\n {2}test\/cbrt runs in JavaScript, at \S*extend\.test\.ts:\d+:\d+\ngraph lowered \(/,
    );
    const whole = tf.fn((x: tf.Tensor) => cube(x)).explain(tf.tensor([4]));
    expect([whole.programs, whole.hostCalls]).toEqual([1, []]);
    expect(inspect(whole)).toMatch(/^a function on reference:0: one program\ngraph lowered \(/);
    // The lines of the decomposition, not the composite.
    expect(whole.graph.nodes.map((node) => node.op.name)).toEqual(["mul", "mul"]);
  });
  test("runs inside of control flow, which is then JavaScript too", () => {
    // The cube root three times over, but 1 is added where the sum is even.
    const f = tf.fn(
      (x: tf.Tensor) =>
        tf.whileLoop(
          (i) => tf.less(i, 3),
          (i, y) => [
            tf.add(i, 1),
            tf.cond(
              tf.equal(tf.mod(i, 2), 0),
              () => cbrt(y!),
              () => tf.add(y!, 1),
            ),
          ],
          [tf.scalar(0), x],
        )[1]!,
    );
    const wanted = (x: number): number => Math.cbrt(Math.cbrt(x) + 1);
    for (const xs of [[7 ** 3], [8, 27], [1, 2, 3]])
      expect(f(tf.tensor(xs)).arraySync()).toEqual(xs.map((x) => expect.closeTo(wanted(x), 5)));
    const none = tf.fn(
      (x: tf.Tensor) =>
        tf.whileLoop(
          () => tf.scalar(false),
          (y) => [cbrt(y)],
          [x],
        )[0]!,
    );
    expect(none(tf.tensor([5])).arraySync()).toEqual([5]);
    const x = tf.tensor([8, 27]);
    const before = tf.memory().numBytes;
    for (let i = 0; i < 5; i++) tf.dispose([f(x), none(x)]);
    expect(tf.memory().numBytes).toBe(before);
  });
  test("assigns variables as other programs do", () => {
    const v = tf.variable([8]);
    const f = tf.fn(() => {
      v.assign(cbrt(v) as typeof v);
      return tf.neg(v);
    });
    expect([f().arraySync(), v.arraySync()]).toEqual([[-2], [2]]);
  });
});

describe("a definition", () => {
  const good = {
    name: "test/good",
    arity: 1,
    infer: ([x]: readonly { readonly dtype: "float32"; readonly shape: readonly number[] }[]) => [x!],
    reference: () => {},
    vjp: noRule("never"),
    batch: "elementwise",
  };
  // boundary: what plain JavaScript might write
  const define = (change: object) => codeOf(() => defineOp({ ...good, ...change } as never));

  test("is checked when it is made", () => {
    expect(define({})).toBeUndefined();
    for (const name of ["cbrt", "acme/", "/cbrt", "a b/c", "@acme/x/y", "acme/c.d"])
      expect(define({ name })).toMatch(/^E_ARGUMENT .*scope\/name/);
    for (const facet of ["infer", "reference", "vjp", "batch"])
      expect(define({ [facet]: undefined })).toMatch(new RegExp(`^E_ARGUMENT test/good: ${facet} is missing`));
    expect(define({ vjp: noRule("") })).toMatch(/vjp is missing/);
    expect(define({ vjp: "lower" })).toMatch(/vjp is missing/);
    expect(define({ version: 0 })).toMatch(/^E_ARGUMENT .*version/);
    expect(define({ batched: "elementwise" })).toMatch(/^E_ARGUMENT .*"batched" \(did you mean "batch"\?\)/);
  });
  test("is the only version of its name", () => {
    expect(define({ name: "test/versioned" })).toBeUndefined();
    expect(define({ name: "test/versioned" })).toBeUndefined();
    expect(define({ name: "test/versioned", version: 2 })).toMatch(/^E_VERSION .*versions 1 and 2/);
  });
});
