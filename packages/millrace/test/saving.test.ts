// A model on the disk: written whole or not at all, and read as it was, bit for bit.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as tf from "../src/index.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "millrace-models-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const x = tf.randomNormal([5, 8, 8, 1]) as tf.Tensor;
const made = (): tf.Model =>
  tf.sequential([
    tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu", inputShape: [8, 8, 1] }),
    tf.layers.batchNormalization(),
    tf.layers.flatten(),
    tf.layers.dense({ units: 10, activation: "softmax" }),
  ]);
const predicted = (model: tf.Model): unknown => (model.predict(x) as tf.Tensor).dataSync();

test("a path, with anything in it, and a file: address lead to the same model", async () => {
  const path = join(folder, "größe #1 50%.keras");
  const model = made();
  await model.save(path);
  expect(predicted(await tf.loadModel(path))).toEqual(predicted(model));
  expect(predicted(await tf.loadModel(pathToFileURL(path)))).toEqual(predicted(model));
  expect(predicted(await tf.loadModel(pathToFileURL(path).href))).toEqual(predicted(model));
  const other = made();
  await model.saveWeights(join(folder, "a.weights.h5"));
  await other.loadWeights(join(folder, "a.weights.h5"));
  expect(predicted(other)).toEqual(predicted(model));
});

test("a save that fails or is aborted leaves the file that was there, and nothing beside it", async () => {
  const path = join(folder, "kept.keras");
  writeFileSync(path, "old");
  const model = made();
  const aborted = { aborted: true, reason: "enough" };
  await expect(model.save(path, { signal: aborted })).rejects.toBe("enough");
  await expect(model.save(path, { overwrite: false })).rejects.toMatchObject({ code: "E_FILE" });
  await expect(tf.sequential([tf.layers.dense({ units: 1 })]).save(path)).rejects.toMatchObject({ code: "E_VARIABLE" });
  expect(readFileSync(path, "utf8")).toBe("old");
  await model.save(path);
  expect((await tf.loadModel(path)).countParams()).toBe(model.countParams());
  expect(readdirSync(folder).filter((name) => name.includes("kept"))).toEqual(["kept.keras"]);
});

test("what is not there, or no model, is refused with its path", async () => {
  const none = join(folder, "none.keras");
  await expect(tf.loadModel(none)).rejects.toMatchObject({ code: "E_FILE", reason: expect.stringContaining(none) });
  await expect(tf.loadModel(folder)).rejects.toMatchObject({ code: "E_FORMAT" });
  const path = join(folder, "short.keras");
  await made().save(path);
  writeFileSync(path, readFileSync(path).subarray(0, -100));
  await expect(tf.loadModel(path)).rejects.toMatchObject({ code: "E_FORMAT" });
});
