import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const changesets = createRequire(import.meta.url).resolve("@changesets/cli/bin.js");

type Manifest = { name: string; version?: string; private?: boolean };
const read = (path: string): Manifest => JSON.parse(readFileSync(path, "utf8"));

/** Every manifest of the workspace, as git knows them. */
function manifests(): string[] {
  const { stdout } = spawnSync(
    "git",
    ["ls-files", "packages/*/package.json", "native/**/package.json", "examples/quickstart/*.json"],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  return stdout.split("\n").filter((path) => path !== "");
}

// A minor change must not become a major one, which happens as soon as a package of the fixed group is a peer of another.
test("one minor changeset makes a minor version of every package, and no major one", () => {
  const dir = mkdtempSync(join(tmpdir(), "millrace-changesets-"));
  for (const path of ["package.json", "pnpm-workspace.yaml", ".changeset/config.json", ...manifests()]) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    cpSync(join(root, path), join(dir, path));
  }
  const published = manifests().filter((path) => !read(join(dir, path)).private);
  for (const path of published)
    writeFileSync(join(dir, path), JSON.stringify({ ...read(join(dir, path)), version: "1.2.3" }, undefined, 2));
  writeFileSync(join(dir, ".changeset/one.md"), '---\n"@millrace/core": minor\n---\n\nA new op.\n');

  const { status, stderr } = spawnSync(process.execPath, [changesets, "version"], { cwd: dir, encoding: "utf8" });
  expect({ status, stderr }).toMatchObject({ status: 0 });

  expect(published.length).toBeGreaterThan(8);
  const versions = Object.fromEntries(
    published.map((path) => [read(join(dir, path)).name, read(join(dir, path)).version]),
  );
  expect(versions).toEqual(Object.fromEntries(Object.keys(versions).map((name) => [name, "1.3.0"])));
  rmSync(dir, { recursive: true });
});
