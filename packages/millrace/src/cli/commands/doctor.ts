// `millrace doctor`: is this installation whole, and how fast is this machine?
import process from "node:process";
import { machineChecks } from "../checks/machine.js";
import { nativeChecks } from "../checks/native.js";
import { packageChecks } from "../checks/packages.js";
import { speedChecks } from "../checks/speed.js";
import { print, printJson, table } from "../output.js";

const marks = { ok: "ok", warn: "warning", fail: "FAILED" };

/** Prints the checks; the process exits with 1 where one failed. */
export async function doctor(options: { readonly json?: boolean }): Promise<void> {
  const checks = [...machineChecks(), ...packageChecks(process.cwd()), ...(await nativeChecks())];
  checks.push(...(await speedChecks()));
  const ok = checks.every((check) => check.status !== "fail");
  if (options.json) printJson({ ok, checks });
  else {
    print(table(checks.map((check) => [check.name, marks[check.status], check.found])));
    for (const { name, advice } of checks) if (advice) print(`\n${name}: ${advice}`);
  }
  if (!ok) process.exitCode = 1;
}
