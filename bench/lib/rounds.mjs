// Contenders against each other on one task: a preselection of all, then the rounds that count between ours and the best.
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "./measure.mjs";
import { bootstrap, holds, ratios } from "./statistics.mjs";

/**
 * What a contest found; bench/results.json holds these.
 * @typedef {{ median: number, low: number, high: number }} Found
 * @typedef {{ system: string, error: string }} Failure
 * @typedef {{ name: string, ratio?: number, value?: number, holds: boolean }} Verdict
 * @typedef {{
 *   task: string, title: string, case: string, unit: string, low: boolean, threads: number,
 *   systems: { system: string, value: number, rounds: number }[], errors?: Failure[],
 *   ours?: Found & { system: string }, peer?: Found & { system: string }, ratio?: Found, against?: string, bars?: Verdict[],
 *   checks?: { name: string, text: string, holds?: boolean }[], memory?: { system: string, megabytes: number }[],
 *   idle?: number,
 * }} Row
 */

/** What counts of a line: CPU time where there is one thread, since it is that of a core which nobody shares. */
export const figureOf = (line) => line.median_cpu ?? line.median;

/**
 * Rounds of all contenders in turn, A B C, B C A, …; a contender that fails is out.
 * @returns {Promise<Map<object, object[]>>} the lines of each that answered every round
 */
export async function play(
  contenders,
  { task, rounds, budget, fresh = false, settle = 0, onLine = () => {}, onIdle = () => {} },
) {
  const lines = new Map(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round++) {
    const order = contenders.map((_, i) => contenders[(i + round) % contenders.length]);
    for (const contender of order) {
      if (!lines.has(contender)) continue;
      // Pools of threads spin for some milliseconds before they sleep.
      if (settle > 0) await sleep(settle);
      const idle = contenders.filter((other) => other !== contender && other.running);
      const before = idle.map((other) => other.cpuSeconds());
      const start = performance.now();
      const line = await contender.ask({ task, budget });
      const seconds = (performance.now() - start) / 1e3;
      idle.forEach((other, i) => {
        const used = (other.cpuSeconds() ?? 0) - (before[i] ?? 0);
        // A tick is 10 ms: less than three of them say nothing.
        if (used > 0.03 && used > 0.03 * seconds) onIdle(other, used / seconds);
      });
      if (fresh) await contender.stop();
      onLine(line, contender, round);
      if (line.error) lines.delete(contender);
      else lines.get(contender).push(line);
    }
  }
  return lines;
}

const middle = (lines) => median(lines.map(figureOf));

/** The systems of a map of lines, the best first. */
function ranked(lines, low) {
  const order = [...lines].map(([contender, list]) => ({ contender, lines: list, value: middle(list) }));
  return order.sort((a, b) => (low ? a.value - b.value : b.value - a.value));
}

/**
 * Measures one task and says what follows.
 * @param contenders all systems of the task, ours among them
 * @param entry of the table: see table.mjs
 * @returns {Promise<Row>} systems with their figures, our best beside the best peer, the verdict of each bar
 */
export async function contest(
  contenders,
  entry,
  { task, rounds, preselection = 3, budget = 0.4, settle = 60, onLine, ...hooks },
) {
  const { fresh = false, against = "", low = false } = entry;
  const errors = [];
  const cold = new Map();
  const options = {
    ...{ task, fresh, settle: fresh ? 0 : settle, ...hooks },
    onLine(line, contender, round) {
      if (line.error) errors.push({ system: contender.system, error: line.error });
      else cold.set(contender, cold.get(contender) ?? line);
      onLine?.(line, contender, round);
    },
  };
  let all = new Map();
  let finalists = contenders;
  if (!fresh && contenders.length > 2) {
    all = await play(contenders, { ...options, rounds: preselection, budget: budget / 2 });
    const order = ranked(all, low);
    const peers = order.filter(({ contender }) => contender.isPeer);
    const ours = order.find(({ contender }) => !contender.isPeer);
    const wanted = peers.find(({ contender }) => contender.system.startsWith(against));
    const chosen = [ours, ...peers.slice(0, 2), wanted].filter((one) => one !== undefined);
    finalists = [...new Set(chosen.map(({ contender }) => contender))];
  }
  const final = await play(finalists, { ...options, rounds, budget });
  return rowOf(entry, { task, all, final, cold, errors });
}

function rowOf({ title, low = false, against = "", bars = [], check }, { task, all, final, cold, errors }) {
  const order = ranked(final, low);
  const others = ranked(all, low).filter(({ contender }) => !final.has(contender));
  const first = [...order, ...others][0]?.lines[0];
  const row = {
    ...{ task, title, case: first?.case ?? title, unit: first?.unit ?? "", low, threads: first?.threads },
    systems: [...order, ...others].map(({ contender, value, lines }) => ({
      ...{ system: contender.system, value: five(value), rounds: lines.length },
    })),
    ...(errors.length > 0 ? { errors } : {}),
  };
  const ours = order.find(({ contender }) => !contender.isPeer);
  const peer = order.find(({ contender }) => contender.isPeer && contender.system.startsWith(against));
  if (!ours) return row;
  const figures = ({ lines }) => lines.map(figureOf);
  const value = bootstrap(figures(ours));
  const ratio = peer && bootstrap(ratios(figures(ours), figures(peer), low));
  const verdict = (bar) => (bar.ratio === undefined ? holds(value, bar.value, low) : holds(ratio, bar.ratio));
  return {
    ...row,
    ours: { system: ours.contender.system, ...rounded(value) },
    ...(peer ? { peer: { system: peer.contender.system, ...rounded(bootstrap(figures(peer))) } } : {}),
    ...(ratio ? { ratio: rounded(ratio) } : {}),
    ...(against ? { against } : {}),
    bars: bars.filter((bar) => ratio || bar.ratio === undefined).map((bar) => ({ ...bar, holds: verdict(bar) })),
    ...(check ? { checks: [check(cold.get(ours.contender), ours.lines, peer?.lines)] } : {}),
  };
}

const five = (x) => Number(x.toPrecision(5));
const rounded = (found) => Object.fromEntries(Object.entries(found).map(([key, value]) => [key, five(value)]));
