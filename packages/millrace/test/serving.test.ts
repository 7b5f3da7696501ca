// Exported models are served, replaced while requests come, and leave nothing behind.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "../src/index.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "millrace-serving-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const mapped = (): number => Object.values(tf.memory().backends).reduce((n, b) => n + b.mappedBytes, 0);

test("versions of an exported model", async () => {
  const model = tf.sequential([
    tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu", inputShape: [8, 8, 1] }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 10, activation: "softmax" }),
  ]);
  await model.export(join(folder, "digits", "1"));
  const before = { tensors: tf.memory().numTensors, mapped: mapped() };
  const server = await tf.createServer({ models: { digits: join(folder, "digits") }, rest: { port: 0 }, pollMs: 0 });
  const served = { tensors: tf.memory().numTensors, mapped: mapped() };

  const images = tf.randomUniform([5, 8, 8, 1]);
  const values = await images.array();
  const ask = async (version: string): Promise<number[][]> => {
    const answer = await fetch(`${server.urls.rest}/v1/models/digits${version}:predict`, {
      method: "POST",
      body: JSON.stringify({ instances: values }),
    });
    const { predictions } = (await answer.json()) as { predictions: number[][] };
    return predictions.map((row) => row.map(Math.fround));
  };
  const predicted = (): Promise<number[][]> => {
    const y = model.predict(images) as tf.Tensor;
    const read = y.array() as Promise<number[][]>;
    return read.finally(() => y.dispose());
  };
  // The same program, and numbers that are written so that they are read back: the same bits.
  expect(await ask("")).toEqual(await predicted());

  model.setWeights(model.getWeights().map((w) => tf.mul(w, 0.5)));
  await model.export(join(folder, "digits", "2"));
  await server.reload();
  rmSync(join(folder, "digits", "1"), { recursive: true });
  expect(await ask("/versions/2")).toEqual(await predicted());
  expect(
    (await fetch(`${server.urls.rest}/v1/models/digits/versions/1:predict`, { method: "POST", body: "{}" })).status,
  ).toBe(404);
  images.dispose();
  expect(mapped()).toBe(served.mapped);
  await server.close();
  expect(mapped()).toBe(before.mapped);
  expect(served.tensors - before.tensors).toBeGreaterThan(0);
});
