// `tf.createServer` serves what `model.export` writes; whoever serves and converts nothing loads nothing of that.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import * as tf from "../src/index.js";

test("an exported model is served, and answers as it predicts", async () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-serving-"));
  try {
    const model = tf.sequential([tf.layers.dense({ units: 3, activation: "softmax", inputShape: [4] })]);
    await model.export(join(folder, "small/1"));
    const server = await tf.createServer({ models: { small: join(folder, "small") }, rest: { port: 0 } });
    try {
      const rows = [
        [1, 2, 3, 4],
        [-1, 0, 0.5, 0],
      ];
      const body = JSON.stringify({ instances: rows });
      const answer = await fetch(`${server.urls.rest}/v1/models/small:predict`, { method: "POST", body });
      // boundary: the server's contract
      const { predictions } = (await answer.json()) as { predictions: number[][] };
      const want = (model.predict(tf.tensor(rows)) as tf.Tensor).dataSync();
      expect(predictions.map((row) => row.length)).toEqual([3, 3]);
      predictions.flat().forEach((p, i) => {
        expect(p).toBeCloseTo(Number(want[i]), 6);
      });
    } finally {
      await server.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("importing millrace loads no server, no converter and no zip files", async () => {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL("../src/index.ts", import.meta.url))],
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    conditions: ["@millrace/source"],
    external: ["*.node"],
    outdir: "out",
    write: false,
    metafile: true,
    logLevel: "error",
  });
  const atOnce = new Set<string>();
  const visit = (path: string): void => {
    if (atOnce.has(path) || !(path in metafile.outputs)) return;
    atOnce.add(path);
    for (const { path: next, kind } of metafile.outputs[path]!.imports) if (kind !== "dynamic-import") visit(next);
  };
  visit("out/index.js");
  const holding = (paths: Iterable<string>): string[] => {
    const inputs = [...paths].flatMap((path) => Object.keys(metafile.outputs[path]!.inputs));
    return ["fastify", "@grpc/grpc-js", "prom-client", "flatbuffers", "fflate"].filter((name) =>
      inputs.some((input) => input.includes(`/node_modules/${name}/`)),
    );
  };
  expect(holding(Object.keys(metafile.outputs))).toHaveLength(5);
  expect(holding(atOnce)).toEqual([]);
});
