// tf.setThreads: of the whole process, and without a trace in the results.
import fs from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { Worker } from "node:worker_threads";
import { createCpuBackend } from "@millrace/backend-cpu-napi";
import * as tf from "@millrace/core";

tf.registerBackend("cpu", createCpuBackend, { priority: 10 });

const initial = tf.threads();
afterAll(() => tf.setThreads(initial));

test("the same bits for 1, 2 and 8 threads", () => {
  const [x, w] = [tf.randomNormal([150, 200], 0, 1, "float32", 1), tf.randomNormal([200, 130], 0, 1, "float32", 2)];
  const step = tf.fn((a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.tanh(tf.matMul(a, b)), 0));
  const results = [1, 2, 8].map((count) => {
    tf.setThreads(count);
    expect(tf.threads()).toBe(count);
    return step(x, w).dataSync();
  });
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40])("%s threads are refused", (count) => {
  const before = tf.threads();
  expect(() => tf.setThreads(count)).toThrow(expect.objectContaining({ code: "E_ARGUMENT" }));
  expect(tf.threads()).toBe(before);
});

const isLinux = process.platform === "linux";

(isLinux ? test : test.skip)("workers share the threads of the process (counted in /proc, on Linux)", async () => {
  tf.setThreads(3);
  const addon = createRequire(import.meta.url).resolve("@millrace/cpu-native");
  const code = `
    const { parentPort } = require("node:worker_threads");
    const { createContext, machine } = require(${JSON.stringify(addon)});
    globalThis.context = createContext();
    parentPort.postMessage(machine().threads);
    setInterval(() => {}, 1000);`;
  const workers = Array.from({ length: 4 }, () => new Worker(code, { eval: true }));
  const seen = await Promise.all(workers.map((w) => new Promise((resolve) => w.once("message", resolve))));
  const tasks = fs
    .readdirSync("/proc/self/task")
    .map((id) => fs.readFileSync(`/proc/self/task/${id}/comm`, "utf8").trim());
  await Promise.all(workers.map((w) => w.terminate()));
  expect(seen).toEqual([3, 3, 3, 3]);
  // Threads once started stay; 8 were the most in this file, or what the machine began with.
  expect(tasks.filter((name) => name === "millrace").length).toBe(Math.max(8, initial) - 1);
});
