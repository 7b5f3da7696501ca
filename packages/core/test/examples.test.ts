import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "../src/index.js";

tf.registerReferenceBackend();

const folder = fileURLToPath(new URL("../src/ops", import.meta.url));
const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
  /^\w+[\\/].*\.ts$/.test(path),
);

/** `@example expression // value` of each docstring. */
const examples = sources.flatMap((path) =>
  [...readFileSync(join(folder, path), "utf8").matchAll(/@example (.+?) \/\/ (.+)/g)].map(([, code, value]) => ({
    code: code!,
    value: value!,
  })),
);

const evaluate = (code: string): unknown => new Function("tf", `return ${code};`)(tf);

/** Tensors as nested arrays, also inside lists and records. */
function plain(x: unknown): unknown {
  if (x === null || typeof x !== "object") return x;
  if ("arraySync" in x) return (x as tf.Tensor).arraySync();
  if (Array.isArray(x)) return x.map(plain);
  return Object.fromEntries(Object.entries(x).map(([key, value]) => [key, plain(value)]));
}

/** Six digits: a float32 holds seven. */
function rounded(x: unknown): unknown {
  if (typeof x === "number") return Number(x.toPrecision(6));
  if (Array.isArray(x)) return x.map(rounded);
  return x;
}

describe("the example in a docstring says what comes out", () => {
  test("there are examples", () => expect(examples.length).toBeGreaterThan(100));
  test.each(examples)("$code // $value", ({ code, value }) => {
    expect(rounded(plain(evaluate(code)))).toEqual(rounded(evaluate(value)));
  });
});
