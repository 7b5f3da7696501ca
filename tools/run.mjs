// node tools/run.mjs <install|build|test|quickstart|lint|typecheck|bench|references> [arguments]: what the scripts of package.json call.
// Brings a clean clone up by itself; needs only node and npm, and cargo for the native backend. Prints each step's time.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { cargoCounts, countsLine, jestCounts, judged, lineCounts, sum } from "./lib/counts.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
process.env.PATH = join(root, "node_modules", ".bin") + delimiter + process.env.PATH;
process.env.TURBO_TELEMETRY_DISABLED = "1";

const hasCargo = spawnSync("cargo", ["--version"], { stdio: "ignore" }).status === 0;
const native = existsSync("native/node/Cargo.toml") && hasCargo;
// "none" leaves the addon out; turbo counts the variable into the task's key.
const chosenProfile = process.env.MILLRACE_NATIVE_PROFILE;
process.env.MILLRACE_NATIVE_PROFILE ??= native ? "dev-fast" : "none";

/** Runs one step with its output shown or, where `pipe` says so, given back as well. */
function step(command, args, { pipe = false } = {}) {
  const start = Date.now();
  const result = spawnSync(command, args, {
    stdio: ["ignore", pipe ? "pipe" : "inherit", "inherit"],
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    shell: process.platform === "win32",
  });
  if (pipe) process.stdout.write(result.stdout ?? "");
  const ok = result.status === 0;
  const name = [command === process.execPath ? "node" : command, ...args].join(" ");
  const end = ok ? "" : `: ${result.error?.message ?? `exit ${result.status ?? result.signal}`}`;
  console.error(`[${((Date.now() - start) / 1000).toFixed(1)} s] ${name.replaceAll(root, "")}${end}`);
  return { ok, stdout: result.stdout ?? "" };
}

/** Runs a step that the rest depends on. */
function must(command, ...args) {
  if (!step(command, args).ok) process.exit(1);
}

const node = (...args) => step(process.execPath, args);
const turbo = (...args) => must("turbo", "run", ...args, "--output-logs=errors-only", "--concurrency=2");
/** Whether the native backend can be built; says so where not. */
const nativeOrSay = () => {
  if (!native)
    console.error(`The native backend is left out: ${hasCargo ? "it has no crate yet" : "cargo is not installed"}.`);
  return native;
};
const buildNative = () => {
  if (nativeOrSay()) turbo("build", "--filter=@millrace/cpu-native");
};

function install() {
  const time = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);
  if (time("node_modules/.modules.yaml") >= time("pnpm-lock.yaml")) return;
  must("npx", "--yes", JSON.parse(readFileSync("package.json", "utf8")).packageManager, "install", "--frozen-lockfile");
}

function jest(args) {
  const file = ".test/jest.json";
  mkdirSync(".test", { recursive: true });
  rmSync(file, { force: true });
  const flags = ["--experimental-vm-modules", "--no-warnings", "node_modules/jest/bin/jest.js"];
  const { ok } = node(...flags, "--json", `--outputFile=${file}`, ...args);
  return judged(ok, existsSync(file) ? jestCounts(JSON.parse(readFileSync(file, "utf8"))) : undefined);
}

function typeTests() {
  if (!existsSync("tools/type-tests.mjs")) return [];
  const { ok, stdout } = step(process.execPath, ["tools/type-tests.mjs"], { pipe: true });
  return [judged(ok, lineCounts(stdout))];
}

function cargoTests() {
  const crates = readdirSync("native").some((name) => existsSync(`native/${name}/Cargo.toml`));
  if (!crates || !hasCargo) {
    console.error(`No Rust tests: ${crates ? "cargo is not installed" : "there is no crate yet"}.`);
    return [];
  }
  const flags = ["--quiet", "--workspace", "--profile", "dev-fast", "--no-fail-fast"];
  const { ok, stdout } = step("cargo", ["test", ...flags], { pipe: true });
  return [judged(ok, cargoCounts(stdout))];
}

/** The real programs that tests compare with; without them those tests are skipped by name, or fail where CI asks. */
const references = () => process.env.MILLRACE_REFERENCES === "none" || node("tools/references.mjs").ok;

/** With arguments, jest alone runs with them. */
function test(args) {
  if (args.length === 0) references();
  buildNative();
  const total = sum([jest(args), ...(args.length === 0 ? [...typeTests(), ...cargoTests()] : [])]);
  console.log(countsLine(total));
  return total.failed === 0;
}

function quickstart(args) {
  nativeOrSay();
  turbo("build");
  if (existsSync("examples/quickstart/main.mjs"))
    return node("--enable-source-maps", "examples/quickstart/main.mjs", ...args).ok;
  console.error("There is no examples/quickstart/main.mjs yet.");
  return true;
}

function lint() {
  const results = [
    step("biome", ["check", "--error-on-warnings", "."]),
    node("tools/check-style.mjs"),
    node("tools/check-layers.mjs"),
  ];
  return results.every(({ ok }) => ok);
}

/** Checks every package as a browser or Node would see it, and all tests, on both compilers. */
function typecheck() {
  buildNative();
  const projects = [...readdirSync("packages").map((name) => `packages/${name}`), "tsconfig.test.json"];
  const results = ["typescript", "ts7"].flatMap((compiler) =>
    projects.filter((path) => existsSync(path)).map((path) => node(`node_modules/${compiler}/bin/tsc`, "-p", path)),
  );
  return results.every(({ ok }) => ok);
}

/** Speed is that of what is published. */
function bench(args) {
  if (native && !chosenProfile) process.env.MILLRACE_NATIVE_PROFILE = "release";
  turbo("build");
  return node("tools/bench.mjs", ...args).ok;
}

const build = (args) => {
  turbo("build", ...args);
  return true;
};

const commands = { install: () => true, build, test, quickstart, lint, typecheck, bench, references };
const [name = "", ...args] = process.argv.slice(2);
if (!(name in commands)) {
  console.error(`usage: node tools/run.mjs <${Object.keys(commands).join("|")}> [arguments]`);
  process.exit(2);
}
install();
process.exitCode = commands[name](args) ? 0 : 1;
