// node tools/aarch64.mjs: the kernels' Rust tests on the portable and the NEON path of 64-bit Arm, under qemu. Needs the
// target's std (`rustup target add` is tried), a linker for it and qemu-user, which Debian has: as root they are installed.
// Where one is missing, it says which, and nothing is tested.
import { spawnSync } from "node:child_process";
import process from "node:process";

const target = "aarch64-unknown-linux-gnu";
const linker = "aarch64-linux-gnu-gcc";
const emulator = "qemu-aarch64";
const packages = ["qemu-user", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"];

const run = (command, ...args) => spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
const has = (command) => spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;
const skip = (why) => {
  console.log(`skipped, the kernels on ${target}: ${why}`);
  process.exit(0);
};

if (!has("cargo")) skip("cargo is not installed");
if (!has("rustup") || !run("rustup", "target", "add", target)) skip(`rustup has no ${target}`);
if ((!has(linker) || !has(emulator)) && process.getuid?.() === 0 && has("apt-get")) {
  run("apt-get", "update", "-qq");
  run("apt-get", "install", "-y", "-qq", "--no-install-recommends", ...packages);
}
for (const command of [linker, emulator])
  if (!has(command)) skip(`there is no ${command} (Debian: ${packages.join(" ")})`);

const key = `CARGO_TARGET_${target.toUpperCase().replaceAll("-", "_")}`;
const env = { ...process.env, [`${key}_LINKER`]: linker, [`${key}_RUNNER`]: `${emulator} -L /usr/aarch64-linux-gnu` };
const args = ["test", "--profile", "dev-fast", "--target", target, "-p", "millrace-kernels", "--lib"];
process.exitCode = spawnSync("cargo", [...args, ...process.argv.slice(2)], { stdio: "inherit", env }).status ?? 1;
