// Checks with names, and how they came out.
import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";

const execFileAsync = promisify(execFile);
const counts = { passed: 0, failed: 0, skipped: 0 };

/** Runs one check; what it throws is shown. */
export async function check(name, run) {
  const start = Date.now();
  try {
    await run();
    counts.passed++;
    console.log(`ok ${name} (${Date.now() - start} ms)`);
  } catch (error) {
    counts.failed++;
    console.log(`FAILED ${name}\n${String(error?.message ?? error).replace(/^/gm, "    ")}`);
  }
}

/** Counts a check that cannot run here, and says why. */
export function skip(name, why) {
  counts.skipped++;
  console.log(`skipped ${name}: ${why}`);
}

export const results = () => counts;

/** Runs a program and gives all that it prints; rejects with that where it fails. */
export async function run(command, args, cwd) {
  const env = { ...process.env, NODE_PATH: "", NODE_OPTIONS: "" };
  const options = { cwd, env, maxBuffer: 2 ** 28, shell: process.platform === "win32" };
  try {
    const { stdout, stderr } = await execFileAsync(command, args, options);
    return stdout + stderr;
  } catch (error) {
    throw new Error(`${error.message}\n${error.stdout ?? ""}`);
  }
}

/** Throws where `holds` is false. */
export function expect(holds, message) {
  if (!holds) throw new Error(message);
}
