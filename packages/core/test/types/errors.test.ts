import { once } from "node:events";
import { createContext, runInContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { describe, expect, jest, test } from "@jest/globals";
import { errorCodes, isMillraceError, MillraceError, warningCodes } from "../../src/types/errors.js";
import { formatSite, userFrames } from "../../src/types/site.js";

const error = () =>
  new MillraceError("E_SHAPE", "matMul: inner sizes 3 and 4 differ", {
    op: "matMul",
    shapes: [
      [2, 3],
      ["batch", 5],
    ],
    dtypes: ["float32", "int32"],
    rule: "matMul.C2",
    site: { file: "user.ts", line: 3, column: 7 },
    layer: "sequential/dense",
    cause: new TypeError("why"),
  });

describe("MillraceError", () => {
  test("is an Error with code, details, docs and a stack that names the code", () => {
    const e = error();
    expect(e).toBeInstanceOf(Error);
    expect(e.name).toBe("MillraceError");
    expect(`${e}`).toBe("MillraceError: matMul: inner sizes 3 and 4 differ\n  at user.ts:3:7");
    expect(e.reason).toBe("matMul: inner sizes 3 and 4 differ");
    expect(e.stack).toMatch(/^MillraceError \[E_SHAPE\]: matMul: inner sizes 3 and 4 differ\n/);
    expect(e.docs).toBe("docs/errors.md#e_shape");
    expect(e.cause).toBeInstanceOf(TypeError);
    expect(e.shapes).toEqual([
      [2, 3],
      ["batch", 5],
    ]);
  });

  test("has only the details that it was given", () => {
    expect(Object.keys(new MillraceError("E_DTYPE", "no"))).toEqual(["code", "site"]);
    expect("cause" in new MillraceError("E_DTYPE", "no")).toBe(false);
    expect("cause" in new MillraceError("E_DTYPE", "no", { cause: undefined })).toBe(true);
  });

  test("has the place that made it, unless it is given one", () => {
    const e = new MillraceError("E_DTYPE", "no");
    expect(e.site?.file).toMatch(/errors\.test\.ts$/);
    expect(e.message).toBe(`no\n  at ${formatSite(e.site!)}`);
  });

  test("toJSON gives the details, and of the cause no more than name and message", () => {
    const cause = Object.assign(new RangeError("broken"), { values: [1, 2, 3] });
    const site = { file: "user.ts", line: 3, column: 7 };
    const json = JSON.parse(JSON.stringify(new MillraceError("E_FORMAT", "bad file", { op: "load", site, cause })));
    expect(json).toEqual({
      name: "MillraceError",
      code: "E_FORMAT",
      message: "bad file\n  at user.ts:3:7",
      docs: "docs/errors.md#e_format",
      op: "load",
      site,
      cause: { name: "RangeError", message: "broken" },
    });
  });

  test("every code has the form that it must keep, and a sentence", () => {
    for (const [code, meaning] of Object.entries({ ...errorCodes, ...warningCodes })) {
      expect(code).toMatch(/^[EW]_[A-Z]+(_[A-Z]+)*$/);
      expect(meaning).toMatch(/^[A-Z].*\.$/);
    }
  });
});

describe("isMillraceError", () => {
  test("knows an error, and its code", () => {
    expect(isMillraceError(error())).toBe(true);
    expect(isMillraceError(error(), "E_SHAPE")).toBe(true);
    expect(isMillraceError(error(), "E_DTYPE")).toBe(false);
  });

  test("knows no other thing", () => {
    const others = [
      null,
      undefined,
      "E_SHAPE",
      1,
      {},
      new Error("E_SHAPE"),
      { code: "E_SHAPE" },
      { name: "MillraceError" },
    ];
    const system = Object.assign(new Error("gone"), { code: "ENOENT" });
    const foreign = { name: "MillraceError", code: "toString", message: "" };
    for (const other of [...others, system, foreign]) expect(isMillraceError(other)).toBe(false);
  });

  test("knows the error of another copy of the module", async () => {
    jest.resetModules();
    const copy = await import("../../src/types/errors.js");
    expect(copy.MillraceError).not.toBe(MillraceError);
    expect(isMillraceError(new copy.MillraceError("E_MEMORY", "full"), "E_MEMORY")).toBe(true);
  });

  test("knows an error's JSON", () => {
    expect(isMillraceError(JSON.parse(JSON.stringify(error())), "E_SHAPE")).toBe(true);
  });

  test("knows an error by its shape in another realm", () => {
    const foreign = runInContext(
      `Object.assign(new Error("x"), { name: "MillraceError", code: "E_DEVICE" })`,
      createContext(),
    );
    expect(foreign instanceof Error).toBe(false);
    expect(isMillraceError(foreign, "E_DEVICE")).toBe(true);
  });

  test("gives a structured clone the code back that it lost", () => {
    const clone: unknown = structuredClone(error());
    expect(clone).not.toHaveProperty("code");
    expect(isMillraceError(clone, "E_DTYPE")).toBe(false);
    expect(isMillraceError(clone)).toBe(true);
    expect(clone).toHaveProperty("code", "E_SHAPE");
  });

  test("knows the error that ends a worker, and one sent as a message", async () => {
    const source = `
      const { parentPort } = require("node:worker_threads");
      class MillraceError extends Error { name = "MillraceError"; code = "E_VERIFY"; }
      const sent = new Error("message");
      sent.stack = "MillraceError [E_GUARD]: message\\n    at x";
      parentPort.postMessage(sent);
      parentPort.once("message", () => { throw new MillraceError("end"); });`;
    const worker = new Worker(source, { eval: true });
    const [message] = await once(worker, "message");
    expect(isMillraceError(message, "E_GUARD")).toBe(true);
    const ended = once(worker, "error");
    worker.postMessage("end");
    const [thrown] = await ended;
    expect(isMillraceError(thrown, "E_VERIFY")).toBe(true);
  });
});

describe("the user's frames", () => {
  const own = new Error()
    .stack!.split("\n")[1]!
    .trim()
    .replace(/^.*?\(?((?:file:\/\/)?\/.*)\/packages\/core\/.*$/, "$1");
  test.each([
    ["a file", "    at f (/srv/app.js:3:7)", "/srv/app.js"],
    ["a module", "    at file:///srv/app.mjs:3:7", "file:///srv/app.mjs"],
    ["after an await", "    at async file:///srv/app.mjs:3:7", "file:///srv/app.mjs"],
    ["a page", "f@https://example.org/app.js:3:7", "https://example.org/app.js"],
    [
      "a package of the user's that is called core",
      "at /srv/packages/core/src/a.ts:3:7",
      "/srv/packages/core/src/a.ts",
    ],
  ])("%s", (_, frame, file) => {
    expect(userFrames(`Error: x\n${frame}`)).toEqual([{ file, line: 3, column: 7 }]);
  });
  test.each([
    "    at f (/srv/node_modules/@millrace/core/dist/index.js:3:7)",
    "    at f (/srv/node_modules/millrace/dist/index.js:3:7)",
    `    at f (${own}/packages/layers/src/index.ts:3:7)`,
    "    at node:internal/main:3:7",
    "    at f (<anonymous>)",
  ])("not %s", (frame) => {
    expect(userFrames(`Error: x\n${frame}`)).toEqual([]);
  });
});
