// node tools/check-packages.mjs: packs every built package as it would be published, and lets publint and attw judge it.
import { join } from "node:path";
import process from "node:process";
import { root } from "./lib/generated.mjs";
import { pack, packageFolders, tool } from "./lib/pack.mjs";

const failed = Object.entries(pack(packageFolders(), join(root, ".test/packed"))).filter(([name, tarball]) => {
  const ok =
    tarball !== undefined &&
    tool("publint", ["run", tarball, "--strict"]) &&
    tool("attw", [tarball, "--profile", "esm-only", "--format", "table-flipped"]);
  console.log(`${name}: ${ok ? "ok" : "refused"}`);
  return !ok;
});
if (failed.length > 0) process.exitCode = 1;
