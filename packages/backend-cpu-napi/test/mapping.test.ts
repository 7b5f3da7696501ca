// Tensors in mapped files: `Backend.map`, and variables that start from one.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import * as tf from "@millrace/core";
import { mapTensor } from "@millrace/core/graph";
import { addProgram, backends, bytesOf, codeOf, floatsOf, upload, vector } from "./helpers.js";

const open = backends();
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "millrace-map-"));
afterAll(() => fs.rmSync(directory, { recursive: true }));

let files = 0;
function fileOf(...values: number[]): string {
  const file = path.join(directory, `${files++}`);
  fs.writeFileSync(file, bytesOf(...values));
  return file;
}

describe("a mapped buffer", () => {
  test("has the values of its file, is counted apart, and is given back", () => {
    const backend = open();
    const file = fileOf(0, 1, 2, 3, 4, 5, 6, 7);
    const [low, high] = [backend.map(file, 0, vector), backend.map(file, 16, vector)];
    expect(floatsOf(backend.readSync(high))).toEqual([4, 5, 6, 7]);
    expect(backend.stats()).toMatchObject({ mappedBytes: 32, liveBytes: 0, liveBuffers: 2 });
    const sum = backend.run2(backend.bind(backend.compile(addProgram), [4]), low, high);
    expect(floatsOf(backend.readSync(sum))).toEqual([4, 6, 8, 10]);
    backend.free(high);
    const abandon = (buf: number): void => backend.reclaimer.page({}, [buf]);
    abandon(low);
    backend.reclaimer.relieve();
    expect(backend.stats()).toMatchObject({ mappedBytes: 0, liveBytes: 16, liveBuffers: 1 });
  });

  test("is copied where the file does not align its elements", () => {
    const backend = open();
    const file = path.join(directory, "odd");
    fs.writeFileSync(file, Buffer.concat([Buffer.of(1), bytesOf(1, 2, 3, 4)]));
    expect(floatsOf(backend.readSync(backend.map(file, 1, vector)))).toEqual([1, 2, 3, 4]);
    expect(backend.stats()).toMatchObject({ mappedBytes: 0, liveBytes: 16 });
  });

  test("is refused where there is no such file or it is too short", async () => {
    const backend = open();
    const file = fileOf(1, 2, 3, 4);
    const codes = [file, directory, path.join(directory, "absent"), "", "\ud800"].map((it) =>
      codeOf(() => backend.map(it, 4, vector)),
    );
    expect(await Promise.all(codes)).toEqual(["E_FORMAT", "E_FILE", "E_FILE", "E_FILE", "E_FILE"]);
    for (const offset of [-1, 0.5, Number.NaN, 2 ** 60])
      expect(await codeOf(() => backend.map(file, offset, vector))).toBe("E_ARGUMENT");
    expect(await codeOf(() => backend.map(file, 2 ** 53, vector))).toBe("E_FORMAT");
    expect(backend.stats()).toMatchObject({ mappedBytes: 0, liveBuffers: 0 });
  });

  (process.platform === "linux" ? test : test.skip)("is not in memory before it is used (/proc is Linux's)", () => {
    const file = path.join(directory, "large");
    const count = 1 << 26;
    fs.writeFileSync(file, "");
    fs.truncateSync(file, 4 * count);
    const backend = open();
    const all = backend.map(file, 0, { dtype: "float32", shape: [count] });
    expect(resident(file)).toBe(0);
    const head = backend.map(file, 0, vector);
    const ones = upload(backend, 1, 1, 1, 1);
    const sum = backend.run2(backend.bind(backend.compile(addProgram), [4]), head, ones);
    expect(floatsOf(backend.readSync(sum))).toEqual([1, 1, 1, 1]);
    expect(resident(file)).toBeGreaterThan(0);
    expect(resident(file)).toBeLessThan(1 << 20);
    backend.free(head);
    expect(resident(file)).toBeLessThan(1 << 20);
    backend.free(all);
    expect(resident(file)).toBeUndefined();
  });
});

/** Bytes of a mapped file that are in memory; undefined where it is not mapped. */
function resident(file: string): number | undefined {
  const maps = fs.readFileSync("/proc/self/smaps", "utf8");
  const at = maps.indexOf(` ${file}\n`);
  return at < 0 ? undefined : 1024 * Number(/Rss:\s+(\d+) kB/.exec(maps.slice(at))![1]);
}

test("a variable that starts from a file is trained beside it", () => {
  tf.registerBackend("cpu", () => open());
  const file = fileOf(1, 2, 3, 4);
  const weights = mapTensor(file, 0, { dtype: "float32", shape: [2, 2] })!;
  const variable = tf.variable(weights);
  const step = tf.fn((x: tf.Tensor) => {
    variable.assign(tf.mul(variable, x));
    return tf.sum(variable);
  });
  for (let i = 0; i < 3; i++) step(tf.scalar(10));
  variable.assignAdd(1);
  expect(variable.arraySync()).toEqual([
    [1001, 2001],
    [3001, 4001],
  ]);
  expect(weights.arraySync()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  weights.dispose();
  expect(tf.memory().backends.cpu!.mappedBytes).toBe(0);
  expect([...fs.readFileSync(file)]).toEqual([...bytesOf(1, 2, 3, 4)]);
});

test("processes share a file and do not see what others make of it", () => {
  const file = fileOf(1, 2, 3, 4);
  const addon = createRequire(import.meta.url).resolve("@millrace/cpu-native");
  const script = `
    const { createContext } = require(${JSON.stringify(addon)});
    const context = createContext();
    const program = Buffer.from("${Buffer.from(addProgram).toString("base64")}", "base64");
    const add = context.bind(context.compile(program), Float64Array.of(4));
    let sum = context.map(${JSON.stringify(file)}, 0, 16, 4);
    const results = new Int32Array(1);
    for (let i = 0; i < 3; i++) {
      context.run(add, Int32Array.of(sum, sum), 2, Int32Array.of(0, 0), 1, results);
      sum = results[0];
    }
    console.log(new Float32Array(context.readSync(sum).buffer).join());`;
  const backend = open();
  const mine = backend.map(file, 0, vector);
  const outputs = [0, 1].map(() => spawnSync(process.execPath, ["-e", script], { encoding: "utf8", timeout: 60_000 }));
  expect(outputs.map((it) => it.stdout.trim() || it.stderr)).toEqual(["8,16,24,32", "8,16,24,32"]);
  expect(floatsOf(backend.readSync(mine))).toEqual([1, 2, 3, 4]);
});
