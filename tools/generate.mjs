// Runs every generator, tools/gen-*.mjs. `node tools/generate.mjs` writes; `--check` exits 1 where a file is stale.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const generators = readdirSync(folder).filter((name) => /^gen-.*\.mjs$/.test(name));

// gen-methods lists core's ops, which the others load.
const first = "gen-methods.mjs";
const ordered = [first, ...generators.filter((name) => name !== first).sort()];

for (const generator of ordered) {
  const { status } = spawnSync(process.execPath, [folder + generator, ...process.argv.slice(2)], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
