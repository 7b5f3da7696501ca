// A worker has an engine of its own: core is bundled into a file, which workers load as a program would.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const core = fileURLToPath(new URL("../../packages/core/src/index.ts", import.meta.url));
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "millrace-workers-"));
  const outfile = join(dir, "node_modules/millrace/core.mjs");
  await build({ entryPoints: [core], outfile, bundle: true, format: "esm", platform: "neutral", logLevel: "error" });
});
afterAll(() => rmSync(dir, { recursive: true }));

test("each thread's memory is its own, and so is whether it tracks lines", () => {
  const file = join(dir, "main.mjs");
  writeFileSync(
    file,
    `import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
     import * as tf from "./node_modules/millrace/core.mjs";
     tf.registerReferenceBackend();
     const held = [];
     const report = (size) => {
       for (let i = 0; i < size; i++) held.push(tf.exp(tf.zeros([size])));
       return tf.memory().byOp.filter(({ op }) => op === "exp").map(({ tensors, bytes, site }) => [tensors, bytes, site?.line ?? null]);
     };
     if (isMainThread) {
       const start = (size) => new Promise((resolve, reject) => {
         new Worker(new URL(import.meta.url), { workerData: size }).on("message", resolve).on("error", reject);
       });
       const theirs = await Promise.all([2, 3, 4].map(start));
       console.log(JSON.stringify([...theirs, report(5)]));
     } else {
       tf.debugging.trackSites(workerData === 3);
       parentPort.postMessage(report(workerData));
     }`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual([[[2, 16, null]], [[3, 36, 6]], [[4, 64, null]], [[5, 100, null]]]);
});
