// Ops from outside of core on the native backend: a composite fuses, and a program is split at a primitive.

import * as tf from "@millrace/core";
import { registerBackend } from "@millrace/core/backend";
import { applyOp, defineComposite, defineOp } from "@millrace/core/extend";
import { type CpuBackend, createCpuBackend } from "../src/index.js";

const cpu: CpuBackend = createCpuBackend();
registerBackend("cpu", () => cpu, { priority: 10 });
afterAll(() => cpu.close());

const cubeOp = defineComposite({ name: "test/cube", lower: (b, [x]) => [b.mul([x!, b.mul([x!, x!])])] });
const cbrtOp = defineOp({
  name: "test/cbrt",
  arity: 1,
  infer: ([x]) => [x!],
  reference([x], _attrs, [y]) {
    for (let i = 0; i < y!.data.length; i++) y!.data[i] = Math.cbrt(Number(x!.data[i]));
  },
  vjp: (b, [g], _ins, [y]) => [b.div([g!, b.mul([y!, y!])])],
  batch: "elementwise",
});

test("a composite is one kernel with what stands around it", () => {
  const f = tf.fn((x: tf.Tensor) => tf.add(applyOp(cubeOp, [x]), x));
  const x = tf.tensor([1, 2, 3]);
  f(x);
  const before = cpu.stats().kernels;
  expect(f(x).arraySync()).toEqual([2, 10, 30]);
  expect(cpu.stats().kernels - before).toBe(1);
});

test("a primitive runs in JavaScript, in eager code and between programs, at any size", () => {
  expect(applyOp(cbrtOp, [tf.tensor([8, -27])]).arraySync()).toEqual([2, -3]);
  const f = tf.fn((x: tf.Tensor) => {
    const y = applyOp(cbrtOp, [tf.mul(x, 2)]);
    return [tf.add(y, x), x] as const;
  });
  for (const n of [1, 2, 1000]) {
    const [sum, same] = f(tf.fill([n], 4));
    expect(sum.arraySync()).toEqual(Array(n).fill(6));
    expect(same.arraySync()).toEqual(Array(n).fill(4));
  }
});

test("gives back what it took", () => {
  const f = tf.fn((x: tf.Tensor) => tf.add(applyOp(cbrtOp, [tf.mul(x, 2)]), 1));
  const x = tf.ones([100]);
  f(x).dispose();
  const before = cpu.stats().liveBuffers;
  for (let i = 0; i < 5; i++) tf.dispose([f(x), applyOp(cbrtOp, [x])]);
  expect(cpu.stats().liveBuffers).toBe(before);
});

test("inside of control flow it gives back what it took", () => {
  const f = tf.fn((x: tf.Tensor) =>
    tf.whileLoop(
      (i) => tf.less(i, 2),
      (i, y) => [
        tf.add(i, 1),
        tf.cond(
          tf.less(i, 1),
          () => applyOp(cbrtOp, [y!]),
          () => y!,
        ),
      ],
      [tf.scalar(0), x],
    ),
  );
  const x = tf.tensor([8, 27]);
  expect(f(x)[1]!.arraySync()).toEqual([2, 3]);
  const before = cpu.stats().liveBuffers;
  for (let i = 0; i < 5; i++) tf.dispose(f(x));
  expect(cpu.stats().liveBuffers).toBe(before);
});
