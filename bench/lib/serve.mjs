// A side of a case as a process. Alone it measures its tasks and prints their lines; with `--serve` it stays, measures one round
// of a task for each line on stdin, and sleeps in between:
//   in   {"task":"b.1024","budget":0.6}   out   one JSON line in the anchors' format
//   in   {"memory":true}                  out   {"memory":{"import":…,"peak":…}}, MB
// What cannot be measured is answered with {"error":…}.
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";

/** MB resident: now (VmRSS), or at most since the last reset (VmHWM). */
function resident(field) {
  try {
    return Number(/(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8").split(`${field}:`)[1])[1]) / 1024;
  } catch {
    return undefined; // no Linux
  }
}

/** From here on the peak counts, not what the import needed for a moment. */
function resetPeak() {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // no Linux: there is no peak to report
  }
}

/**
 * Runs the systems of a case, `{ name: { task: () => { measure } } }`. A task is set up when it is first asked for.
 * @param names what to run alone; all unless given. With `--serve` the one system to serve
 */
export async function serve(systems, names, args) {
  const imported = resident("VmRSS");
  resetPeak();
  const tasks = new Map();
  async function measure(system, task, budget) {
    const key = `${system} ${task}`;
    if (!tasks.has(key)) tasks.set(key, await systems[system][task]());
    return tasks.get(key).measure({ system, budget });
  }
  const memory = () => ({ memory: { import: imported, peak: resident("VmHWM") } });
  const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
  const failed = (error) => ({ error: `${error?.code ?? error?.name}: ${error?.message}`.split("\n")[0] });
  if (!args.includes("--serve")) {
    for (const name of names.length > 0 ? names : Object.keys(systems)) {
      for (const task of Object.keys(systems[name])) {
        print(await measure(name, task, 3).catch((error) => ({ task, system: name, ...failed(error) })));
      }
    }
    return;
  }
  const [name] = names;
  for await (const line of createInterface({ input: process.stdin })) {
    const { task, budget = 0.6, memory: wantsMemory } = JSON.parse(line);
    if (wantsMemory) print(memory());
    else print(await measure(name, task, budget).catch(failed));
  }
}
