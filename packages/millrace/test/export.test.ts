// A model is exported, and runs the same in another process.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import * as tf from "../src/index.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "millrace-export-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const digits = () =>
  tf.sequential([
    tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu", inputShape: [8, 8, 1] }),
    tf.layers.batchNormalization(),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dropout({ rate: 0.5 }),
    tf.layers.dense({ units: 10, activation: "softmax" }),
  ]);

test("an exported model predicts the same bits", async () => {
  const model = digits();
  const path = join(folder, "digits");
  await model.export(path, { metadata: { labels: ["a"] } });
  expect(readdirSync(path).sort()).toEqual(["artifact.json", "weights.safetensors"]);
  const x = tf.randomNormal([5, 8, 8, 1]);
  const want = model.predict(x);
  const executable = await tf.loadExecutable(path);
  const got = executable.predict(x) as tf.Tensor;
  expect(await got.data()).toEqual(await want.data());
  expect(got.device).toBe(want.device);
});
