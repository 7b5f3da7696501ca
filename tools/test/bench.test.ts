// The harness of bench/: what it may claim from figures, and whole contests between programs that only say numbers.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Contender } from "../../bench/lib/contender.mjs";
import { merged, page } from "../../bench/lib/page.mjs";
import type { Row } from "../../bench/lib/rounds.mjs";
import { runCase } from "../../bench/lib/run-case.mjs";
import { bootstrap, holds, ratios } from "../../bench/lib/statistics.mjs";
import { table } from "../../bench/table.mjs";

describe("the bootstrap", () => {
  test("of one value has no width", () => {
    expect(bootstrap([1.5, 1.5, 1.5])).toEqual({ median: 1.5, low: 1.5, high: 1.5 });
  });

  test("lies around the median, is the same each time, and narrows with more rounds", () => {
    const spread = (n: number): number[] => Array.from({ length: n }, (_, i) => 1 + (i % 5) / 10);
    const [few, many] = [bootstrap(spread(10)), bootstrap(spread(200))];
    expect(bootstrap(spread(10))).toEqual(few);
    for (const { median, low, high } of [few, many]) {
      expect(low).toBeLessThanOrEqual(median);
      expect(high).toBeGreaterThanOrEqual(median);
      expect(low).toBeGreaterThanOrEqual(1);
      expect(high).toBeLessThanOrEqual(1.4);
    }
    expect(many.high - many.low).toBeLessThan(few.high - few.low);
  });

  test("has the quantiles that counting gives", () => {
    // The median of three draws from {0, 1, 2} is 2 where two or three of them are: 7 of 27 times, and 0 as often.
    expect(bootstrap([0, 1, 2])).toEqual({ median: 1, low: 0, high: 2 });
    // Of fifteen draws, with eight ones and seven zeros, the median is 0 in 40 % of all cases, and 1 in the others.
    expect(bootstrap([...Array(8).fill(1), ...Array(7).fill(0)])).toEqual({ median: 1, low: 0, high: 1 });
  });

  test("is of ratios by round: what slows both sides of a round does not show", () => {
    const noise = [1, 5, 0.2, 3, 1];
    const [ours, peers] = [noise.map((x) => 30 * x), noise.map((x) => 20 * x)];
    expect(ratios(ours, peers, false)).toEqual([1.5, 1.5, 1.5, 1.5, 1.5]);
    expect(ratios(peers, ours, true)).toEqual([1.5, 1.5, 1.5, 1.5, 1.5]);
  });
});

describe("a bar holds", () => {
  test.each([
    [{ median: 1.1, low: 1.0, high: 1.2 }, 1.1, true],
    [{ median: 1.07, low: 1.0, high: 1.1 }, 1.1, true], // 2.7 % below, and the interval reaches it
    [{ median: 1.06, low: 1.0, high: 1.2 }, 1.1, false], // 3.6 % below
    [{ median: 1.08, low: 1.0, high: 1.09 }, 1.1, false], // the interval ends below
  ])("%j of %d: %j", (found, bar, expected) => {
    expect(holds(found, bar)).toBe(expected);
  });

  test.each([
    [{ median: 61, low: 59, high: 70 }, 60, true],
    [{ median: 62, low: 59, high: 70 }, 60, false], // 3.3 % above
    [{ median: 61, low: 60.5, high: 70 }, 60, false], // the interval begins above
  ])("%j where less is better than %d: %j", (found, bar, expected) => {
    expect(holds(found, bar, true)).toBe(expected);
  });
});

/** Answers each line with the next of its figures; notes its starts; `end` ends it, `throw` answers with an error. */
const program = `
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
const { name, figures, starts, memory } = JSON.parse(process.argv[2]);
appendFileSync(starts, name + "\\n");
console.log("a library greets");
let next = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const figure = figures[next++ % figures.length];
  if (figure === "end") process.exit(1);
  const result = { case: "fake", system: name, threads: 2, unit: "steps/s", best: figure, median: figure, runs: 1 };
  const memoryResult = { memory: { import: 100, peak: memory } };
  console.log(JSON.stringify(asked.memory ? memoryResult : figure === "throw" ? { error: "E_FAKE: no" } : result));
}`;

describe("a contest", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bench-"));
    writeFileSync(join(folder, "program.mjs"), program);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  type Figure = number | "end" | "throw";
  /** A system of the given figures, one a round; `tasks` are what it can do. */
  function candidate(name: string, figures: Figure[], tasks: string[] = ["fake"], memory = 100) {
    const options = JSON.stringify({ name, figures, memory, starts: join(folder, "starts") });
    const command = [process.execPath, join(folder, "program.mjs"), options];
    return { contender: new Contender(name, command, { threads: 2 }), tasks };
  }
  const started = (): string[] => readFileSync(join(folder, "starts"), "utf8").trim().split("\n");
  const bars = [
    { name: "at least", ratio: 1.1 },
    { name: "stretch", ratio: 1.3 },
  ];
  /** The rows; what is looked at must be there. */
  const run = async (entry: object, ...candidates: ReturnType<typeof candidate>[]): Promise<Required<Row>[]> =>
    (await runCase({ threads: [2], ...entry }, candidates, { rounds: 5, settle: 0 })) as Required<Row>[];
  const fake = { fake: { title: "fake", bars } };

  test("is between our best and the two best peers, in processes that stay", async () => {
    const noise = [1, 2, 1, 3, 1];
    const [row] = await run(
      { tasks: fake },
      candidate("millrace slow", [1]),
      candidate("millrace", [24, 24, 24, ...noise.map((x) => 24 * x)]),
      candidate("worst", [10]),
      candidate("best", [20, 20, 20, ...noise.map((x) => 20 * x)]),
      candidate("second", [19]),
    );
    expect(started().sort()).toEqual(["best", "millrace", "millrace slow", "second", "worst"]);
    expect(row!.ours.system).toBe("millrace");
    expect(row!.peer.system).toBe("best");
    expect(row!.ratio).toEqual({ median: 1.2, low: 1.2, high: 1.2 });
    expect(row!.bars.map((bar) => bar.holds)).toEqual([true, false]);
    const rounds = row!.systems.map(({ system, rounds }) => [system, rounds]);
    expect(Object.fromEntries(rounds)).toEqual({ best: 5, millrace: 5, second: 5, worst: 3, "millrace slow": 3 });
    expect(row!.errors).toBeUndefined();
  });

  test("counts a peer that a bar names, though others are faster, and less as better where it is", async () => {
    const entry = { tasks: { fake: { title: "fake", bars, low: true, against: "named" } } };
    const others = ["x", "y"].map((name) => candidate(name, [1]));
    const [row] = await run(entry, candidate("millrace", [10]), candidate("named thing", [30]), ...others);
    expect(row!.peer.system).toBe("named thing");
    expect(row!.ratio.median).toBe(3);
    expect(row!.systems).toHaveLength(4);
  });

  test("goes on without a peer that fails or ends, and says so", async () => {
    const candidates = [candidate("millrace", [10]), candidate("ends", [20, 20, 20, "end"]), candidate("other", [5])];
    const [row] = await run({ tasks: fake }, ...candidates, candidate("throws", ["throw"]));
    expect(row!.peer.system).toBe("other");
    const [first, second] = row!.errors.sort((a, b) => (a.system < b.system ? -1 : 1));
    expect(first!.error).toMatch(/ended before it answered/);
    expect(second).toEqual({ system: "throws", error: "E_FAKE: no" });
  });

  test("has no verdict where our side does not run", async () => {
    const [row] = await run({ tasks: fake }, candidate("millrace", ["throw"]), candidate("other", [5]));
    expect(row!.ours).toBeUndefined();
    expect(row!.bars).toBeUndefined();
    expect(page([described(row!)])).toContain("| E_FAKE: no |");
  });

  test("starts a process for each round where the task says so, and judges absolute bars", async () => {
    const tasks = { fake: { title: "fake", low: true, fresh: true, bars: [{ name: "at least", value: 10 }] } };
    const [row] = await run({ tasks, rounds: 3 }, candidate("millrace", [10, 99]), candidate("other", [8, 99]));
    expect(started()).toHaveLength(6);
    expect(row!.ratio.median).toBe(0.8);
    expect(row!.bars).toEqual([{ name: "at least", value: 10, holds: true }]);
  });

  test("holds one of our systems against another one's task", async () => {
    const peer = { system: "millrace", task: "wide" };
    const tasks = { wide: { title: "wide" }, narrow: { title: "narrow", bars, peer } };
    const narrow = candidate("millrace narrow", [25], ["narrow"]);
    const [, row] = await run({ tasks }, candidate("millrace", [10], ["wide"]), narrow);
    expect([row!.peer.system, row!.ratio.median]).toEqual(["millrace", 2.5]);
  });

  test("ends with the peaks of memory beyond the import", async () => {
    const sizes = [candidate("millrace", [1], ["fake"], 180), candidate("other", [1], ["fake"], 150)];
    const [row] = await run({ tasks: fake, memory: true }, ...sizes);
    expect(row!.memory).toEqual([
      { system: "other", megabytes: 50 },
      { system: "millrace", megabytes: 80 },
    ]);
    expect(page([described(row!)])).toContain("| fake | 80 | 50 (other) | no |");
    expect(sizes.some(({ contender }) => contender.running)).toBe(false);
  });
});

/** A row as tools/bench.mjs writes it. */
const described = (row: object): object => ({
  ...{ date: "2026-01-01", machine: { cpu: "x", cores: 2, memoryGB: 1, system: "y" }, versions: { node: "20" } },
  ...row,
});

test("new rows take the place of their own task and threads alone, in the table's order", () => {
  const row = (task: string, threads: number, date: string) => ({ task, threads, date });
  const old = [row("d", 2, "old"), row("b.256", 1, "old"), row("b.256", 2, "old"), row("gone", 2, "old")];
  const found = merged(old, [row("a", 1, "new"), row("b.256", 2, "new")], table);
  expect(found.map(({ task, threads, date }) => `${task} ${threads} ${date}`)).toEqual([
    "a 1 new",
    "b.256 1 old",
    "b.256 2 new",
    "d 2 old",
  ]);
});

test("the page names every program once, with all of its versions", () => {
  const row = (versions: object): object => ({
    ...described({ title: "x", threads: 1, systems: [], unit: "ms" }),
    versions,
  });
  const text = page([row({ node: "20", torch: "2.1" }), row({ node: "20", torch: "2.2", tfjs: "4" })]);
  expect(text.match(/^- Versions: .*$/gm)).toEqual(["- Versions: node 20, torch 2.1 and 2.2, tfjs 4"]);
});
