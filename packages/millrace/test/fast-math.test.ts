// tf.config.setFastMath: other bits while it is on, the same as ever when it is off again, in eager code and in functions.
import { createCpuBackend } from "@millrace/backend-cpu-napi";
import * as tf from "../src/index.js";

tf.registerBackend("cpu", createCpuBackend, { priority: 10 });

const x = tf.randomNormal([2, 17, 18, 40], 0, 1, "float32", 1);
const w = tf.randomNormal([3, 3, 40, 36], 0, 1, "float32", 2);
const convolve = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.relu(tf.conv2d(a as typeof x, b as typeof w, 1, "same"));
const bits = (y: tf.Tensor): Int32Array => new Int32Array((y.dataSync() as Float32Array).slice().buffer);

function fast<R>(f: () => R): R {
  tf.config.setFastMath(true);
  try {
    return f();
  } finally {
    tf.config.setFastMath(false);
  }
}

test("it is off unless set", () => {
  expect(tf.config.getFastMath()).toBe(false);
  expect(fast(() => tf.config.getFastMath())).toBe(true);
});

test.each([
  ["eager code", convolve],
  ["a function", tf.fn(convolve)],
])("%s has the setting of the call", (_, run) => {
  const before = bits(run(x, w));
  const during = fast(() => run(x, w));
  expect(bits(during)).not.toEqual(before);
  // The mean size of a sum of 360 terms is some 230: an error of 3e-6 of that.
  const far = during.sub(run(x, w)).abs().max().itemSync();
  expect(far).toBeLessThan(1e-3);
  expect(far).toBeGreaterThan(0);
  expect(bits(run(x, w))).toEqual(before);
  expect(bits(fast(() => run(x, w)))).toEqual(bits(during));
});

test("a trace keeps its own", () => {
  const f = tf.fn(convolve);
  expect(String(f.graph(x, w))).not.toContain("fastMath");
  const [plain, quick] = [f(x, w), fast(() => f(x, w))];
  expect(fast(() => String(f.graph(x, w)))).toContain("fastMath: true");
  expect(String(f.graph(x, w))).not.toContain("fastMath");
  expect(bits(f(x, w))).toEqual(bits(plain));
  expect(bits(quick)).not.toEqual(bits(plain));
});

test("gradients are computed as ever", () => {
  const gradients = tf.grads((a: tf.Tensor, b: tf.Tensor) => tf.conv2d(a as typeof x, b as typeof w, 1, "same").sum());
  const plain = gradients([x, w]).map(bits);
  expect(fast(() => gradients([x, w])).map(bits)).toEqual(plain);
});

test("what it does not serve stays as it is", () => {
  const strided = (): Int32Array => bits(tf.conv2d(x, w, 2, "same"));
  const double = (): number[] => Array.from(tf.conv2d(x.cast("float64"), w.cast("float64")).dataSync() as Float64Array);
  expect(fast(strided)).toEqual(strided());
  expect(fast(double)).toEqual(double());
});

test("an infinity reaches neighbours that it does not meet, and only there", () => {
  const hole = tf.tensor([[[[Number.POSITIVE_INFINITY]]]]).pad([
    [0, 0],
    [9, 14],
    [10, 13],
    [0, 39],
  ]);
  const finite = (y: tf.Tensor): number => tf.isFinite(y).cast("int32").min(3).sum().itemSync();
  const ones = tf.ones([3, 3, 40, 36]);
  const run = (): tf.Tensor => tf.conv2d(hole, ones, 1, "same");
  expect(24 * 24 - finite(run())).toBe(9);
  expect(24 * 24 - finite(fast(run))).toBe(16);
});
