// A program that fails leaves variables as they were, whether it ran at once or was queued.
import { createCpuBackend } from "@millrace/backend-cpu-napi";
import * as tf from "@millrace/core";
import { assertOp, engine } from "@millrace/core/graph";

tf.registerBackend("cpu", createCpuBackend, { priority: 10 });

test.each([8, 4_000_000])("an assertion that fails in a program on %i elements", (size) => {
  const v = tf.variable(tf.ones([size]));
  const step = tf.fn((ok: tf.Tensor) => {
    const next = tf.tanh(tf.exp(tf.sin(tf.mul(v, 2))));
    v.assign(engine.apply(assertOp, [ok, next], { message: "not today" })[0]! as typeof v);
    return tf.sum(v);
  });
  const before = tf.memory().numTensors;
  const yes = tf.scalar(true);
  const no = tf.scalar(false);
  expect(() => step(no)).toThrow(expect.objectContaining({ code: "E_ARGUMENT" }));
  expect(tf.max(v).itemSync()).toBe(1);
  expect(tf.memory().numTensors).toBeLessThanOrEqual(before + 3);
  step(yes);
  expect(tf.max(v).itemSync()).toBeCloseTo(Math.tanh(Math.exp(Math.sin(2))), 5);
});
