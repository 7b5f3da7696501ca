// node tools/consumers.mjs [types node browser example]: what users meet. Packs every public package, installs the tarballs
// with npm into projects outside of the repository, and checks them there. Ends with `N passed, N failed`. --keep leaves the
// projects where they are.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { checkBrowser } from "./consumers/browser.mjs";
import { results, run } from "./consumers/checks.mjs";
import { checkNode } from "./consumers/node.mjs";
import { checkTypes } from "./consumers/types.mjs";
import { countsLine } from "./lib/counts.mjs";
import { root } from "./lib/generated.mjs";
import { nativeFolders, pack, packageFolders } from "./lib/pack.mjs";

const checks = { types: checkTypes, node: checkNode, browser: checkBrowser };
const chosen = process.argv.slice(2).filter((name) => name in checks);
const work = mkdtempSync(join(tmpdir(), "millrace-consumers-"));

const timed = async (what, f) => {
  const start = Date.now();
  const value = await f();
  console.log(`${what}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
  return value;
};

/** A project of its own with the packed packages: a registry is asked for everything else alone. */
async function install(template, name, tarballs) {
  const dir = join(work, name);
  cpSync(join(root, template), dir, { recursive: true, filter: (path) => !path.includes("node_modules") });
  const manifest = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
  const files = Object.fromEntries(Object.entries(tarballs).map(([key, tarball]) => [key, `file:${tarball}`]));
  writeFileSync(join(dir, "package.json"), JSON.stringify({ ...manifest, dependencies: files, overrides: files }));
  await run(
    "npm",
    ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"],
    dir,
  );
  return dir;
}

try {
  const tarballs = await timed("pack", () => pack([...packageFolders(), ...nativeFolders()], join(work, "packed")));
  const refused = Object.keys(tarballs).filter((name) => tarballs[name] === undefined);
  if (refused.length > 0) throw new Error(`could not be packed: ${refused.join(", ")}`);
  const dir = await timed("install", () => install("tools/consumers/project", "consumer", tarballs));
  const names = Object.keys(tarballs).filter((name) => !name.includes("cpu-native"));
  for (const name of chosen.length > 0 ? chosen : Object.keys(checks)) await checks[name](dir, names);
} finally {
  if (process.argv.includes("--keep")) console.log(`left in ${work}`);
  else rmSync(work, { recursive: true, force: true });
}
console.log(countsLine(results()));
if (results().failed > 0) process.exitCode = 1;
