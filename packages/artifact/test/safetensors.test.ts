// The weights are a safetensors file: the real library reads ours, and we read its.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@millrace/core";
import { completeLimits, dataStart, lengthBytes, readTensorEntries } from "@millrace/core/graph";
import { referencePython } from "../../../tools/lib/reference-python.mjs";
import { artifactFiles } from "../src/index.js";
import { zoo } from "./zoo.mjs";

tf.registerReferenceBackend();

const python = referencePython();
const withPython = python ? test : test.skip;
const suffix = python ? "" : ": npm run references installs safetensors";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "millrace-safetensors-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(script: string): unknown {
  const done = spawnSync(python!, ["-c", script], { encoding: "utf8", cwd: folder });
  if (done.status !== 0) throw new Error(done.stderr);
  return JSON.parse(done.stdout);
}

withPython(`the real library reads our weights${suffix}`, async () => {
  const functions = zoo(tf).map((one) => one.function as tf.NamedFunction);
  const files = await artifactFiles(functions);
  writeFileSync(join(folder, "ours.safetensors"), files.get("weights.safetensors")!);
  const got = run(`
import json
from safetensors.numpy import load_file
print(json.dumps({k: [str(v.dtype), list(v.shape), v.tobytes().hex()] for k, v in load_file("ours.safetensors").items()}))`);
  const weights = functions.flatMap((f) => f.weights);
  const want = weights.map(({ name, value }) => {
    const data = value.dataSync();
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return [name, [value.dtype, value.shape, bytes.toString("hex")]];
  });
  expect(got).toMatchObject(Object.fromEntries(want));
  expect(Object.keys(got as object).length).toBeGreaterThanOrEqual(want.length);
});

withPython(`we read what the real library writes${suffix}`, () => {
  const want = run(`
import json, numpy as np
from safetensors.numpy import save_file
tensors = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array(True), "c": np.zeros((0, 4), np.int64),
           "d": np.array([1, 2, 255], np.uint8), "ü": np.array([0.1], np.float64), "e": np.arange(3, dtype=np.int32)}
save_file(tensors, "theirs.safetensors", metadata={"format": "np"})
print(json.dumps({k: [str(v.dtype), list(v.shape), v.tobytes().hex()] for k, v in tensors.items()}))`);
  const file = new Uint8Array(readFileSync(join(folder, "theirs.safetensors")));
  const limits = completeLimits();
  const start = dataStart(file, file.length, limits);
  const entries = readTensorEntries(file.subarray(lengthBytes, start), file.length, limits);
  const got = [...entries].map(([name, entry]) => {
    return [name, [entry.dtype, entry.shape, Buffer.from(file.subarray(entry.start, entry.end)).toString("hex")]];
  });
  expect(Object.fromEntries(got)).toEqual(want);
});

test("data begins at 64 bytes, and every tensor where its elements are aligned", async () => {
  const files = await artifactFiles(zoo(tf).map((one) => one.function as tf.NamedFunction));
  const file = files.get("weights.safetensors")!;
  const limits = completeLimits();
  const start = dataStart(file, file.length, limits);
  expect(start % 64).toBe(0);
  for (const { dtype, start: at } of readTensorEntries(file.subarray(lengthBytes, start), file.length, limits).values())
    expect(at % tf.dtypes[dtype].bytes).toBe(0);
});
