// node tools/consumers.mjs [types node browser example]: what users meet. Packs every public package, installs the tarballs
// with npm into projects outside of the repository, and checks them there. Ends with `N passed, N failed`. --keep leaves the
// projects where they are.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { checkBrowser } from "./consumers/browser.mjs";
import { results, run } from "./consumers/checks.mjs";
import { checkExample } from "./consumers/example.mjs";
import { checkNode } from "./consumers/node.mjs";
import { checkTypes } from "./consumers/types.mjs";
import { countsLine } from "./lib/counts.mjs";
import { root } from "./lib/generated.mjs";
import { nativeFolders, pack, packageFolders } from "./lib/pack.mjs";

/** Checks of the project that has every package. */
const checks = { types: checkTypes, node: checkNode, browser: checkBrowser };
const chosen = process.argv.slice(2).filter((name) => name === "example" || name in checks);
const work = mkdtempSync(join(tmpdir(), "millrace-consumers-"));

const timed = async (what, f) => {
  const start = Date.now();
  const value = await f();
  console.log(`${what}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
  return value;
};

/** Copies a project out of the repository and installs it, with the tarballs of its `wanted` packages. */
async function install(template, tarballs, wanted) {
  const dir = join(work, basename(template));
  const built = /[\\/](node_modules|dist)([\\/]|$)/;
  cpSync(join(root, template), dir, { recursive: true, filter: (path) => !built.test(path.slice(root.length)) });
  const manifest = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
  const names = Object.keys(tarballs).filter((name) => wanted(name, manifest));
  const files = Object.fromEntries(names.map((name) => [name, `file:${tarballs[name]}`]));
  const devDependencies = { ...manifest.devDependencies, ...files };
  writeFileSync(join(dir, "package.json"), JSON.stringify({ ...manifest, devDependencies }));
  await run("npm", ["install", ...installFlags], dir);
  return dir;
}

const installFlags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
const everything = () => true;
const ownDependencies = (name, { devDependencies }) => name in devDependencies;
const chose = (names) => chosen.length === 0 || names.some((name) => chosen.includes(name));

try {
  const tarballs = await timed("pack", () => pack([...packageFolders(), ...nativeFolders()], join(work, "packed")));
  const refused = Object.keys(tarballs).filter((name) => tarballs[name] === undefined);
  if (refused.length > 0) throw new Error(`could not be packed: ${refused.join(", ")}`);
  const names = Object.keys(tarballs).filter((name) => !name.includes("cpu-native"));
  if (chose(Object.keys(checks))) {
    const dir = await timed("install", () => install("tools/consumers/project", tarballs, everything));
    for (const [name, run] of Object.entries(checks)) if (chose([name])) await run(dir, names);
  }
  for (const example of chose(["example"]) ? ["custom-op", "custom-backend"] : []) {
    const dir = await timed("install", () => install(`examples/${example}`, tarballs, ownDependencies));
    await checkExample(example, dir);
  }
} finally {
  if (process.argv.includes("--keep")) console.log(`left in ${work}`);
  else rmSync(work, { recursive: true, force: true });
}
console.log(countsLine(results()));
if (results().failed > 0) process.exitCode = 1;
