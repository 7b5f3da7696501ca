// What a process that does one op takes beyond one that does nothing: wall time and peak resident memory.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { lineOf } from "./measure.mjs";

/** Milliseconds from start to end, and MB at the peak, of a process that evaluates a module. */
function runOnce(source) {
  // Node makes the stream process.stdout when it is first used, which takes longer than a small import.
  const tell = "process.getBuiltinModule('fs').writeSync(1, String(process.resourceUsage().maxRSS))";
  const code = `${source}; ${tell}`;
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    // The package that knows both core and the backend.
    cwd: new URL("../../packages/millrace", import.meta.url),
    encoding: "utf8",
  });
  const milliseconds = performance.now() - start;
  if (status !== 0) throw new Error(stderr);
  return { milliseconds, megabytes: Number(stdout) / 1024 };
}

/** A task that starts the program and bare node in turn, and takes the difference. */
export function startup({ name, source, field, unit }) {
  return {
    async measure({ system, budget }) {
      const beyond = [];
      const end = performance.now() + budget * 1e3;
      do {
        const [bare, full] = ["", source].map(runOnce);
        beyond.push(full[field] - bare[field]);
      } while (performance.now() < end);
      const what = { name, system, unit, low: true, rate: (x) => x };
      return lineOf(what, { wall: beyond, cpu: beyond });
    },
  };
}
