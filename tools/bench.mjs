// npm run bench -- [--rounds N] [--json] CASES…: our side of each case beside the peers', interleaved in one run, with the
// ratio to the best of them; writes docs/performance.md. The peers' scripts are ../shared/anchors, installed by their
// setup.sh into $REFS; without them our side runs alone, and nothing is written.
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const anchors = process.env.ANCHORS ?? join(root, "../shared/anchors");
const refs = process.env.REFS ?? join(anchors, "refs");
const python = join(refs, "venv/bin/python");
const threads = process.env.THREADS ?? "2";

const ours = (name) => [process.execPath, join(root, "bench/ours.mjs"), name];
const script = (file, ...args) => [python, join(anchors, file), ...args];
const js = (name, backend) => [process.execPath, join(anchors, "bench.cjs"), name, backend];
/** Peers by case; ours comes first in every round. */
const cases = {
  a: { threads: "1", unit: "ns/op", peers: ["tf", "torch", "jax", "numpy"].map((s) => script("a_dispatch.py", s)) },
  d: { unit: "steps/s", peers: [...["tf", "torch", "jax"].map((s) => script("de_train.py", "d", s)), js("d", "node")] },
  e: { unit: "steps/s", peers: [...["tf", "torch", "jax"].map((s) => script("de_train.py", "e", s)), js("e", "node")] },
};

const args = process.argv.slice(2);
const option = (name, fallback) => (args.includes(name) ? args.splice(args.indexOf(name), 2)[1] : fallback);
const rounds = Number(option("--rounds", "3"));
const json = args.includes("--json");
const names = args.filter((a) => a in cases);
const hasPeers = existsSync(python);
if (!hasPeers) console.error(`no peers in ${refs}: only our side runs`);

/** One program's JSON lines. */
function measure(command, threadCount) {
  const [program, ...rest] = command;
  const env = { ...process.env, THREADS: threadCount, REFS: refs };
  const { stdout } = spawnSync(program, rest, { env, encoding: "utf8", timeout: 400_000, maxBuffer: 2 ** 26 });
  const lines = (stdout ?? "").split("\n").filter((l) => l.startsWith('{"case"'));
  if (json) for (const line of lines) console.log(line);
  return lines.map((l) => JSON.parse(l));
}

const tables = [];
for (const name of names.length > 0 ? names : Object.keys(cases)) {
  const { peers, unit, threads: fixed } = cases[name];
  const bySystem = new Map();
  for (let round = 0; round < rounds; round++) {
    for (const command of hasPeers ? [ours(name), ...peers] : [ours(name)]) {
      for (const line of measure(command, fixed ?? threads)) {
        bySystem.set(line.system, [...(bySystem.get(line.system) ?? []), line]);
      }
    }
    console.error(`case ${name}: round ${round + 1} of ${rounds}`);
  }
  tables.push(table(name, unit, bySystem));
}
const text = tables.join("\n");
if (!json) console.log(text);
if (hasPeers) writeFileSync(join(root, "docs/performance.md"), page(text));

/** Each system's median of its rounds' medians, the best first, and our ratio to the best peer. */
function table(name, unit, bySystem) {
  const low = unit === "ns/op";
  const middle = (xs) => xs.sort((a, b) => a - b)[xs.length >> 1];
  const rows = [...bySystem].map(([system, lines]) => ({ system, value: middle(lines.map((l) => l.median)), lines }));
  rows.sort((a, b) => (low ? a.value - b.value : b.value - a.value));
  const best = rows.find((r) => !r.system.startsWith("millrace"));
  const body = rows.map(({ system, value }) => {
    const ratio = best ? (low ? best.value / value : value / best.value).toFixed(2) : "";
    return `| ${system.startsWith("millrace") ? `**${system}**` : system} | ${value} | ${ratio} |`;
  });
  const title = [...bySystem.values()][0]?.[0]?.case ?? name;
  return `### ${title}\n\n| system | ${unit} | times the best peer |\n|---|---|---|\n${body.join("\n")}\n`;
}

function page(text) {
  const cpu = os.cpus()[0]?.model.trim() ?? "unknown";
  const date = new Date().toISOString().slice(0, 10);
  return `# Performance

Both sides interleaved in one run of \`npm run bench\`, ${rounds} rounds; the median of each system's rounds. Other machines give other figures: the
ratios count. ${date}, ${cpu}, ${os.availableParallelism()} cores, ${threads} threads (case a: 1), Node ${process.versions.node}.

${text}`;
}
