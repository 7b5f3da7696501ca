import * as tf from "../src/index.js";
import { signatureOf } from "../src/runtime/signature.js";

tf.registerReferenceBackend();

const scaleAndShift = () => {
  const w = tf.variable([2, 3], { name: "w" });
  const b = tf.tensor([1, 1]);
  return tf.nameFunction("serving_default", ({ x }) => ({ y: tf.add(tf.mul(x!, w), b), x: tf.sum(x!, -1) }), {
    x: { shape: ["batch", 2] },
  });
};

describe("nameFunction", () => {
  it("names inputs, outputs, sizes and weights", () => {
    const f = scaleAndShift();
    expect(signatureOf(f)).toEqual({
      inputs: [{ name: "x", dtype: "float32", shape: ["batch", 2] }],
      outputs: [
        { name: "y", dtype: "float32", shape: ["batch", 2] },
        { name: "x", dtype: "float32", shape: ["batch"] },
      ],
    });
    expect(f.weights.map((w) => w.name).sort()).toEqual(["constant_0", "w"]);
  });

  it("gives equal names an equal size", () => {
    const f = tf.nameFunction("f", ({ a, b }) => tf.add(a!, b!), { a: { shape: ["n"] }, b: { shape: ["n"] } });
    expect(signatureOf(f).outputs).toEqual([{ name: "output", dtype: "float32", shape: ["n"] }]);
    const run = new tf.Executable([f]);
    expect(() => run.run({ a: tf.zeros([2]), b: tf.zeros([3]) })).toThrow(/"b" is float32\[n\], got float32\[3\]/);
  });

  it("refuses a function that assigns a variable", () => {
    const v = tf.variable(0);
    expect(() => tf.nameFunction("f", ({ x }) => v.assignAdd(x!), { x: { shape: [] } })).toThrow(
      expect.objectContaining({ code: "E_VARIABLE" }),
    );
  });
});

describe("Executable", () => {
  it("runs by name, in order and alone, for any batch", () => {
    const run = new tf.Executable([scaleAndShift()]);
    for (const input of [{ x: tf.ones([3, 2]) }, [tf.ones([3, 2])], tf.ones([3, 2])]) {
      const { y, x } = run.run(input);
      expect(y!.arraySync()).toEqual([
        [3, 4],
        [3, 4],
        [3, 4],
      ]);
      expect(x!.arraySync()).toEqual([2, 2, 2]);
    }
    expect(run.run(tf.zeros([0, 2])).y!.shape).toEqual([0, 2]);
  });

  it("says what is wrong with a call", () => {
    const run = new tf.Executable([scaleAndShift()]);
    expect(() => run.run({})).toThrow(/the input "x" is missing/);
    expect(() => run.run({ x: tf.ones([1, 2]), z: tf.ones([1]) })).toThrow(/has no input "z"/);
    expect(() => run.run(tf.ones([1, 3]))).toThrow(expect.objectContaining({ code: "E_SHAPE" }));
    expect(() => run.run(tf.ones([1, 2], "int32"))).toThrow(expect.objectContaining({ code: "E_DTYPE" }));
    expect(() => run.run(tf.ones([1, 2]), { signature: "serving_defalt" })).toThrow(/did you mean "serving_default"/);
  });

  it("frees its weights, each once", () => {
    const w = tf.variable([1, 2]);
    const f = tf.nameFunction("f", ({ x }) => tf.mul(x!, w), { x: { shape: [2] } });
    const run = new tf.Executable([f, { ...f, name: "g" }]);
    expect(run.weights).toHaveLength(1);
    run.dispose();
    expect(w.isDisposed).toBe(true);
    expect(() => run.run(tf.ones([2]), { signature: "f" })).toThrow(expect.objectContaining({ code: "E_DISPOSED" }));
  });
});
