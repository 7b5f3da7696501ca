// Ways through integers and booleans have no gradient: that is said, with the op.
import * as tf from "@millrace/autodiff";

tf.registerReferenceBackend();

const x = tf.tensor([1.5, 2.5]);
const gradient = (f: (x: tf.Tensor) => tf.Tensor, options: tf.GradientOptions = {}) => {
  const tape = new tf.GradientTape();
  const y = tape.run(() => {
    tape.watch(x);
    return f(x);
  });
  return tape.gradient(y, x, options);
};

const discrete: [string, (x: tf.Tensor) => tf.Tensor, string][] = [
  ["a cast", (y) => tf.cast(tf.cast(y, "int32"), "float32"), "cast has no gradient: its result is int32"],
  ["argMax", (y) => tf.mul(tf.cast(tf.argMax(y), "float32"), 2), "argMax has no gradient: its result is int32"],
  ["a comparison", (y) => tf.where(tf.greater(y, 2), 1, 0), "gt has no gradient: its result is bool"],
];

test.each(discrete)("%s, eager and traced", (_name, f, message) => {
  const refused = expect.objectContaining({ code: "E_GRADIENT", message: expect.stringContaining(message) });
  expect(() => gradient(f)).toThrow(refused);
  expect(() => tf.grad(f)(x)).toThrow(refused);
  expect(() => tf.fn((y: tf.Tensor) => tf.grad(f)(y))(x)).toThrow(refused);
  expect(gradient(f, { unconnectedGradients: "zero" }).arraySync()).toEqual([0, 0]);
});

test("beside a smooth way there is that way's gradient", () => {
  expect(gradient((y) => tf.mul(tf.cast(tf.cast(y, "int32"), "float32"), y)).arraySync()).toEqual([1, 2]);
  expect(gradient((y) => tf.where(tf.greater(y, 2), y, 0)).arraySync()).toEqual([0, 1]);
});

test("without any way, or one that was stopped, it is null", () => {
  expect(gradient(() => tf.scalar(3))).toBeNull();
  expect(gradient((y) => tf.stopGradient(tf.square(y)))).toBeNull();
  expect(gradient((y) => tf.cast(tf.stopGradient(tf.greater(y, 1)), "float32"))).toBeNull();
});

test("a null among the output gradients stands for ones, and a wrong dtype is refused", () => {
  const tape = new tf.GradientTape({ persistent: true });
  const [a, b] = tape.run(() => {
    tape.watch(x);
    return [tf.mul(x, 2), tf.mul(x, 3)] as const;
  });
  const outputGradients = [tf.tensor([1, 10]), null];
  expect(tape.gradient([a, b], x, { outputGradients }).arraySync()).toEqual([5, 23]);
  const wrong = { outputGradients: tf.cast(x, "int32") as tf.Tensor };
  expect(() => tape.gradient(a, x, wrong)).toThrow(expect.objectContaining({ code: "E_DTYPE" }));
});
