import * as tf from "@millrace/autodiff";

tf.registerReferenceBackend();

describe("gradients of functions", () => {
  test("grad of x² is 2x", () => {
    const x = tf.tensor([1, 2, 3]);
    expect(tf.grad((v) => tf.mul(v, v))(x).arraySync()).toEqual([2, 4, 6]);
  });
  test("the second derivative, by nesting", () => {
    const x = tf.tensor([1, 2, 3]);
    const cube = (v: tf.Tensor): tf.Tensor => tf.mul(tf.mul(v, v), v);
    expect(tf.grad(tf.grad(cube))(x).arraySync()).toEqual([6, 12, 18]);
  });
});

describe("tf.function", () => {
  test("runs a graph with captured variables", () => {
    const w = tf.variable([1, 2]);
    const step = tf.fn((x: tf.Tensor) => {
      const { value, grads } = tf.variableGrads(() => tf.sum(tf.mul(tf.mul(w, w), x)), [w]);
      w.assignSub(tf.mul(grads[w.name]!, 0.1));
      return value;
    });
    const x = tf.tensor([1, 10]);
    expect(step(x).itemSync()).toBe(41);
    expect(Array.from(w.dataSync(), (v) => Math.round(Number(v) * 1e6) / 1e6)).toEqual([0.8, -2]);
    expect(step.tracingCount()).toBe(1);
    step(x);
    expect(step.tracingCount()).toBe(1);
  });
});
