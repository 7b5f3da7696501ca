// node tools/references.mjs: installs the real programs of references.txt into .refs/venv, once for each state of that file.
// Exits 1, saying why, where that cannot be done: tests that need them are then skipped by name, or fail in CI.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, ".refs");
const venv = join(folder, "venv");
const mark = join(folder, "installed.txt");
const python = join(venv, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
const wanted = readFileSync(join(root, "tools/references.txt"), "utf8");

if (existsSync(mark) && existsSync(python) && readFileSync(mark, "utf8") === wanted) process.exit(0);

const start = Date.now();
console.error("Installing the programs that tests compare with into .refs/venv; this takes minutes, once.");
mkdirSync(folder, { recursive: true });
rmSync(mark, { force: true });
run("python3", ["-m", "venv", "--clear", venv]);
for (const args of installs(wanted))
  run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...args]);
writeFileSync(mark, wanted);
console.error(`[${((Date.now() - start) / 1000).toFixed(1)} s] references`);

/** The arguments of each call of pip: all plain lines at once, then each line that has a flag of its own. */
function installs(text) {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const plain = lines.filter((line) => !line.startsWith("-"));
  return [plain, ...lines.filter((line) => line.startsWith("-")).map((line) => line.split(" "))];
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status === 0) return;
  console.error(`${command} ${args.join(" ")}: ${error?.message ?? `exit ${status}`}`);
  console.error("The reference programs are not installed: Python 3.10 or later with its venv module is needed.");
  process.exit(1);
}
