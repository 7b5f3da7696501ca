// A model is exported, and runs the same here and in another process, wherever the first one ended.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { zoo } from "../../artifact/test/zoo.mjs";
import * as tf from "../src/index.js";

const root = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "millrace-export-"));
  mkdirSync(join(folder, "node_modules/@millrace"), { recursive: true });
  symlinkSync(root("native/node"), join(folder, "node_modules/@millrace/cpu-native"));
  await build({
    entryPoints: { millrace: root("packages/millrace/src/index.ts") },
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    // What is loaded when it is needed, as the server, stays so.
    splitting: true,
    format: "esm",
    platform: "node",
    conditions: ["@millrace/source"],
    external: ["*.node", "h5wasm", "fastify"],
    logLevel: "error",
  });
  cpSync(root("packages/artifact/test/zoo.mjs"), join(folder, "zoo.mjs"));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a module in a process of its own; how it ended, and the JSON that it wrote last. */
function run(name: string, script: string): { readonly status: unknown; readonly value: unknown } {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, `import * as tf from "./millrace.mjs"; import { zoo } from "./zoo.mjs";\n${script}`);
  const done = spawnSync(process.execPath, [file], { encoding: "utf8", timeout: 100_000, cwd: folder });
  const value = done.stdout.trim() === "" ? done.stderr : JSON.parse(done.stdout.trim().split("\n").at(-1)!);
  return { status: done.signal ?? done.status, value };
}

const digits = (): tf.Sequential =>
  tf.sequential([
    tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu", inputShape: [8, 8, 1] }),
    tf.layers.batchNormalization(),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dropout({ rate: 0.5 }),
    tf.layers.dense({ units: 10, activation: "softmax" }),
  ]);

const bits = (x: tf.Tensor): string => Buffer.from(x.dataSync().buffer).toString("hex");

test("an exported model predicts the same bits, here and in a new process", async () => {
  const model = digits();
  await model.export(join(folder, "digits"), { metadata: { labels: ["a"] } });
  expect(readdirSync(join(folder, "digits"))).toEqual(["artifact.json", "weights.safetensors"]);
  const values = Float32Array.from({ length: 5 * 64 }, (_, i) => Math.sin(i));
  const x = tf.tensor(values, [5, 8, 8, 1]);
  const want = model.predict(x) as tf.Tensor;
  const executable = await tf.loadExecutable(join(folder, "digits"));
  const got = executable.predict(x) as tf.Tensor;
  expect([bits(got), got.device]).toEqual([bits(want), want.device]);
  expect(executable.metadata).toEqual({ labels: ["a"] });
  const script = `
    const values = Float32Array.from({ length: 5 * 64 }, (_, i) => Math.sin(i));
    const executable = await tf.loadExecutable("digits");
    const y = executable.predict(tf.tensor(values, [5, 8, 8, 1]));
    console.log(JSON.stringify([y.device, Buffer.from(y.dataSync().buffer).toString("hex")]));`;
  expect(run("load", script)).toEqual({ status: 0, value: [want.device, bits(want)] });
});

const withMapping = tf.scalar(1).device === "cpu:0" ? test : test.skip;

withMapping("weights lie in the file, and go when the executable does (needs the native backend)", async () => {
  const before = tf.memory();
  const executable = await tf.loadArtifact(join(folder, "digits"));
  const { mappedBytes } = tf.memory().backends.cpu!;
  const bytes = executable.weights.reduce((n, { value }) => n + 4 * value.size, 0);
  expect(mappedBytes - before.backends.cpu!.mappedBytes).toBe(bytes);
  expect(tf.memory().numBytes).toBe(before.numBytes);
  executable.dispose();
  expect(tf.memory().backends.cpu!.mappedBytes).toBe(before.backends.cpu!.mappedBytes);
});

test("a directory that is replaced while it is in use stays what it was for who has it", async () => {
  const path = join(folder, "replaced");
  const times = (factor: number): tf.NamedFunction => {
    const w = tf.variable([factor, factor], { name: "w" });
    return tf.nameFunction("f", ({ x }) => tf.mul(x!, w), { x: { shape: [2] } });
  };
  const run = (executable: tf.Executable): unknown => (executable.predict(tf.ones([2])) as tf.Tensor).arraySync();
  await tf.saveArtifact(path, [times(2)]);
  const first = await tf.loadArtifact(path);
  await tf.saveArtifact(path, [times(3)]);
  const second = await tf.loadArtifact(path);
  // The first one's weights are read here, when they are first used.
  expect([run(first), run(second)]).toEqual([
    [2, 2],
    [3, 3],
  ]);
  rmSync(path, { recursive: true });
  expect(run(first)).toEqual([2, 2]);
});

test("every function of the zoo gives in a new process what it gives here", async () => {
  const all = zoo(tf);
  await tf.saveArtifact(
    join(folder, "zoo"),
    all.map((one) => one.function as tf.NamedFunction),
  );
  const here = new tf.Executable(all.map((one) => one.function as tf.NamedFunction));
  const want = all.map((one) => {
    const outputs = here.run(one.inputs as Record<string, tf.Tensor>, {
      signature: (one.function as tf.NamedFunction).name,
    });
    return Object.values(outputs).map(bits);
  });
  const script = `
    const executable = await tf.loadArtifact("zoo");
    const outputs = zoo(tf).map((one) => Object.values(executable.run(one.inputs, { signature: one.function.name })));
    console.log(JSON.stringify(outputs.map((list) => list.map((y) => Buffer.from(y.dataSync().buffer).toString("hex")))));`;
  expect(run("zoo-load", script)).toEqual({ status: 0, value: want });
});

test("a process that is killed while it saves leaves the old directory or the new one, whole", async () => {
  const times = (name: string, factor: number): tf.NamedFunction => {
    const w = tf.variable(factor, { name });
    return tf.nameFunction("f", ({ x }) => tf.mul(x!, w), { x: { shape: [] } });
  };
  const path = join(folder, "killed/model");
  mkdirSync(join(folder, "killed"));
  // It ends itself at the nth change of the file system.
  const saving = (n: number): string => `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    const w = tf.variable(3, { name: "new" });
    const f = tf.nameFunction("f", ({ x }) => tf.mul(x, w), { x: { shape: [] } });
    let left = ${n};
    for (const name of ["open", "rename", "mkdir", "rm"]) {
      const real = fs.promises[name];
      fs.promises[name] = (...args) => {
        if (left-- === 0) process.kill(process.pid, "SIGKILL");
        return real(...args);
      };
    }
    syncBuiltinESMExports();
    await tf.saveArtifact(${JSON.stringify(path)}, [f]);
    console.log(true);`;
  const seen: unknown[] = [];
  for (let n = 0, ended = false; !ended; n++) {
    await tf.saveArtifact(path, [times("old", 2)]);
    const { status, value } = run("killed", saving(n));
    if (status !== "SIGKILL") expect([status, value]).toEqual([0, true]);
    ended = status === 0;
    // Between two renames nothing is at the path, and the old directory lies whole beside it.
    const [aside] = readdirSync(join(folder, "killed")).filter((name) => name.endsWith(".old"));
    const executable = await tf.loadArtifact(existsSync(path) ? path : join(folder, "killed", aside!));
    const got = (executable.predict(tf.scalar(1)) as tf.Tensor).itemSync();
    expect(got).toBe(executable.weights[0]!.name === "old" ? 2 : 3);
    seen.push(existsSync(path) ? executable.weights[0]!.name : "aside");
    executable.dispose();
    for (const name of readdirSync(join(folder, "killed"))) rmSync(join(folder, "killed", name), { recursive: true });
  }
  expect([...new Set(seen)]).toEqual(["old", "aside", "new"]);
  expect(seen.filter((it) => it === "aside")).toHaveLength(1);
});

test("a disk that is full leaves the old directory", async () => {
  const files = tf.getFiles();
  const f = tf.nameFunction("f", ({ x }) => tf.neg(x!), { x: { shape: [] } });
  const path = join(folder, "full");
  await tf.saveArtifact(path, [f]);
  const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC", syscall: "write" });
  tf.provideFiles({
    ...files,
    writeDirectory: (to, contents, options) => {
      const broken = new Map(contents);
      // A content that cannot be written, after one that was.
      broken.set(
        "weights.safetensors",
        new Proxy(new Uint8Array(1), {
          get: () => {
            throw full;
          },
        }),
      );
      return files.writeDirectory(to, broken, options);
    },
  });
  try {
    await expect(tf.saveArtifact(path, [f])).rejects.toMatchObject({ code: "E_FILE", cause: full });
  } finally {
    tf.provideFiles(files);
  }
  expect(readdirSync(folder).filter((name) => name.includes("full"))).toEqual(["full"]);
  expect(Object.keys((await tf.loadArtifact(path)).signatures)).toEqual(["f"]);
});

test("a model is exported for LiteRT too", async () => {
  const model = tf.sequential([tf.layers.dense({ units: 2, inputShape: [3] })]);
  const path = join(folder, "model.tflite");
  await model.export(path, { format: "tflite", quantize: "dynamic" });
  expect(readFileSync(path, "latin1").slice(4, 8)).toBe("TFL3");
  await expect(model.export(path, { format: "tflite", overwrite: false })).rejects.toMatchObject({ code: "E_FILE" });
  await expect(tf.loadExecutable(path)).rejects.toMatchObject({ code: "E_UNIMPLEMENTED" });
  await expect(model.export(path, { format: "onnx" as "tflite" })).rejects.toMatchObject({ code: "E_ARGUMENT" });
});

test("where overwrite is false, what is there stays", async () => {
  const f = tf.nameFunction("f", ({ x }) => tf.neg(x!), { x: { shape: [] } });
  const path = join(folder, "kept");
  await tf.saveArtifact(path, [f], { overwrite: false });
  await expect(tf.saveArtifact(path, [f], { overwrite: false })).rejects.toMatchObject({ code: "E_FILE" });
  const signal = AbortSignal.abort("enough");
  await expect(tf.saveArtifact(path, [f], { signal })).rejects.toBe("enough");
  await expect(tf.loadArtifact(path, { signal })).rejects.toBe("enough");
});
