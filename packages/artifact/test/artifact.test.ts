// Functions go to an artifact and come back the same.
import * as tf from "@millrace/core";
import { artifactFiles, inspectArtifact, loadArtifact, loadExecutable } from "../src/index.js";

tf.registerReferenceBackend();

const scale = (name = "serving_default", w = tf.variable([2, 3], { name: "w" })) =>
  tf.nameFunction(name, ({ x }) => ({ y: tf.mul(x!, w) }), { x: { shape: ["batch", 2] } });

describe("artifacts in memory", () => {
  it("run as what was saved", async () => {
    const files = await artifactFiles([scale()], { labels: ["a", "b"] });
    const executable = await loadArtifact(files);
    expect(executable.metadata).toEqual({ labels: ["a", "b"] });
    expect(executable.signatures).toEqual({
      serving_default: {
        inputs: [{ name: "x", dtype: "float32", shape: ["batch", 2] }],
        outputs: [{ name: "y", dtype: "float32", shape: ["batch", 2] }],
      },
    });
    expect(executable.run(tf.ones([3, 2])).y!.arraySync()).toEqual([
      [2, 3],
      [2, 3],
      [2, 3],
    ]);
    executable.dispose();
  });

  it("are told by their content", async () => {
    const executable = await loadExecutable(await artifactFiles([scale()]));
    expect(Object.keys(executable.signatures)).toEqual(["serving_default"]);
    const report = await inspectArtifact(await artifactFiles([scale()]));
    expect(report.ops).toEqual({ broadcastInDim: { version: 1, count: 1 }, mul: { version: 1, count: 1 } });
  });
});
