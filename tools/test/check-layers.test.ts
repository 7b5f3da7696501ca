import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkLayers } from "../lib/layers.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const tool = join(root, "tools/check-layers.mjs");

/** A copy of the workspace's table and manifests, with sources of its own. */
function fixture(files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), "millrace-layers-"));
  cpSync(join(root, "layers.json"), join(dir, "layers.json"));
  for (const name of readdirSync(join(root, "packages")))
    for (const file of ["package.json", "tsconfig.json"]) {
      mkdirSync(join(dir, "packages", name), { recursive: true });
      cpSync(join(root, "packages", name, file), join(dir, "packages", name, file));
    }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

function check(files: Record<string, string>): string[] {
  const dir = fixture(files);
  const violations = checkLayers(dir);
  rmSync(dir, { recursive: true });
  return violations;
}

/** The text of a manifest of the workspace, changed. */
function manifest(path: string, change: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(readFileSync(join(root, path), "utf8")), ...change });
}

const clean = {
  "packages/core/src/types/dtype.ts": "export type DType = string;\n",
  "packages/core/src/ops/names.ts": "export type Ops = object;\n",
  "packages/core/src/ops/add.ts": 'import type { DType } from "../types/dtype.js";\nexport type A = DType;\n',
  "packages/core/src/ir/op.ts": 'import type { Ops } from "../ops/names.js";\nexport type B = Ops;\n',
  "packages/core/src/index.ts": 'export * from "./ops/add.js";\n',
  "packages/autodiff/src/index.ts": 'export * from "@millrace/core";\nexport * from "@millrace/core/graph";\n',
  "packages/backend-null/src/index.ts": 'import "@millrace/core/backend";\n',
  "packages/layers/src/index.ts": 'export * from "@millrace/autodiff";\n',
  "packages/millrace/src/index.ts": 'import "node:fs";\nexport * from "@millrace/layers";\n',
  "packages/millrace/src/browser.ts": 'export * from "@millrace/layers";\n',
  "native/kernels/Cargo.toml": '[package]\nname = "k"\n[dependencies]\np = { path = "../program" }\n',
};

test("the repository obeys its table", () => {
  expect(checkLayers(root)).toEqual([]);
});

test("legal imports of every kind pass", () => {
  expect(check(clean)).toEqual([]);
});

const at = (path: string, text: string) => ({ [path]: text });
test.each<[string, Record<string, string>, RegExp]>([
  [
    "a package above",
    at("packages/autodiff/src/x.ts", 'import "@millrace/layers";'),
    /x\.ts:1: autodiff may not import @mill/,
  ],
  [
    "a sibling",
    at("packages/data/src/x.ts", '\nexport * from "@millrace/autodiff";'),
    /x\.ts:2: data may not import @millrace/,
  ],
  [
    "past the layer below",
    at("packages/layers/src/x.ts", 'import "@millrace/core";'),
    /x\.ts:1: layers may not import @millrace/,
  ],
  [
    "another subpath",
    at("packages/backend-null/src/x.ts", 'import "@millrace/core";'),
    /x\.ts:1: backend-null may not/,
  ],
  [
    "a dynamic import",
    at("packages/data/src/x.ts", 'const m = import("@millrace/layers");'),
    /x\.ts:1: data may not import/,
  ],
  [
    "a type-only import",
    at("packages/data/src/x.ts", 'import type { L } from "@millrace/layers";'),
    /x\.ts:1: data may/,
  ],
  ["an import type", at("packages/data/src/x.ts", 'type L = import("@millrace/layers").L;'), /x\.ts:1: data may not/],
  [
    "another package's files",
    at("packages/data/src/x.ts", 'import "../../core/src/index.js";'),
    /x\.ts:1: .* outside the/,
  ],
  ["an undeclared library", at("packages/data/src/x.ts", 'import "lodash";'), /x\.ts:1: lodash is no dependency/],
  ["a higher directory", at("packages/core/src/ir/x.ts", 'import "../ops/add.js";'), /x\.ts:1: imports .*ops\/add\.ts/],
  [
    "a higher directory's type",
    at("packages/core/src/ir/x.ts", 'import type {} from "../ops/add.js";'),
    /x\.ts:1: imports/,
  ],
  [
    "a value of ops/names.ts",
    at("packages/core/src/ir/x.ts", 'import { Ops } from "../ops/names.js";'),
    /x\.ts:1: imports/,
  ],
  [
    "an entry point from within",
    at("packages/core/src/api/x.ts", 'export * from "../index.js";'),
    /x\.ts:1: imports .*index/,
  ],
  [
    "Node in core",
    at("packages/core/src/api/x.ts", 'import { readFileSync } from "node:fs";'),
    /x\.ts:1: core runs in a/,
  ],
  [
    "Node's types in core",
    at("packages/core/src/api/x.ts", 'import type { Buffer } from "buffer";'),
    /x\.ts:1: core runs/,
  ],
  [
    "a reference to Node's types",
    at("packages/core/src/api/x.ts", '/// <reference types="node" />'),
    /x\.ts:1: .* dependency/,
  ],
  [
    "a directory without a layer",
    at("packages/core/src/misc/x.ts", "export {};"),
    /misc\/x\.ts: is neither an entry point/,
  ],
  [
    "a file beside the entry points",
    at("packages/core/src/misc.ts", "export {};"),
    /misc\.ts: is neither an entry point/,
  ],
  [
    "Node reached from the browser's entry",
    {
      ...at("packages/millrace/src/browser.ts", 'export * from "./util.js";'),
      ...at("packages/millrace/src/util.ts", 'import "node:fs";'),
    },
    /util\.ts:1: a browser reaches node:fs: packages\/millrace\/src\/browser\.ts → packages\/millrace\/src\/util\.ts/,
  ],
  [
    "Node reached through another package",
    {
      ...at("packages/millrace/src/browser.ts", 'export * from "@millrace/backend-cpu-napi";'),
      ...at("packages/backend-cpu-napi/src/index.ts", 'import "node:path";'),
    },
    /backend-cpu-napi\/src\/index\.ts:1: a browser reaches node:path/,
  ],
  [
    "a package.json",
    at(
      "packages/data/package.json",
      manifest("packages/data/package.json", { peerDependencies: { "@millrace/layers": "workspace:^" } }),
    ),
    /data\/package\.json: data may not depend on @millrace\/layers/,
  ],
  [
    "a tsconfig's references",
    at("packages/core/tsconfig.json", '{ "references": [{ "path": "../data" }] }'),
    /core\/tsconfig\.json: core may not refer to data/,
  ],
  [
    "a tsconfig's types",
    at("packages/core/tsconfig.json", '{ "compilerOptions": { "types": ["node"] } }'),
    /core\/tsconfig\.json: core runs in a browser/,
  ],
  [
    "a tsconfig's paths",
    at("packages/core/tsconfig.json", '{ "compilerOptions": { "paths": { "@x": ["./x"] } } }'),
    /core\/tsconfig\.json: `paths`/,
  ],
  [
    "a package of no layer",
    at("packages/new/package.json", '{ "name": "@millrace/new" }'),
    /packages\/new: layers\.json does/,
  ],
  [
    "a crate above",
    at("native/program/Cargo.toml", '[package]\nname = "p"\n[dependencies]\nk = { path = "../kernels" }\n'),
    /program\/Cargo\.toml: program may not depend on kernels/,
  ],
  [
    "a crate by way of the workspace, for tests alone",
    {
      ...at("Cargo.toml", '[workspace.dependencies]\nk = { path = "native/cpu" }\n'),
      ...at("native/program/Cargo.toml", '[package]\nname = "p"\n[dev-dependencies]\nk = { workspace = true }\n'),
    },
    /program\/Cargo\.toml: program may not depend on cpu/,
  ],
])("%s is refused", (_name, planted, message) => {
  expect(check({ ...clean, ...planted })).toEqual([expect.stringMatching(message)]);
});

test("the command prints the violations and fails", () => {
  const dir = fixture({ "packages/data/src/x.ts": 'import "@millrace/layers";' });
  const { status, stdout } = spawnSync(process.execPath, [tool, dir], { encoding: "utf8" });
  rmSync(dir, { recursive: true });
  expect(stdout).toBe("packages/data/src/x.ts:1: data may not import @millrace/layers (only core)\n");
  expect(status).toBe(1);
});
