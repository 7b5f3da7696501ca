// A function keeps the program of its last call; what is given back meanwhile is bound anew.
import * as tf from "@millrace/autodiff";

tf.registerReferenceBackend();

test("a call after more sizes than are kept runs the program of its own size", () => {
  const f = tf.fn((x: tf.Tensor) => tf.add(x, 1), { inputSignature: [{ shape: [null] }] });
  const x = tf.tensor([1, 2]);
  expect(f(x).arraySync()).toEqual([2, 3]);
  // Under a tape a call binds the same graph without being the last call.
  const tape = new tf.GradientTape({ persistent: true });
  tape.run(() => {
    for (let n = 3; n < 1100; n++) f(tf.zeros([n]));
  });
  expect(f(x).arraySync()).toEqual([2, 3]);
});
