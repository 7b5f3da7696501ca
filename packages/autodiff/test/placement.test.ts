// Gradients through copies between devices: those of the same function on one, on the devices of what they are gradients of.
import * as tf from "@millrace/autodiff";

tf.registerReferenceBackend();
tf.config.setLogicalDevices("reference", 2);
const [here, there] = ["reference:0", "reference:1"] as const;

const one = (x: tf.Tensor, w: tf.Tensor): tf.Tensor => tf.tanh(x.mul(w)).square().sum();
const two = (x: tf.Tensor, w: tf.Tensor): tf.Tensor => tf.tanh(x.to(there).mul(w)).to(here).square().sum();

const x = tf.tensor([0.5, -1, 2]);
const w = tf.tensor([1, 2, 3]);
const far = w.to(there);

const expected = tf
  .grads(one)([x, w])
  .map((g) => g.arraySync());

test.each<[string, (f: typeof two) => readonly tf.Tensor[]]>([
  ["of eager code", (f) => tf.grads(f)([x, far])],
  ["inside of a function", (f) => tf.fn((a: tf.Tensor, b: tf.Tensor) => tf.grads(f)([a, b]))(x, far)],
  ["of a function, by a tape around it", (f) => tf.grads(tf.fn(f))([x, far])],
])("%s", (_, gradients) => {
  const [dx, dw] = gradients(two);
  expect([dx!.device, dw!.device]).toEqual([here, there]);
  expect(dx!.arraySync()).toEqual(expected[0]);
  expect(dw!.arraySync()).toEqual(expected[1]);
});

test("second order", () => {
  const twice = (f: typeof two, v: tf.Tensor): tf.Tensor =>
    tf.grad((a: tf.Tensor) =>
      tf
        .grad((b: tf.Tensor) => f(b, v))(a)
        .sum(),
    )(x);
  expect(twice(two, far).arraySync()).toEqual(twice(one, w).arraySync());
  expect(
    tf
      .fn((v: tf.Tensor) => twice(two, v))(far)
      .arraySync(),
  ).toEqual(twice(one, w).arraySync());
});

test("forward mode", () => {
  const along = (f: typeof two, v: tf.Tensor): tf.Tensor =>
    tf.jvp((a: tf.Tensor) => f(a, v), [x], [tf.ones([3])]).tangent;
  expect(along(two, far).arraySync()).toBeCloseTo(Number(along(one, w).arraySync()), 6);
});

test("a batch is on one device", () => {
  const f = tf.fn((xs: tf.Tensor) => tf.vectorizedMap((row: tf.Tensor) => row.to(there), xs));
  expect(() => f(tf.ones([2, 2]))).toThrow(/all tensors are on one device/);
});

test("a step of an optimizer's kind, whose variables are on two devices", () => {
  const v = tf.variable([1, 2, 3]);
  const u = tf.device(there, () => tf.variable([1, 1, 1]));
  const step = tf.fn((a: tf.Tensor) => {
    const { value, grads } = tf.variableGrads(() => tf.tanh(a.mul(v)).to(there).mul(u).sum(), [v, u]);
    v.assignSub(grads[v.name]!.mul(0.1) as tf.Tensor<[3], "float32">);
    u.assignSub(grads[u.name]!.mul(0.1) as tf.Tensor<[3], "float32">);
    return value;
  });
  const losses = Array.from({ length: 20 }, () => Number(step(x).itemSync()));
  expect(losses.at(-1)!).toBeLessThan(losses[0]! - 1);
  expect([v.device, u.device]).toEqual([here, there]);
});
