import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as tf from "@millrace/core";
import * as data from "../src/index.js";
import { plain, valuesOf } from "./helpers.js";

/** `@example expression // value` of each docstring; the value of a dataset is the list of its elements. */
const examples = ["dataset", "sources"].flatMap((file) => {
  const text = readFileSync(fileURLToPath(new URL(`../src/${file}.ts`, import.meta.url)), "utf8");
  return [...text.matchAll(/@example (.+?) \/\/ (.+)/g)].map(([, code, value]) => ({ code: code!, value: value! }));
});

const evaluate = (code: string): unknown => new Function("tf", `return ${code};`)({ ...tf, data });

describe("the example in a docstring says what comes out", () => {
  test("there are examples", () => expect(examples.length).toBeGreaterThan(20));
  test.each(examples)("$code // $value", async ({ code, value }) => {
    const result = await evaluate(code);
    expect(result instanceof data.Dataset ? await valuesOf(result) : plain(result)).toEqual(evaluate(value));
  });
});
