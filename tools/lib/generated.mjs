// Files that a tool writes and git keeps: in biome's format, or compared under --check.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

const biome = join(dirname(createRequire(import.meta.url).resolve("@biomejs/biome/package.json")), "bin/biome");

/** The text as `biome check --write` leaves it. */
export const format = (path, text) =>
  execFileSync(process.execPath, [biome, "check", "--write", `--stdin-file-path=${path}`], {
    cwd: root,
    input: text,
    encoding: "utf8",
  });

/** Writes a generated file; with --check on the command line compares it instead, and fails where it is stale. */
export function writeGenerated(path, text) {
  const formatted = path.endsWith(".md") ? text : format(path, text); // prose is not formatted
  const file = join(root, path);
  const stale = !existsSync(file) || readFileSync(file, "utf8") !== formatted;
  if (process.argv.includes("--check")) {
    if (!stale) return;
    console.error(`${path} is stale: run node ${process.argv[1]?.slice(root.length)}`);
    process.exitCode = 1;
  } else if (stale) writeFileSync(file, formatted);
}
