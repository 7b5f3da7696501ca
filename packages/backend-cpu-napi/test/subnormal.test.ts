// Subnormal numbers count as zero in programs, as in TensorFlow's, whatever thread runs them; JavaScript keeps its own.
import { createCpuBackend } from "@millrace/backend-cpu-napi";
import * as tf from "@millrace/core";

tf.registerBackend("cpu", createCpuBackend, { priority: 10 });

const tiny = 1e-40;

test.each([8, 100_000, 4_000_000])("of %i elements, in eager code and in a program", (n) => {
  const x = tf.fill([n], tiny);
  const half = tf.fn((y: tf.Tensor) => tf.mul(y, 0.5));
  for (const y of [tf.mul(x, 1), half(x), half(half(tf.fill([n], 2 ** -125)))]) {
    expect(tf.max(y).itemSync()).toBe(0);
  }
  // What is only moved keeps its bits.
  expect(x.dataSync()[n - 1]).toBe(Math.fround(tiny));
});

test("an optimizer's moments fade to zero", () => {
  const fade = tf.fn((m: tf.Tensor) => tf.mul(m, 0.9));
  let m: tf.Tensor = tf.fill([1000], 1e-37);
  for (let i = 0; i < 50; i++) m = fade(m);
  expect(tf.max(tf.abs(m)).itemSync()).toBe(0);
});

test("JavaScript's own numbers stay as they are", () => {
  tf.add(tf.ones([8]), 1);
  expect(1e-310 / 2).toBe(5e-311);
});
