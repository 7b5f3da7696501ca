// node build.mjs [--profile dev-fast|release]: builds the addon and puts it beside the loader and into its platform package.
// The fast profile is for tests and the quickstart, release for publishing. MILLRACE_NATIVE_PROFILE chooses through turbo; there
// "none" leaves the addon out.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { profile: { type: "string" } } });
const profile = values.profile ?? process.env.MILLRACE_NATIVE_PROFILE ?? "dev-fast";

function napi(...args) {
  const { status, error } = spawnSync("napi", args, { stdio: "inherit", shell: process.platform === "win32" });
  if (status !== 0) {
    console.error(`napi ${args.join(" ")}: ${error?.message ?? `exit ${status}`}`);
    process.exit(status || 1);
  }
}

if (profile === "none") {
  // An addon of an earlier build must not be taken, and cached, for this one's.
  for (const folder of [".", ...readdirSync("npm").map((name) => `npm/${name}`)]) {
    for (const name of readdirSync(folder)) if (name.endsWith(".node")) rmSync(`${folder}/${name}`);
  }
  console.error("skipping the addon");
} else if (!existsSync("Cargo.toml")) {
  console.error("native/node has no Cargo.toml: skipping the addon");
} else if (spawnSync("cargo", ["--version"], { stdio: "ignore" }).status !== 0) {
  console.error("cargo is not installed: skipping the addon (Rust: https://rustup.rs)");
} else {
  napi("build", "--platform", "--profile", profile);
  napi("artifacts", "--output-dir", ".", "--npm-dir", "npm");
}
