// Fuzzes graphs: node tools/fuzz-graphs.mjs [--to 100000] [--from 0] [--chunk 500] [--workers 1] [--again]
// What was done is kept in .test/graph-fuzz.json, so that a run goes on where the last one stopped; `--again` forgets it.
// Failures are printed as code that builds a small graph: it belongs to packages/millrace/test/graph-fuzz/found.ts.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const statePath = `${root}.test/graph-fuzz.json`;
// Within the package whose dependency the native addon is.
const bundle = `${root}packages/backend-cpu-napi/dist/.fuzz-graphs-${process.pid}.mjs`;

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "0" },
    to: { type: "string", default: "100000" },
    chunk: { type: "string", default: "500" },
    workers: { type: "string", default: "1" },
    again: { type: "boolean", default: false },
  },
});
const [from, to, chunk, workers] = [values.from, values.to, values.chunk, values.workers].map(Number);

/** What the seeds of a chunk came to, by its first seed. */
const done = !values.again && existsSync(statePath) ? JSON.parse(readFileSync(statePath, "utf8")) : {};
const open = [];
for (let first = from; first < to; first += chunk) {
  if (!(`${first}+${chunk}` in done)) open.push(first);
}

await build({
  entryPoints: [`${root}packages/millrace/test/graph-fuzz/main.ts`],
  outfile: bundle,
  bundle: true,
  platform: "node",
  format: "esm",
  conditions: ["@millrace/source"],
  external: ["@millrace/cpu-native"],
  banner: {
    js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
  },
  logLevel: "error",
});
try {
  await Promise.all(Array.from({ length: workers }, work));
} finally {
  rmSync(bundle, { force: true });
}

const counts = {};
let failures = 0;
for (const result of Object.values(done)) {
  for (const [name, n] of Object.entries(result.counts)) counts[name] = (counts[name] ?? 0) + n;
  failures += result.failures.length;
}
console.log(JSON.stringify({ ...counts, failures }, null, 2));
process.exitCode = failures > 0 ? 1 : 0;

/** Takes chunks until none is open. */
async function work() {
  for (let first = open.shift(); first !== undefined; first = open.shift()) {
    const result = await fuzz(first, Math.min(first + chunk, to));
    for (const { seed, failed, code } of result.failures) console.log(`seed ${seed}: ${failed}\n${code}\n`);
    done[`${first}+${chunk}`] = result;
    mkdirSync(`${root}.test`, { recursive: true });
    writeFileSync(statePath, JSON.stringify(done));
    console.log(`seeds ${first} to ${Math.min(first + chunk, to) - 1}: ${result.failures.length} failures`);
  }
}

/** A process of its own: a crash is found with its chunk. */
function fuzz(first, end) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bundle, first, end], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (data) => {
      text += data;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve(JSON.parse(text.trim().split("\n").at(-1)));
      else reject(new Error(`seeds ${first} to ${end - 1} ended with ${signal ?? code}`));
    });
  });
}
