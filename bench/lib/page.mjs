// docs/performance.md from rows of results.

/** The rows with new ones in the place of those of the same task and threads, in the table's order. */
export function merged(old, rows, table) {
  const key = ({ task, threads }) => `${task} ${threads}`;
  const all = new Map([...old, ...rows].map((row) => [key(row), row]));
  const keys = Object.values(table).flatMap(({ threads, tasks }) =>
    Object.keys(tasks).flatMap((task) => threads.map((count) => key({ task, threads: count }))),
  );
  return keys.flatMap((one) => all.get(one) ?? []);
}

const two = (x) => (x >= 100 ? x.toFixed(0) : x.toFixed(2));
const three = (x) => (x >= 1000 ? Math.round(x).toLocaleString("en") : String(Number(x.toPrecision(3))));
const bold = (text, isBold) => (isBold ? `**${text}**` : text);
const interval = ({ median, low, high }) => `${two(median)} [${two(low)}, ${two(high)}]`;
const threadsOf = ({ threads }) => (threads === 1 ? "1 thread" : `${threads} threads`);
const verdict = (bar, against) => {
  if (!bar) return "";
  const text = bar.ratio === undefined ? three(bar.value) : `${bar.ratio} × ${against}`.trim();
  return `${text}: ${bar.holds ? "holds" : "no"}`;
};

/** One line a row: our best, the best peer, how many times as fast, and the bars. */
export function summary(rows) {
  const lines = rows.map((row) => {
    const { ours, peer, ratio, against = "", bars = [], checks = [] } = row;
    const bar = (name) =>
      verdict(
        bars.find((one) => one.name === name),
        against,
      );
    const figure = (one) => (one ? `${three(one.median)} ${row.unit}` : "not there");
    const judged = checks.filter(({ holds }) => holds !== undefined);
    const checked = judged.map(({ name, holds }) => `; ${name}: ${holds ? "holds" : "no"}`).join("");
    const cells = [
      `${row.title}, ${threadsOf(row)}`,
      ours ? figure(ours) : (row.errors?.find(({ system }) => system.startsWith("millrace"))?.error ?? "not there"),
      peer ? `${figure(peer)} (${peer.system})` : "",
      ratio ? interval(ratio) : "",
      `${bar("at least")}${checked}`,
      bar("stretch"),
    ];
    return `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  const head = "| case | Millrace | best peer | times as fast | at least | stretch |\n|---|---|---|---|---|---|";
  return `${head}\n${lines.join("\n")}\n`;
}

/** Peaks of memory: ours where it is fastest, and the least of the peers. */
function memorySummary(rows) {
  const lines = rows.flatMap(({ title, memory = [], ours }) => {
    const own = memory.find(({ system }) => system === ours?.system);
    const peer = memory.find(({ system }) => !system.startsWith("millrace"));
    if (!own || !peer) return [];
    const verdict = own.megabytes <= peer.megabytes ? "holds" : "no";
    return [`| ${title} | ${own.megabytes} | ${peer.megabytes} (${peer.system}) | ${verdict} |`];
  });
  const head =
    "| peak memory beyond the process after its import, MB | Millrace | least peer | at or below |\n|---|---|---|---|";
  return lines.length > 0 ? `\n${head}\n${lines.join("\n")}\n` : "";
}

/** All systems of a row. */
export function details(row) {
  const best = row.peer?.median;
  const lines = row.systems.map(({ system, value, rounds }) => {
    const times = best ? (row.low ? best / value : value / best).toFixed(2) : "";
    return `| ${bold(system, system.startsWith("millrace"))} | ${three(value)} | ${times} | ${rounds} |`;
  });
  const notes = [
    ...(row.checks ?? []).map(({ name, text }) => `${name}: ${text}.`),
    ...(row.errors ?? []).map(({ system, error }) => `${system} did not run: ${error}.`),
    ...(row.idle ? [`A process that waited used up to ${Math.round(100 * row.idle)} % of a core meanwhile.`] : []),
  ];
  const memory = row.memory ? `\n${memoryTable(row.memory)}` : "";
  const title = `### ${row.title}, ${threadsOf(row)}\n\n${row.case}${row.quick ? ", a quick run" : ""}\n`;
  const head = `| system | ${row.unit} | times ${row.peer?.system ?? ""} | rounds |\n|---|---|---|---|`;
  return `${title}\n${head}\n${lines.join("\n")}\n${notes.map((note) => `\n${note}\n`).join("")}${memory}`;
}

function memoryTable(memory) {
  const lines = memory.map(
    ({ system, megabytes }) => `| ${bold(system, system.startsWith("millrace"))} | ${megabytes} |`,
  );
  return `| peak memory beyond the process after its import | MB |\n|---|---|\n${lines.join("\n")}\n`;
}

/** Every program of the rows with its version; all of them where rows differ. */
function versionsOf(rows) {
  const found = new Map();
  for (const { versions } of rows) {
    for (const [name, version] of Object.entries(versions))
      found.set(name, (found.get(name) ?? new Set()).add(version));
  }
  return [...found].map(([name, versions]) => `${name} ${[...versions].join(" and ")}`).join(", ");
}

/** Dates, machines and versions: one line each where all rows agree. */
function conditions(rows) {
  const distinct = (f) => [...new Set(rows.map(f))];
  const machines = distinct(
    ({ machine }) => `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}`,
  );
  const dates = distinct(({ date }) => date).sort();
  const quick = rows.filter((row) => row.quick).map(({ title }) => title);
  return [
    `- Measured: ${dates.join(", ")}`,
    ...machines.map((machine) => `- Machine: ${machine}`),
    `- Versions: ${versionsOf(rows)}`,
    ...(quick.length > 0 ? [`- Of five rounds only: ${[...new Set(quick)].join("; ")}`] : []),
  ].join("\n");
}

export function page(rows) {
  return `# Performance

Written by \`npm run bench\` ([how](../bench/README.md)): our side and the peers' in turn, in one run, on the same cores. Ratios count,
not absolute figures: the median over the rounds of our figure beside that of the best peer in the same round, with its 95 % bootstrap
interval. A bar holds when the interval reaches it and the median misses it by no more than 3 %. One thread is measured by CPU time.

${conditions(rows)}

${summary(rows)}${memorySummary(rows)}
## All systems

Three rounds of every system choose those of the rounds that count; the others' figures are of those three.

${rows.map(details).join("\n")}`;
}
