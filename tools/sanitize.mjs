// node tools/sanitize.mjs [--miri]: the Rust tests under AddressSanitizer, leaks included; with --miri those of `program`
// under Miri, where a nightly toolchain has it. Both are for a person to run: the checks of every change need neither.
import { spawnSync } from "node:child_process";
import process from "node:process";

const crates = ["millrace-kernels", "millrace-program", "millrace-cpu"].flatMap((name) => ["-p", name]);

function cargo(args, variables = {}) {
  const { status } = spawnSync("cargo", args, { stdio: "inherit", env: { ...process.env, ...variables } });
  return status ?? 1;
}

if (process.argv.includes("--miri")) {
  process.exitCode = cargo(["+nightly", "miri", "test", "-p", "millrace-program"]);
} else {
  // The sanitizer is not a stable flag of rustc; what it checks is the code that is published.
  const host = spawnSync("rustc", ["--print", "host-tuple"], { encoding: "utf8" }).stdout.trim();
  const build = ["--profile", "dev-fast", "--target", host, "--target-dir", "target/sanitize"];
  const flags = { RUSTC_BOOTSTRAP: "1", RUSTFLAGS: "-Zsanitizer=address" };
  process.exitCode = cargo(["test", ...build, "--lib", ...crates], flags);
}
