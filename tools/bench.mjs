// npm run bench -- [--json] [--quick] CASES…: our side of each case beside the peers, interleaved in one run; writes
// bench/results.json and docs/performance.md. See bench/README.md.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Contender, machine } from "../bench/lib/contender.mjs";
import { details, merged, page, summary } from "../bench/lib/page.mjs";
import { runCase } from "../bench/lib/run-case.mjs";
import { table } from "../bench/table.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, quick: { type: "boolean", default: false } },
});
const unknown = positionals.filter((id) => !(id in table));
if (unknown.length > 0) {
  console.error(`no case ${unknown.join(", ")}: there are ${Object.keys(table).join(", ")}`);
  process.exit(2);
}
const ids = positionals.length > 0 ? positionals : Object.keys(table);

const refs = process.env.REFS ?? join(root, "../shared/anchors/refs");
process.env.REFS = refs;
// Nothing is written beside the peers' sources.
process.env.PYTHONDONTWRITEBYTECODE = "1";
const python = join(refs, "venv/bin/python");
const peers = join(root, "bench/peers");

/** Every program that can measure, each asked what. */
const programs = [[process.execPath, join(root, "bench/ours.mjs")]];
if (existsSync(python)) {
  const files = readdirSync(peers).filter((file) => file.startsWith("peer_"));
  programs.push(...files.map((file) => [python, join(peers, file)]));
} else console.error(`no Python peers in ${refs}: see bench/README.md`);
if (existsSync(join(refs, "js/node_modules"))) programs.push([process.execPath, join(peers, "tfjs.mjs")]);

const listed = programs.map(([program, file]) => ({
  command: [program, file],
  cases: JSON.parse(execFileSync(program, [file, "--list"], { encoding: "utf8" })),
}));

/** The systems that have one of a case's tasks, each a process of its own. */
const contendersOf = (id, threads) =>
  listed.flatMap(({ command, cases }) =>
    Object.entries(cases[id] ?? {}).map(([system, tasks]) => ({
      tasks,
      contender: new Contender(system, [...command, id, system, "--serve"], { threads }),
    })),
  );

/** Versions of the peers that are npm packages. */
const jsVersions = ["@tensorflow/tfjs", "@tensorflow/tfjs-node", "onnxruntime-node"].flatMap((name) => {
  const file = join(refs, "js/node_modules", name, "package.json");
  return existsSync(file) ? [[name, JSON.parse(readFileSync(file, "utf8")).version]] : [];
});
const versions = {
  node: process.versions.node,
  ...(existsSync(python) ? JSON.parse(execFileSync(python, [join(peers, "versions.py")], { encoding: "utf8" })) : {}),
  ...Object.fromEntries(jsVersions),
};
const stamp = { date: new Date().toISOString().slice(0, 10), machine: machine(), versions };

const start = performance.now();
const minutes = () => `${((performance.now() - start) / 60e3).toFixed(1)} min`;
const resultsFile = join(root, "bench/results.json");
for (const id of ids) {
  for (const threads of table[id].threads) {
    const rows = await runCase(table[id], contendersOf(id, threads), {
      rounds: values.quick ? 5 : 15,
      log: (text) => console.error(`[${minutes()}] ${text}`),
      onLine: (line) => values.json && console.log(JSON.stringify(line)),
    });
    const hasPeers = listed.length > 1;
    for (const row of rows) if (values.json) console.log(JSON.stringify({ row }));
    // Without the peers there is nothing to compare: results and page stay as they are.
    const found = rows.map((row) => ({ ...row, threads, quick: values.quick, ...stamp }));
    if (hasPeers) saveResults(found);
    else if (!values.json) for (const row of found) console.log(details(row));
  }
}

/** Rows of other cases stay. */
function saveResults(rows) {
  const results = merged(existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, "utf8")) : [], rows, table);
  writeFileSync(resultsFile, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(root, "docs/performance.md"), page(results));
  if (!values.json) console.log(summary(rows));
}
