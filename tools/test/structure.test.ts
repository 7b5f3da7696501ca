// One table of ops and one of codes; every list elsewhere says the same, in both directions.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as core from "../../packages/core/src/index.js";
import { allOps } from "../../packages/core/src/ir/op.js";
import * as cases from "../../packages/core/src/ops/cases.gen.js";
import { coreOps } from "../../packages/core/src/ops/table.js";
import { opIds } from "../../packages/core/src/schedule/op-ids.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const text = (path: string): string => readFileSync(join(root, path), "utf8");
const names = coreOps.map(({ name }) => name);

/** Every source below a folder, by path. */
function sources(folder: string, extension: string): Map<string, string> {
  const paths = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  const wanted = paths.filter(
    (path) => path.endsWith(extension) && !/(^|[\\/])(node_modules|dist|target|test)[\\/]/.test(path),
  );
  return new Map(wanted.map((path) => [path, text(join(folder, path))]));
}

/** What a pattern's first group matches, over and over. */
const all = (pattern: RegExp, within: string): string[] => [...within.matchAll(pattern)].map(([, found]) => found!);
const unique = (list: readonly string[]): string[] => [...new Set(list)].sort();

describe("ops", () => {
  test("the table holds every op that core defines, by its own name, once", () => {
    expect([...allOps().keys()].sort()).toEqual([...names].sort());
    expect(unique(names)).toHaveLength(names.length);
  });
  test("have the numbers of their order", () => {
    expect([...opIds]).toEqual(names.map((name, i) => [name, i]));
  });
  test("have one table of cases each", () => {
    expect(
      Object.values(cases)
        .map(({ op }) => op.name)
        .sort(),
    ).toEqual([...names].sort());
  });
  test("are what docs/ops.md lists, with version and kind", () => {
    const rows = [...text("docs/ops.md").matchAll(/^\| `(\w+)` *\| (\d+) *\| (\w+) *\|/gm)];
    expect(rows.map(([, ...cells]) => cells)).toEqual(coreOps.map((op) => [op.name, `${op.version}`, op.kind]));
  });
  test("all run on the native backend", () => {
    const without = all(/^\| `(\w+)` .*\| no *\|$/gm, text("docs/ops.md"));
    expect(without).toEqual([]);
  });
  test("are what the Rust table lists, with number and version", () => {
    const generated = text("native/program/src/generated.rs");
    const entries = [...generated.matchAll(/^ {4}\(Op::(\w+), "(\w+)", (\d+), Kind::\w+\),$/gm)];
    expect(entries.map(([, , name, version]) => [name, version])).toEqual(
      coreOps.map((op) => [op.name, `${op.version}`]),
    );
    const numbers = [...generated.matchAll(/^ {4}(\w+) = (\d+),$/gm)].map(([, name, number]) => `${name} ${number}`);
    for (const [i, [, variant]] of entries.entries()) expect(numbers).toContain(`${variant} ${i}`);
  });
});

/** The names of an object's functions; those of a namespace in it begin with its name. */
function functionsOf(holder: object): string[] {
  return Object.entries(holder).flatMap(([name, value]) => {
    if (Object.prototype.toString.call(value) === "[object Module]")
      return functionsOf(value as object).map((inner) => `${name}.${inner}`);
    return typeof value === "function" ? [name] : [];
  });
}

describe("functions", () => {
  const documented = all(/^### ([\w.]+)$/gm, text("docs/functions.md"));
  test("that core exports are in docs/functions.md, and each of those is exported", () => {
    const declared = [...sources("packages/core/src", ".ts").values()].join("\n");
    const internal = all(/@internal\s*\*\/\s*export function (\w+)/g, declared);
    // A class is a function to JavaScript; the table of docs holds what is called without `new`.
    const isClass = (f: unknown): boolean => /^class\b/.test(String(f));
    const exported = functionsOf(core).filter((name) => !isClass(Reflect.get(core, name)));
    // `fn` is exported under a second name, the reserved word `function`.
    const missing = exported.filter((name) => !documented.includes(name) && !internal.includes(name));
    expect(missing).toEqual([]);
    const autodiff = text("packages/autodiff/src/index.ts");
    for (const name of documented) expect(exported.includes(name) || autodiff.includes(name)).toBe(true);
  });
  test("say in one sentence what they do", () => {
    const silent = text("docs/functions.md")
      .split(/^### /m)
      .slice(1)
      .filter((section) => !/^[\w.]+\n\n`[^`]+`\n\n\S/.test(section));
    expect(silent.map((section) => section.split("\n")[0])).toEqual([]);
  });
});

describe("codes", () => {
  const codes = Object.keys({ ...core.errorCodes, ...core.warningCodes }).sort();
  const typescript = sources("packages", ".ts");
  const rust = sources("native", ".rs");
  const reserved = { E_VERIFY: "for graphs out of files", W_DEPRECATED: "nothing is deprecated yet" };

  test("are sorted, and what docs/errors.md explains", () => {
    for (const table of [core.errorCodes, core.warningCodes])
      expect(Object.keys(table)).toEqual(Object.keys(table).sort());
    expect(all(/^## (\w+)$/gm, text("docs/errors.md")).sort()).toEqual(codes);
  });
  test("an error points at its section", () => {
    const { docs } = new core.MillraceError("E_SHAPE", "x");
    const [path, anchor] = docs.split("#");
    expect(all(/^## (\w+)$/gm, text(path!)).map((heading) => heading.toLowerCase())).toContain(anchor);
  });
  test("that any source names are in the table, and each of the table is used", () => {
    const used = [...typescript, ...rust]
      .filter(([path]) => path !== join("core", "src", "types", "errors.ts"))
      .flatMap(([, source]) => all(/["'`]([EW]_[A-Z_]+)["'`:]/g, source));
    expect(unique(used).filter((code) => !codes.includes(code))).toEqual([]);
    expect(codes.filter((code) => !used.includes(code))).toEqual(Object.keys(reserved));
  });
});
