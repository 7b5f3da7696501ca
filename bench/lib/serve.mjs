// A side of a case as a process. Alone it measures its tasks and prints their lines; with `--serve` it stays, measures one round
// of a task for each line on stdin, and sleeps in between:
//   in   {"task":"b.1024","budget":0.6}   out   one JSON line in the anchors' format
//   in   {"memory":true}                  out   {"memory":{"import":…,"peak":…}}, MB
// What cannot be measured is answered with {"error":…}. `--list` prints {case: {system: [task, …]}}.
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
 * Runs what the command line asks for.
 * @param cases `{ case: { system: { task: (library) => ({ measure }) } } }`; a task is set up when it is first asked for
 * @param load imports the library of a system, before memory counts
 */
export async function serve(cases, load = () => undefined) {
  const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
  const flags = process.argv.slice(2);
  const [id, ...names] = flags.filter((argument) => !argument.startsWith("--"));
  if (flags.includes("--list")) {
    const tasksOf = (systems) => mapValues(systems, (tasks) => Object.keys(tasks));
    return print(mapValues(cases, tasksOf));
  }
  const systems = cases[id];
  if (!systems) {
    console.error(`usage: ${process.argv[1]} ${Object.keys(cases).join("|")} [SYSTEM…] [--serve]`);
    process.exit(2);
  }
  const failed = (error) => ({ error: `${error?.code ?? error?.name}: ${error?.message}`.split("\n")[0] });
  if (!flags.includes("--serve")) {
    for (const name of names.length > 0 ? names : Object.keys(systems)) {
      const library = await load(name);
      for (const [task, setUp] of Object.entries(systems[name])) {
        const line = Promise.resolve(setUp(library)).then((ready) => ready.measure({ system: name, budget: 3 }));
        print(await line.catch((error) => ({ task, system: name, ...failed(error) })));
      }
    }
    return;
  }
  const [name] = names;
  const library = await load(name);
  const imported = resident("VmRSS");
  resetPeak();
  const ready = new Map();
  async function measure(task, budget) {
    if (!ready.has(task)) ready.set(task, await systems[name][task](library));
    return ready.get(task).measure({ system: name, budget });
  }
  for await (const line of createInterface({ input: process.stdin })) {
    const { task, budget = 0.6, memory } = JSON.parse(line);
    if (memory) print({ memory: { import: imported, peak: resident("VmHWM") } });
    else print(await measure(task, budget).catch((error) => ({ task, system: name, ...failed(error) })));
  }
}

const mapValues = (object, f) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, f(value)]));
