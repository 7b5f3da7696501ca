// tf.profile: what ran, in which program, on how much data.
import { createCpuBackend } from "@millrace/backend-cpu-napi";
import * as tf from "@millrace/core";

tf.registerBackend("cpu", createCpuBackend, { priority: 10 });

const step = tf.fn(function step(x: tf.Tensor, w: tf.Tensor) {
  return tf.sum(tf.mul(tf.tanh(tf.matMul(x, w)), 2), 1);
});

test("kernels with their calls, operations and bytes, and what was fused", async () => {
  const [x, w] = [tf.ones([32, 64]), tf.ones([64, 48])];
  const want = step(x, w).dataSync();
  const profile = await tf.profile(() => {
    for (let i = 0; i < 4; i++) step(x, w).dispose();
    return step(x, w);
  });
  expect(profile.result.dataSync()).toEqual(want);
  expect(profile.newTensors).toBe(1);
  expect(profile.newBytes).toBe(32 * 4);
  const dot = profile.kernels.find((row) => row.ops[0] === "dotGeneral")!;
  expect(dot.calls).toBe(5);
  expect(dot.ins).toEqual(["float32[32,64]", "float32[64,48]"]);
  expect(dot.gigaflops * dot.milliseconds * 1e6).toBeCloseTo(5 * 2 * 32 * 64 * 48, 0);
  const loop = profile.kernels.find((row) => row.ops.includes("tanh"))!;
  expect(loop.ops).toContain("mul");
  expect(loop.outs).toContain("float32[32]");
  const all = profile.kernels.reduce((sum, row) => sum + row.milliseconds, 0);
  expect(profile.kernelMilliseconds).toBeCloseTo(all, 9);
  expect(profile.kernelMilliseconds).toBeLessThanOrEqual(profile.milliseconds);
  expect(profile.peaks.cpu!.flops).toBeGreaterThan(1e9);
  for (const row of profile.kernels) expect(row.share).toBeGreaterThan(0);
});

test("a trace tells every run, its program and its thread", async () => {
  const long = tf.fn(function long(x: tf.Tensor) {
    return tf.exp(x);
  });
  const big = tf.zeros([3_000_000]);
  await long(big).data();
  const x = tf.ones([4]);
  const profile = await tf.profile(() => [tf.add(x, x), long(big)]);
  const { traceEvents } = JSON.parse(JSON.stringify(profile.trace())) as { traceEvents: tf.TraceEvent[] };
  const runs = traceEvents.filter((event) => event.ph === "X");
  expect(runs.map((event) => [event.name, event.cat])).toEqual([
    ["add", "add"],
    ["exp", "long()"],
  ]);
  const track = (tid: number) => traceEvents.find((event) => event.name === "thread_name" && event.tid === tid)!.args;
  expect(track(runs[0]!.tid)).toEqual({ name: "caller" });
  expect(track(runs[1]!.tid)).toEqual({ name: "queue" });
  expect(runs[1]!.ts!).toBeGreaterThanOrEqual(runs[0]!.ts!);
  expect(runs[1]!.dur!).toBeGreaterThan(0);
});

test("printed, it is a table", async () => {
  const [x, w] = [tf.ones([32, 64]), tf.ones([64, 48])];
  const text = `${await tf.profile(() => step(x, w))}`;
  expect(text).toMatch(/^\d+\.\d\d ms, \d+\.\d\d of them in \d+ kernels; the machine reaches cpu: \d+ GFLOP\/s/);
  expect(text).toMatch(/ms +% +calls +GFLOP\/s +GB\/s +of peak +kernel\n/);
  expect(text).toMatch(/dotGeneral {2}float32\[32,64\] float32\[64,48\] -> float32\[32,48\]/);
});

test("async functions, errors, and one at a time", async () => {
  const x = tf.ones([4]);
  const waiting = tf.profile(async () => {
    await null;
    return tf.add(x, x);
  });
  await expect(tf.profile(() => x)).rejects.toMatchObject({ code: "E_ARGUMENT" });
  expect((await waiting).kernels.map((row) => row.ops)).toEqual([["add"]]);
  const failing = tf.profile(() => {
    throw new Error("not today");
  });
  await expect(failing).rejects.toThrow("not today");
  // Nothing is noted between two profiles.
  tf.add(x, x);
  expect((await tf.profile(() => null)).kernels).toEqual([]);
});
