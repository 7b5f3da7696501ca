// node tools/check-packages.mjs: packs every built package as it would be published, and lets publint and attw judge it.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const out = resolve(".test/packed");
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

function run(command, args, cwd = ".") {
  const bin = resolve("node_modules/.bin", command);
  const { status, stdout, stderr, error } = spawnSync(bin, args, {
    cwd,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  const ok = status === 0;
  if (!ok) console.log(`${command} ${args.join(" ")}\n${error?.message ?? stdout + stderr}`);
  return ok;
}

const failed = readdirSync("packages").filter((name) => {
  const { name: full, version } = JSON.parse(readFileSync(join("packages", name, "package.json"), "utf8"));
  const tarball = join(out, `${full.replace("@", "").replace("/", "-")}-${version}.tgz`);
  const ok =
    run("pnpm", ["pack", "--pack-destination", out], join("packages", name)) &&
    run("publint", ["run", tarball, "--strict"]) &&
    run("attw", [tarball, "--profile", "esm-only", "--format", "table-flipped"]);
  console.log(`${full}: ${ok ? "ok" : "refused"}`);
  return !ok;
});
if (failed.length > 0) process.exit(1);
