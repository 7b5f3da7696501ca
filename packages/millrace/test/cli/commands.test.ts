// The commands as a person types them, in this process: what they print, write, serve and refuse.
import { EventEmitter } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { packageChecks } from "../../src/cli/checks/packages.js";
import { convert } from "../../src/cli/commands/convert.js";
import { doctor } from "../../src/cli/commands/doctor.js";
import { explain } from "../../src/cli/commands/explain.js";
import { inspect } from "../../src/cli/commands/inspect.js";
import { serve } from "../../src/cli/commands/serve.js";
import { types, typesText } from "../../src/cli/commands/types.js";
import { findModels } from "../../src/cli/models.js";
import { bytesText, endWithReader, note, progressBar, reportFailure } from "../../src/cli/output.js";
import * as tf from "../../src/index.js";

let folder = "";
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "millrace-cli-"));
  const model = tf.sequential([
    tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu", inputShape: [8, 8, 1] }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 10, activation: "softmax" }),
  ]);
  await model.save(at("small.keras"));
  await model.saveWeights(at("small.weights.h5"));
  await model.export(at("models/small-digits/1"), { metadata: { unit: "digit" } });
  await model.export(at("models/small-digits/12"));
  model.dispose();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What `f` writes to a stream; it may look at the pieces written so far. */
async function written(
  f: (pieces: readonly string[]) => unknown,
  stream: "stdout" | "stderr" = "stdout",
): Promise<string> {
  const pieces: string[] = [];
  const { write } = process[stream];
  process[stream].write = (piece) => pieces.push(String(piece)) > 0;
  try {
    await f(pieces);
  } finally {
    process[stream].write = write;
  }
  return pieces.join("");
}

test("findModels takes the version with the greatest number", () => {
  const newest = { name: "small-digits", path: at("models/small-digits/12"), version: 12 };
  expect(findModels(at("models"))).toEqual([newest]);
  expect(findModels(at("models/small-digits"))).toEqual([newest]);
  expect(findModels(at("models/small-digits/1"))).toEqual([
    { ...newest, path: at("models/small-digits/1"), version: 1 },
  ]);
  symlinkSync(at("nowhere"), at("models/gone"));
  expect(findModels(at("models"))).toEqual([newest]);
  rmSync(at("models/gone"));
  expect(() => findModels(at("none"))).toThrow(expect.objectContaining({ code: "E_FILE" }));
});

test("types writes what createClient takes", async () => {
  const text = await written(() => types(at("models"), {}));
  expect(text).toContain(`/** small-digits, version 12 */
export interface SmallDigits {
  serving_default: {
    inputs: { input: ["float32", ["batch", 8, 8, 1]] };
    outputs: { output: ["float32", ["batch", 10]] };
  };
}`);
  await written(() => types(at("models"), { out: at("models.ts") }), "stderr");
  expect(readFileSync(at("models.ts"), "utf8").trimEnd()).toBe(text.trimEnd());
});

test("types: models whose names differ in signs alone, and a name of two lines, are whole TypeScript", () => {
  const report = { signatures: { f: { inputs: [], outputs: [] } } };
  const names = ["a-b", "a_b", 'x*/\nexport const y = "'];
  const text = typesText(names.map((name) => ({ model: { name, path: "", version: null }, report })));
  expect(text.match(/^export .*$/gm)).toEqual([
    "export interface AB {",
    "export interface AB2 {",
    "export interface XExportConstY {",
  ]);
});

test("convert makes a .tflite file, a smaller one and a saved graph; inspect shows each", async () => {
  const report = JSON.parse(await written(() => convert(at("small.keras"), at("small.tflite"), { json: true })));
  expect(report.operators.serving_default).toEqual(["CONV_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"]);
  await written(() =>
    written(() => convert(at("models/small-digits/1"), at("tiny.tflite"), { quantize: "dynamic" }), "stderr"),
  );
  expect(statSync(at("tiny.tflite")).size).toBeLessThan(statSync(at("small.tflite")).size / 1.5);
  await written(() => convert(at("small.keras"), at("graph"), { json: true }));

  expect(await written(() => inspect(at("small.tflite"), {}))).toMatch(
    /serving_default: input FLOAT32\[-1,8,8,1\] → output FLOAT32\[-1,10\][\s\S]*CONV_2D +1/,
  );
  const keras = JSON.parse(await written(() => inspect(at("small.keras"), { json: true })));
  expect(keras).toMatchObject({
    format: "keras",
    layers: [{ class: "Conv2D" }, { class: "Flatten" }, { class: "Dense" }],
  });
  expect(await written(() => inspect(at("small.weights.h5"), {}))).toMatch(
    /an HDF5 file[\s\S]*layers\/conv2d\/vars\/0 +\[3,3,1,4\]/,
  );
  const graph = await written(() => inspect(at("graph"), { graph: true }));
  expect(graph).toMatch(/serving_default: input float32\[batch,8,8,1\] → output float32\[batch,10\]/);
  expect(graph).toMatch(/conv2d\w*\/kernel\w* +float32\[3,3,1,4\] +144 B/);
  expect(graph).toMatch(/%\d+/); // the graph as text
  expect(JSON.parse(await written(() => inspect(at("models/small-digits/1"), { json: true })))).toMatchObject({
    format: "millrace",
    metadata: { unit: "digit" },
  });
});

test.each([
  [() => convert(at("small.keras"), at("small.onnx"), {}), "E_ARGUMENT"],
  [() => convert(at("small.keras"), at("x.tflite"), { quantize: "int3" }), "E_ARGUMENT"],
  [() => convert(at("small.keras"), at("x.tflite"), { quantize: "int8" }), "E_UNIMPLEMENTED"],
  [() => inspect(at("none"), {}), "E_FILE"],
  [() => inspect(at("models"), {}), "E_FORMAT"],
  [async () => explain("E_NONE", {}), "E_ARGUMENT"],
  [() => serve(undefined, serveOptions), "E_ARGUMENT"],
  [() => serve(at("models"), { ...serveOptions, rest: false }), "E_ARGUMENT"],
  [() => serve(undefined, { ...serveOptions, config: at("none.json") }), "E_FILE"],
])("a wrong call is a typed error (%#)", async (call, code) => {
  await expect(call()).rejects.toMatchObject({ code });
  expect(existsSync(at("x.tflite"))).toBe(false);
});

const serveOptions = { host: "127.0.0.1", rest: true, port: 0, grpc: false, grpcPort: 0, json: true };

test("serve answers until it is asked to stop", async () => {
  let answer: unknown;
  const text = await written(async (pieces) => {
    const running = serve(at("models"), serveOptions);
    const ready = await until(() => pieces.find((piece) => piece.includes("ready")));
    const { rest } = JSON.parse(ready) as { rest: string };
    const image = Array.from({ length: 8 }, () => Array.from({ length: 8 }, () => [0.5]));
    const request = { method: "POST", body: JSON.stringify({ instances: [image] }) };
    answer = await (await fetch(`${rest}/v1/models/small-digits:predict`, request)).json();
    process.emit("SIGTERM");
    await running;
  });
  expect(text).toContain(`"event":"closed"`);
  const { predictions } = answer as { predictions: number[][] };
  expect(predictions[0]!.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
});

/** Looks again after each turn of the event loop, until there is something. */
async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((done) => setImmediate(done));
  }
}

test("doctor measures, and says how it found each thing", async () => {
  const { checks } = JSON.parse(await written(() => doctor({ json: true }))) as {
    checks: { name: string; status: string; values?: Record<string, number> }[];
  };
  expect(checks.map((check) => check.name)).toEqual([
    "node",
    "threads",
    "memory",
    "packages",
    "core",
    "native",
    "product",
    "bandwidth",
  ]);
  expect(checks.find(({ name }) => name === "product")!.values!.gflops).toBeGreaterThan(0);
  process.exitCode = 0;
});

test("copies of the core are counted, whatever lies beside them", () => {
  const modules = at("project/node_modules");
  const core = (inside: string): void => {
    mkdirSync(join(inside, "@millrace/core"), { recursive: true });
    writeFileSync(join(inside, "@millrace/core/package.json"), `{ "version": "0.1.0" }`);
  };
  core(modules);
  writeFileSync(join(modules, "@file"), "");
  symlinkSync(at("nowhere"), join(modules, "gone"));
  const copies = (): unknown => packageChecks(at("project")).find(({ name }) => name === "core");
  expect(copies()).toMatchObject({ status: "ok", found: expect.stringContaining("one copy") });
  core(join(modules, "library/node_modules"));
  expect(copies()).toMatchObject({ status: "warn", advice: expect.stringContaining("E_DUPLICATE_CORE") });
});

test("failures have exit codes: 2 for a wrong call, 1 for the rest", async () => {
  const text = await written(() => {
    expect(reportFailure(new tf.MillraceError("E_ARGUMENT", "no"), false)).toBe(2);
    expect(reportFailure(new tf.MillraceError("E_FILE", "gone"), false)).toBe(1);
    expect(reportFailure(new Error("bug"), false)).toBe(1);
  }, "stderr");
  expect(text).toMatch(/^E_ARGUMENT: no\nmillrace explain E_ARGUMENT says more\.\nE_FILE: gone\n/);
});

test("a reader that stops ends the command; another failure of its output does not pass", () => {
  const stream = new EventEmitter();
  let exits = 0;
  endWithReader(stream, () => exits++);
  stream.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  expect(exits).toBe(1);
  expect(() => stream.emit("error", Object.assign(new Error("full"), { code: "ENOSPC" }))).toThrow("full");
});

test("what is said while a bar is drawn has a line of its own", async () => {
  const { isTTY } = process.stderr;
  process.stderr.isTTY = true;
  try {
    const text = await written(() => {
      progressBar("reading")(0.5);
      note("no");
      note("more");
    }, "stderr");
    expect(text).toMatch(/^\rreading \[=+ +\] 50 %\nno\nmore\n$/);
  } finally {
    process.stderr.isTTY = isTTY;
  }
});

test("bytes are written as people read them", () => {
  expect([0, 1023, 1536, 5 * 2 ** 30].map(bytesText)).toEqual(["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]);
});
