// What happens where core is in a process twice: core is bundled into files, and Node loads those as a program would.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { pathOfStack } from "../../packages/core/src/ir/copies.js";

const core = fileURLToPath(new URL("../../packages/core/src/index.ts", import.meta.url));
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "millrace-copies-"));
  const outfile = join(dir, "first.mjs");
  await build({ entryPoints: [core], outfile, bundle: true, format: "esm", platform: "neutral", logLevel: "error" });
  cpSync(join(dir, "first.mjs"), join(dir, "second.mjs"));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** The lines that a module prints, where `code` gives the code of what a function throws. */
function lines(body: string): string[] {
  const script = `
    const code = (f) => { try { f(); return "nothing"; } catch (e) { return e.code + ": " + e.message; } };
    const first = await import("./first.mjs");
    first.registerReferenceBackend();
    ${body}`;
  const file = join(dir, "main.mjs");
  writeFileSync(file, script);
  const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: "utf8" });
  return (stdout + stderr).trimEnd().split("\n");
}

test("a second copy cannot register, and the error names both files", () => {
  const [said] = lines(`
    const second = await import("./second.mjs");
    console.log(code(() => second.registerReferenceBackend()));`);
  expect(said).toMatch(/^E_DUPLICATE_CORE: .*0\.\d+\.\d+ at \S*first\.mjs, and 0\.\d+\.\d+ at \S*second\.mjs\. /);
});

test("a second copy that never registers says so at its first op, not that a backend is missing", () => {
  const [said] = lines(`
    const second = await import("./second.mjs");
    console.log(code(() => second.add(1, 2)));`);
  expect(said).toMatch(/^E_DUPLICATE_CORE: .*second\.mjs/);
});

test("the same file loaded again works, and its tensors do not mix with those from before", () => {
  const said = lines(`
    const again = await import("./first.mjs?again");
    again.registerReferenceBackend();
    const [x, y] = [first.tensor([1]), again.tensor([2])];
    console.log(again.add(y, y).dataSync()[0], first.add(x, x).dataSync()[0]);
    for (const f of [() => again.add(x, y), () => again.neg(x), () => again.neg(first.variable([1])),
      () => again.fn((z) => again.add(z, x))(y), () => again.fn((z) => again.neg(z))(x), () => again.variable([1]).assign(x)])
      console.log(code(f).split(":")[0]);`);
  expect(said).toEqual(["4 2", ...Array(6).fill("E_DUPLICATE_CORE")]);
});

test("a program without stack traces keeps working", () => {
  const said = lines(`
    Error.stackTraceLimit = 0;
    const again = await import("./second.mjs");
    console.log(code(() => again.registerReferenceBackend()).split(":")[0], first.neg([1]).dataSync()[0]);`);
  expect(said).toEqual(["E_DUPLICATE_CORE -1"]);
});

test.each([
  ["V8", "Error\n    at pathOf (file:///a%20b/core.js:12:3)\n    at x (file:///c.js:1:1)", "file:///a%20b/core.js"],
  ["V8 at the top of a module", "Error\n    at file:///core.js?t=12:12:3", "file:///core.js"],
  ["V8 on a script", "Error\n    at Object.<anonymous> (C:\\my app\\core.js:12:3)", "C:\\my app\\core.js"],
  ["Firefox", "pathOf@https://host/core.js?v=1#x:12:3\nx@https://host/c.js:1:1", "https://host/core.js"],
  ["none", "", ""],
])("the path in a stack of %s", (_name, stack, path) => {
  expect(pathOfStack(stack)).toBe(path);
});
