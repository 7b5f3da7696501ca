// What memory costs without dispose: `node bench/memory.mjs` prints one JSON line a case, each run in a process of its own.
// adds: 10⁶ adds of [8] in one synchronous loop, and in one with only `await null`; resident bytes must stay low.
// window: a first-in-first-out window of live 1 MB tensors, with and without 10⁶ live user objects, beside the same loop
// with dispose(): the ratio of the times, and what is resident beyond what was before.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import * as tf from "millrace";

const megabyte = 1e6;
const resident = () => process.memoryUsage.rss() / megabyte;
const [mode, ...rest] = process.argv.slice(2);

async function adds(awaits) {
  const x = tf.ones([8]);
  const before = resident();
  let peak = before;
  let y = x;
  const start = performance.now();
  for (let i = 0; i < 1e6; i++) {
    y = tf.add(y, x);
    if (awaits) await null;
    if (i % 4096 === 0) peak = Math.max(peak, resident());
  }
  const ms = performance.now() - start;
  return {
    case: `10^6 adds, ${awaits ? "await null" : "synchronous"}`,
    peakMB: Math.round(peak),
    nsPerAdd: Math.round(ms),
  };
}

/** `steps` ops through a window of `live` tensors of 1 MB. */
function fifo(live, steps, disposes) {
  const x = tf.ones([250_000]);
  const window = Array.from({ length: live }, () => tf.add(x, x));
  const before = resident();
  let peak = before;
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let i = 0; i < steps; i++) {
    const old = window[i % live];
    window[i % live] = tf.add(x, x);
    if (disposes) old.dispose();
    if (i % 64 === 0) peak = Math.max(peak, resident());
  }
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - start, cpuMs: (user + system) / 1e3, addedMB: Math.round(peak - before) };
}

function window(live, objects, disposes) {
  globalThis.kept = Array.from({ length: objects }, (_, i) => ({ i, list: [i] }));
  fifo(live, 500, disposes);
  return fifo(live, 6000, disposes);
}

if (mode === "adds") console.log(JSON.stringify(await adds(rest[0] === "await")));
else if (mode === "window")
  console.log(JSON.stringify(window(Number(rest[0]), Number(rest[1]), rest[2] === "dispose")));
else {
  const self = fileURLToPath(import.meta.url);
  const run = (...args) => JSON.parse(spawnSync(process.execPath, [self, ...args], { encoding: "utf8" }).stdout);
  for (const how of ["sync", "await"]) console.log(JSON.stringify(run("adds", how)));
  for (const live of [16, 64, 256]) {
    for (const objects of [0, 1_000_000]) {
      const [collected, disposed] = ["collect", "dispose"].map((how) => run("window", `${live}`, `${objects}`, how));
      const ratio = Number((collected.ms / disposed.ms).toFixed(2));
      const cpuRatio = Number((collected.cpuMs / disposed.cpuMs).toFixed(2));
      const bound = Math.round(2.2 * live + 150);
      console.log(
        JSON.stringify({
          case: `window of ${live} MB, ${objects} objects`,
          ratio,
          cpuRatio,
          addedMB: collected.addedMB,
          bound,
        }),
      );
    }
  }
}
