// What the umbrella saves, `@millrace/core/run` runs on the same backend to the same bits.
import { createCpuBackend } from "@millrace/backend-cpu-napi";
import { ReferenceBackend } from "@millrace/core/backend";
import { loadArtifact } from "@millrace/core/run";
import * as tf from "../src/index.js";

test("an exported model, run without the engine, predicts the same bits for any batch", async () => {
  const model = tf.sequential([
    tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu", inputShape: [8, 8, 1] }),
    tf.layers.batchNormalization(),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dropout({ rate: 0.5 }),
    tf.layers.dense({ units: 10, activation: "softmax" }),
  ]);
  const files = await tf.artifactFiles(model.toConcreteFunctions());
  const backend = tf.getBackend() === "cpu" ? createCpuBackend() : new ReferenceBackend();
  const loaded = await loadArtifact(files, { backend });
  const [input] = loaded.signatures.serving_default!.inputs;
  const [output] = loaded.signatures.serving_default!.outputs;
  expect(input).toMatchObject({ dtype: "float32", shape: [expect.any(String), 8, 8, 1] });
  for (const batch of [5, 1, 0]) {
    const x = tf.randomNormal([batch, 8, 8, 1]);
    const want = (model.predict(x) as tf.Tensor).dataSync();
    const given = { dtype: "float32" as const, shape: [batch, 8, 8, 1], data: x.dataSync() as Float32Array };
    const made = (await loaded.run({ [input!.name]: given }))[output!.name]!;
    expect(made).toEqual({ dtype: "float32", shape: [batch, 10], data: want });
  }
  loaded.dispose();
  expect(backend.stats()).toMatchObject({ liveBytes: 0, liveBuffers: 0, executables: 0, bounds: 0 });
});
