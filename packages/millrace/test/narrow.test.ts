// int8 and bfloat16 on both backends, against what TensorFlow 2.21 made of the same bits (core/test/goldens/narrow.py).
import { readFileSync } from "node:fs";
import * as tf from "../src/index.js";

type Golden = Record<"floats" | "cast" | "x" | "y" | "toInt32" | "p" | "q" | "bfloat16Products", number[]> &
  Record<"a" | "b" | "neg" | "abs" | "products", number[][]> & {
    readonly binary: Record<string, number[]>;
    readonly unary: Record<string, number[]>;
    readonly whole: Record<string, number[][]>;
    readonly sum: number;
  };
const golden: Golden = JSON.parse(
  readFileSync(new URL("../../core/test/goldens/narrow.json", import.meta.url), "utf8"),
);

const isNaN16 = (bits: number): boolean => (bits & 0x7fff) > 0x7f80;
/** Bits in the order of the numbers that they are. */
const place = (bits: number): number => (bits & 0x8000 ? -(bits & 0x7fff) : bits);

/** Holds bits within so many steps from one bfloat16 to the next; a NaN is a NaN. */
function expectBits(what: string, got: tf.Tensor, want: readonly number[], steps = 0): void {
  expect(got.dtype).toBe("bfloat16");
  const bits = Array.from(got.dataSync() as Uint16Array);
  expect(bits).toHaveLength(want.length);
  for (const [i, x] of bits.entries()) {
    const y = want[i]!;
    if (isNaN16(x) && isNaN16(y)) continue;
    const same = steps === 0 ? x === y : Math.abs(place(x) - place(y)) <= steps;
    if (!same) throw new Error(`${what}: element ${i} has the bits ${x.toString(16)}, TensorFlow's ${y.toString(16)}`);
  }
}

const { add, sub, mul, div, maximum, minimum } = tf;
const binary: Readonly<Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor>> = {
  add,
  sub,
  mul,
  div,
  maximum,
  minimum,
};

const sixteen = (bits: readonly number[], shape: readonly number[] = [bits.length]): tf.Tensor =>
  tf.tensor(Uint16Array.from(bits), shape, "bfloat16");

describe.each(["cpu:0", "reference:0"])("on %s", (device) => {
  const on = (name: string, body: () => void): void => {
    test(name, () => {
      tf.device(device, () => tf.tidy(body));
    });
  };

  on("casts have TensorFlow's bits", () => {
    const floats = new Float32Array(Uint32Array.from(golden.floats).buffer);
    expectBits("cast", tf.cast(tf.tensor(floats), "bfloat16"), golden.cast);
    const back = tf.cast(sixteen(golden.cast), "float32").dataSync() as Float32Array;
    const upper = new Uint16Array(back.buffer).filter((_, i) => i % 2 === 1);
    expectBits("cast and back", sixteen(Array.from(upper)), golden.cast);
    const whole = tf.cast(tf.mul(sixteen(golden.x), 100), "int32");
    expect(Array.from(whole.dataSync() as Int32Array)).toEqual(golden.toInt32);
  });

  on("arithmetic of bfloat16 has TensorFlow's bits, functions are within one step", () => {
    const [x, y] = [sixteen(golden.x), sixteen(golden.y)];
    for (const [name, want] of Object.entries(golden.binary)) expectBits(name, binary[name]!(x, y), want);
    expectBits("sqrt", tf.sqrt(tf.abs(x)), golden.unary.sqrt!);
    const { exp, tanh, sum, max } = tf;
    const unary: Record<string, (a: tf.Tensor) => tf.Tensor> = { exp, tanh, sum, max };
    for (const [name, f] of Object.entries(unary)) expectBits(name, f(x), golden.unary[name]!, 1);
  });

  on("int8 wraps as TensorFlow's does", () => {
    const [a, b] = [tf.tensor(golden.a, undefined, "int8"), tf.tensor(golden.b, undefined, "int8")];
    for (const [name, want] of Object.entries(golden.whole)) {
      const got = binary[name]!(a, b);
      expect([name, got.dtype, got.arraySync()]).toEqual([name, "int8", want]);
    }
    expect(tf.neg(a).arraySync()).toEqual(golden.neg);
    expect(tf.abs(a).arraySync()).toEqual(golden.abs);
    expect(tf.sum(a).itemSync()).toBe(golden.sum);
  });

  on("products are given in the dtype that is asked for", () => {
    const [a, b] = [tf.tensor(golden.a, undefined, "int8"), tf.tensor(golden.b, undefined, "int8")];
    const sums = tf.matMul(a, b, false, true, { outputType: "int32" });
    expect([sums.dtype, sums.arraySync()]).toEqual(["int32", golden.products]);
    const wrapped = tf.matMul(a, b, false, true);
    const wanted = golden.products.map((row) => Array.from(Int8Array.from(row)));
    expect([wrapped.dtype, wrapped.arraySync()]).toEqual(["int8", wanted]);
    const [p, q] = [sixteen(golden.p, [4, 8]), sixteen(golden.q, [4, 8])];
    expectBits("matMul", tf.matMul(p, q, false, true), golden.bfloat16Products, 1);
    const wide = tf.matMul(p, q, false, true, { outputType: "float32" } as object) as tf.Tensor;
    expect(wide.dtype).toBe("float32");
    expectBits("matMul into float32", tf.cast(wide, "bfloat16"), golden.bfloat16Products, 1);
    expect(() => tf.matMul(a, b, false, true, { outputType: "float32" } as object)).toThrow(
      expect.objectContaining({ code: "E_DTYPE", rule: "dotGeneral.C6" }),
    );
  });

  on("gradients of products of bfloat16 are bfloat16", () => {
    const [p, q] = [sixteen(golden.p, [4, 8]), sixteen(golden.q, [4, 8])];
    for (const options of [{}, { outputType: "float32" }]) {
      const product = (x: tf.Tensor, y: tf.Tensor): tf.Tensor =>
        tf.sum(tf.matMul(x, y, false, true, options as object) as tf.Tensor);
      const [dp, dq] = tf.grads(product)([p, q]) as [tf.Tensor, tf.Tensor];
      // Each row of the gradient is the sum of the other operand's rows.
      expectBits("dp", dp, Array.from(tf.tile(tf.sum(q, 0, true), [4, 1]).dataSync() as Uint16Array), 1);
      expectBits("dq", dq, Array.from(tf.tile(tf.sum(p, 0, true), [4, 1]).dataSync() as Uint16Array), 1);
    }
  });

  on("what is read are bits, numbers where JavaScript has them", () => {
    const x = tf.tensor([1.5, -2, 257], undefined, "bfloat16");
    expect(x.dataSync()).toEqual(Uint16Array.of(0x3fc0, 0xc000, 0x4380));
    expect(x.arraySync()).toEqual([1.5, -2, 256]);
    expect(tf.slice(x, [0], [1]).itemSync()).toBe(1.5);
    expect(() => tf.tensor(Uint16Array.of(1))).toThrow(expect.objectContaining({ code: "E_DTYPE" }));
    expect([tf.add(x, 1).dtype, tf.add(x, [1]).dtype]).toEqual(["bfloat16", "float32"]);
  });
});
