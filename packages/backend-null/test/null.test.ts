import { NullBackend } from "@millrace/backend-null";
import * as tf from "@millrace/core";

const backend = new NullBackend();
tf.registerBackend("null", () => backend);

const count = (kind: string): number => backend.events.filter((e) => e.kind === kind).length;

test("a size that is new to an op is bound, not compiled", () => {
  tf.add(tf.zeros([8]), tf.zeros([8]));
  const compiled = count("compile");
  const bound = count("bind");
  tf.add(tf.zeros([9]), tf.zeros([9]));
  expect(count("compile")).toBe(compiled);
  expect(count("bind")).toBeGreaterThan(bound);
});

test("dispose gives the memory back at once", () => {
  const before = backend.stats().liveBytes;
  const x = tf.tensor([1, 2, 3]);
  expect(backend.stats().liveBytes).toBe(before + 12);
  x.dispose();
  expect(backend.stats().liveBytes).toBe(before);
  expect(() => tf.neg(x)).toThrow(expect.objectContaining({ code: "E_DISPOSED" }));
});

test("tidy disposes of what was made inside it, and of nothing else", () => {
  const x = tf.tensor([1, 2, 3]);
  const before = backend.stats().liveBuffers;
  const y = tf.tidy(() => tf.add(tf.mul(x, x), tf.neg(x)));
  expect(backend.stats().liveBuffers).toBe(before + 1);
  y.dispose();
  expect(backend.stats().liveBuffers).toBe(before);
});

test("a function of many ops is one program and one run", () => {
  const f = tf.fn((x: tf.Tensor) => tf.sum(tf.exp(tf.mul(tf.add(x, 1), 2))));
  const x = tf.tensor([1, 2, 3]);
  f(x);
  const before = [count("compile"), count("run")];
  f(x);
  expect([count("compile"), count("run")]).toEqual([before[0], before[1]! + 1]);
});

test("what is live is told by what made it", () => {
  const x = tf.tensor(new Uint8Array(77));
  const held = [tf.split(x, [70, 7]), tf.tidy(() => x.add(x))];
  const rows = tf.memory().byOp.filter(({ dtype }) => dtype === "uint8");
  expect(rows.map(({ op, shape, tensors, bytes }) => [op, shape, tensors, bytes])).toEqual([
    ["add", [77], 1, 77],
    ["upload", [77], 1, 77],
    ["slice", [70], 1, 70],
    ["slice", [7], 1, 7],
  ]);
  tf.dispose([x, held]);
  expect(tf.memory().byOp.some(({ dtype }) => dtype === "uint8")).toBe(false);
});

test("assigning a variable frees its old buffer", () => {
  const v = tf.variable([1, 2, 3]);
  const x = tf.tensor([4, 5, 6]);
  const before = backend.stats().liveBuffers;
  for (let i = 0; i < 5; i++) v.assign(x);
  expect(backend.stats().liveBuffers).toBe(before);
});
