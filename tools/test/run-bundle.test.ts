// `@millrace/core/run` as it is published: small, without rules, and of one mind with the rest of core.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import type { ReferenceBackend as AnyReferenceBackend } from "../../packages/core/src/backend.js";
import { ReferenceBackend } from "../../packages/core/src/backend.js";
import * as tf from "../../packages/core/src/index.js";
import { bytesOf } from "../../packages/core/src/ir/host.js";
import type { AnyOp } from "../../packages/core/src/ir/op.js";
import { coreOps } from "../../packages/core/src/ops/table.js";
import type * as Run from "../../packages/core/src/run.js";
import { loadArtifact } from "../../packages/core/src/run.js";
import { writeArtifact } from "../../packages/core/src/saved/write.js";
import { opIds, opTableHash } from "../../packages/core/src/schedule/op-ids.js";
import { importsOf } from "../lib/imports.mjs";
import { bundleRun } from "../lib/run-bundle.mjs";
import { strippedNamesIn } from "../lib/strip-rules.mjs";

tf.registerReferenceBackend();

/** Bytes of gzipped JavaScript that loading and running may take, no backend counted. */
const most = 40 * 1024;

const src = fileURLToPath(new URL("../../packages/core/src/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "run-bundle-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Imports a script, as a module of its own. */
async function imported<M>(name: string, code: string): Promise<M> {
  const file = join(folder, name);
  writeFileSync(file, code);
  // boundary: the caller knows what the script exports
  return (await import(pathToFileURL(file).href)) as M;
}

/** Names that only rules use, or that belong to the engine, by the file that declares them. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  "ops/elementwise.ts": ["scalarReference", "applyScalar"],
  "ops/conv/conv-general.ts": ["convolve", "intoChannels", "outOfChannels"],
  "ops/contract/dot-reference.ts": ["contract", "multiplyAddIn"],
  "ops/contract/dot-repairs.ts": ["dotRepairs"],
  "ops/control/while-loop-vjp.ts": ["whileLoopVjp"],
  "ops/random/philox.ts": ["philox"],
  "ops/window/reduce-window.ts": ["withLeadingAxis", "forEachInWindows"],
  "ir/host.ts": ["forEachIndex"],
  "ir/cases.ts": ["cases", "elementwiseSamples"],
  "ir/copies.ts": ["claimProcess", "otherCopy"],
  "passes/fold.ts": ["evaluate"],
  "ops/public.ts": ["toTensor", "binary"],
  "runtime/tensor.ts": ["TensorImpl"],
  "runtime/engine.ts": ["Engine", "connectEngine"],
  "runtime/host-calls.ts": ["HostCalls"],
  "runtime/reference-backend.ts": ["ReferenceBackend"],
};

test("holds no stripped property, and nothing that only rules or the engine use", async () => {
  const { code } = await bundleRun({ minify: false });
  expect(strippedNamesIn(code)).toEqual([]);
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(src, "graph.ts")],
    bundle: true,
    format: "esm",
    write: false,
  });
  const whole = outputFiles[0]!.text;
  expect(strippedNamesIn(whole).length).toBeGreaterThan(200);
  const declares = (text: string, name: string): boolean =>
    new RegExp(`\\b(?:function|class|const|var|let) ${name}\\d*\\b`).test(text);
  for (const [file, names] of Object.entries(elsewhere)) {
    const text = readFileSync(join(src, file), "utf8");
    expect([file, names.filter((name) => declares(text, name))]).toEqual([file, names]);
    expect([file, names.filter((name) => declares(code, name))]).toEqual([file, []]);
  }
  expect(code.includes("millrace.core")).toBe(false);
});

test("takes at most 40 KB, and imports nothing", async () => {
  const { code, map } = await bundleRun();
  const bytes = gzipSync(code, { level: 9 }).length;
  console.log(`@millrace/core/run: ${bytes} bytes of gzipped JavaScript, of at most ${most}`);
  expect(bytes).toBeLessThanOrEqual(most);
  const file = join(folder, "imports.js");
  writeFileSync(file, code);
  expect(importsOf(file)).toEqual([]);
  const sources: string[] = JSON.parse(map).sources;
  expect(sources).toContain("../src/saved/read.ts");
  for (const source of sources) expect(existsSync(join(src, "../dist", source))).toBe(true);
});

test("has every op, by the same number, with what lowers and infers it", async () => {
  const entry = join(folder, "entry.ts");
  const parts = ["run", "ops/table", "schedule/op-ids"].map(
    (file) => `export * from ${JSON.stringify(`${src}${file}.ts`)};`,
  );
  writeFileSync(entry, parts.join("\n"));
  const { code } = await bundleRun({ entry });
  const bundle = await imported<{ coreOps: AnyOp[]; opIds: Map<string, number>; opTableHash: bigint }>(
    "table.mjs",
    code,
  );
  const left = (op: AnyOp): string[] => Object.keys(op).filter((key) => key !== "id");
  const rules = ["reference", "vjp", "jvp", "batch", "repairs"];
  expect(bundle.coreOps.map((op) => [op.name, op.version, op.kind, left(op).sort()])).toEqual(
    coreOps.map((op) => [
      op.name,
      op.version,
      op.kind,
      left(op)
        .filter((key) => !rules.includes(key))
        .sort(),
    ]),
  );
  for (const op of bundle.coreOps) {
    expect(typeof op.infer).toBe("function");
    expect(typeof op.lower).toBe(op.kind === "composite" ? "function" : "undefined");
  }
  expect([...bundle.opIds]).toEqual([...opIds]);
  expect(bundle.opTableHash).toBe(opTableHash);
});

/** Remembers the programs that it is given. */
class Recording extends ReferenceBackend {
  readonly programs: Uint8Array[] = [];
  override compile(bytes: Uint8Array): number {
    this.programs.push(bytes);
    return super.compile(bytes);
  }
}

/** An artifact with convolution, pooling, a loop, a branch, random numbers, gradients' composites and a size that is open. */
function artifact(): Record<string, Uint8Array> {
  const filter = tf.variable(tf.reshape(tf.range(0, 18), [3, 3, 1, 2]), { name: "filter" });
  const f = tf.nameFunction(
    "serving_default",
    ({ x }) => {
      const image = tf.maxPool(tf.relu(tf.conv2d(x!, filter, 1, "same")), 2, 2);
      const flat = tf.reshape(image, [-1, 8]);
      const [, total] = tf.whileLoop(
        (i) => tf.less(i!, 3),
        (i, y) => [tf.add(i!, 1), tf.tanh(tf.mul(y!, 0.01))],
        [tf.tensor(0), flat],
      );
      const chosen = tf.cond(
        tf.greater(tf.sum(flat), 0),
        () => tf.softmax(total!),
        () => tf.gelu(total!),
      ) as tf.Tensor;
      return { chosen, scaled: tf.layerNorm(chosen, tf.ones([8]), tf.zeros([8])) };
    },
    { x: { shape: ["batch", 4, 4, 1] } },
  );
  const tensors = f.weights.map(({ name, value }) => {
    return [name, { dtype: value.dtype, shape: value.shape as number[], bytes: bytesOf(value.dataSync()) }] as const;
  });
  const names = f.weights.map(({ name }) => name);
  return Object.fromEntries(writeArtifact([{ ...f, weights: names }], new Map(tensors)));
}

test.each([false, true])("makes the programs that its sources make, and runs them (fusion: %s)", async (fusion) => {
  const { code } = await bundleRun();
  const bundle = await imported<typeof Run>("run.mjs", code);
  const [files, data] = [artifact(), Float32Array.from({ length: 48 }, (_, i) => Math.sin(i))];
  const results = [];
  const backends = [new Recording({ fusion }), new Recording({ fusion })];
  for (const [i, load] of [loadArtifact, bundle.loadArtifact].entries()) {
    const loaded = await load(files, { backend: backends[i]! satisfies AnyReferenceBackend });
    results.push(await loaded.run({ x: { dtype: "float32", shape: [3, 4, 4, 1], data } }));
    loaded.dispose();
    expect(backends[i]!.stats()).toMatchObject({ liveBuffers: 0, executables: 0, bounds: 0 });
  }
  expect(backends[1]!.programs).toEqual(backends[0]!.programs);
  expect(backends[1]!.programs).toHaveLength(1);
  expect(results[1]).toEqual(results[0]);
  expect(results[0]!.chosen!.shape).toEqual([3, 8]);
  await expect(bundle.loadArtifact({}, { backend: backends[1]! })).rejects.toMatchObject({ code: "E_FILE" });
  const error: unknown = await bundle.loadArtifact({}, { backend: backends[1]! }).catch((e: unknown) => e);
  expect(tf.isMillraceError(error, "E_FILE")).toBe(true);
});
