// Functions go to an artifact and come back the same.
import * as tf from "@millrace/core";
import { printGraph } from "@millrace/core/graph";
import { artifactFiles, inspectArtifact, loadArtifact, loadExecutable } from "../src/index.js";
import { zoo } from "./zoo.mjs";

tf.registerReferenceBackend();

const scale = (name = "serving_default", w: tf.Tensor = tf.variable([2, 3], { name: "w" })) =>
  tf.nameFunction(name, ({ x }) => ({ y: tf.mul(x!, w) }), { x: { shape: ["batch", 2] } });

/** A graph as text; large data is numbered in the order in which this process met it. */
const textOf = ({ graph }: tf.NamedFunction): string => printGraph(graph).replaceAll(/#\d+/g, "#");

const valuesOf = (outputs: Record<string, tf.Tensor>): unknown =>
  Object.entries(outputs).map(([name, y]) => [name, y.dtype, y.shape, y.dataSync()]);

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
    expect(executable.run(tf.ones([2, 2])).y!.arraySync()).toEqual([
      [2, 3],
      [2, 3],
    ]);
    executable.dispose();
  });

  it("hold the same graphs and give the same bits", async () => {
    const all = zoo(tf);
    const executable = await loadArtifact(await artifactFiles(all.map((one) => one.function)));
    const original = new tf.Executable(all.map((one) => one.function));
    for (const [i, f] of executable.toConcreteFunctions().entries()) {
      const { function: before, inputs } = all[i]!;
      expect(textOf(f)).toBe(textOf(before));
      const options = { signature: f.name };
      const given = inputs as Record<string, tf.Tensor>;
      expect(valuesOf(executable.run(given, options))).toEqual(valuesOf(original.run(given, options)));
    }
    // What was loaded can be saved again, to the same bytes.
    const again = await artifactFiles(executable.toConcreteFunctions());
    expect(again).toEqual(await artifactFiles(all.map((one) => one.function)));
  });

  it("hold a weight of two functions once", async () => {
    const w = tf.variable([2, 3], { name: "w" });
    const other = tf.variable([5, 7], { name: "w" });
    const files = await artifactFiles([scale("a", w), scale("b", w), scale("c", other)]);
    const executable = await loadArtifact(files);
    expect(executable.weights.map(({ name }) => name)).toEqual(["w", "w_1"]);
    const [a, b, c] = executable.toConcreteFunctions().map((f) => f.weights[0]!.value);
    expect(a).toBe(b);
    expect(c!.dataSync()).toEqual(Float32Array.of(5, 7));
  });

  it("are told by their content", async () => {
    const executable = await loadExecutable(await artifactFiles([scale()]));
    expect(Object.keys(executable.signatures)).toEqual(["serving_default"]);
  });

  it("are looked at without a backend's help", async () => {
    const report = await inspectArtifact(await artifactFiles([scale()], { unit: "m" }));
    expect(report.ops).toEqual({ broadcastInDim: { version: 1, count: 1 }, mul: { version: 1, count: 1 } });
    expect([...report.tensors.keys()]).toEqual(["w"]);
    expect(report.metadata).toEqual({ unit: "m" });
    expect(report.bytes.weights).toBe(64 + 8);
  });

  it("free what they hold", async () => {
    const files = await artifactFiles(zoo(tf).map((one) => one.function));
    const before = tf.memory().numBytes;
    const executable = await loadArtifact(files);
    expect(tf.memory().numBytes).toBeGreaterThan(before);
    executable.dispose();
    expect(tf.memory().numBytes).toBe(before);
  });
});
