// Lists the files with library kernels, those that have `pub const KERNELS`, in the mod.rs of their folder in native/kernels/src.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "./lib/generated.mjs";

const [start, end] = ["// The files with kernels, as tools/generate.mjs finds them:\n", "// End of the files.\n"];
const source = "native/kernels/src";

/** As rustfmt writes it: on one line, on the next, or one line an entry. */
function list(entries) {
  const name = "pub const TABLES: &[crate::KernelTable] =";
  const all = `&[${entries.join(", ")}];`;
  if (name.length + all.length < 120) return `${name} ${all}\n`;
  if (all.length <= 116) return `${name}\n    ${all}\n`;
  return `${name} &[\n${entries.map((entry) => `    ${entry},\n`).join("")}];\n`;
}

for (const folder of readdirSync(join(root, source), { withFileTypes: true })) {
  if (!folder.isDirectory()) continue;
  const at = join(root, source, folder.name);
  const files = readdirSync(at)
    .filter((name) => name.endsWith(".rs") && /^pub const KERNELS\b/m.test(readFileSync(join(at, name), "utf8")))
    .map((name) => name.replace(/\.rs$/, ""))
    .sort();
  const text = readFileSync(join(at, "mod.rs"), "utf8");
  const [before, rest] = text.split(start);
  if (rest === undefined) {
    if (files.length > 0) throw new Error(`${source}/${folder.name}/mod.rs has no line "${start.trim()}" for ${files}`);
    continue;
  }
  const modules = files.map((name) => `mod ${name};\n`).join("");
  const listed = `${modules}\n${list(files.map((name) => `${name}::KERNELS`))}`;
  const written = before + start + listed + end + rest.slice(rest.indexOf(end) + end.length);
  if (written === text) continue;
  if (process.argv.includes("--check")) {
    console.error(`stale: ${source}/${folder.name}/mod.rs; run node tools/generate.mjs`);
    process.exitCode = 1;
  } else writeFileSync(join(at, "mod.rs"), written);
}
