// One case: its processes are started one by one, stay for all its tasks, and end with it.
import { contest } from "./rounds.mjs";

/**
 * @param entry a case of the table
 * @param {readonly { contender: object, tasks: readonly string[] }[]} candidates the systems of the case
 * @param options `rounds` that count; `preselection` rounds before; `budget`, seconds a round; `settle`, ms between two programs
 * @returns {Promise<import("./rounds.mjs").Row[]>} a row for each task
 */
export async function runCase(entry, candidates, { rounds, log = () => {}, onLine = () => {}, ...options }) {
  const rows = [];
  const dead = new Set();
  try {
    for (const [task, what] of Object.entries(entry.tasks)) {
      const able = candidates.filter(({ contender, tasks }) => tasks.includes(task) && !dead.has(contender));
      const contenders = [...able.map(({ contender }) => contender), ...ownPeer(what, candidates)];
      log(`${what.title}: ${contenders.map(({ system }) => system).join(", ")}`);
      let idle = 0;
      const row = await contest(contenders, what, {
        ...{ task, rounds: Math.min(rounds, entry.rounds ?? rounds), ...options },
        onIdle(other, share) {
          idle = Math.max(idle, share);
          log(`  ${other.system} computed while another was measured: ${Math.round(100 * share)} % of a core`);
        },
        onLine(line, contender) {
          if (line.error) log(`  ${contender.system}: ${line.error}`);
          if (line.error && !contender.running) dead.add(contender);
          onLine(line);
        },
      });
      rows.push({ ...row, ...(idle > 0 ? { idle: Number(idle.toFixed(2)) } : {}) });
    }
    if (entry.memory) rows[0].memory = await memoryOf(candidates);
    return rows;
  } finally {
    await Promise.all(candidates.map(({ contender }) => contender.stop()));
  }
}

/** Our own process for another task, where that is the peer. */
function ownPeer({ peer }, candidates) {
  if (!peer) return [];
  const found = candidates.find(({ contender }) => contender.system === peer.system);
  return found ? [found.contender.as(peer.task)] : [];
}

/** MB at the peak beyond the process after its import, by system, the least first. */
async function memoryOf(candidates) {
  const found = [];
  for (const { contender } of candidates) {
    if (!contender.running) continue;
    const { memory } = await contender.ask({ memory: true });
    if (memory?.peak) found.push({ system: contender.system, megabytes: Math.round(memory.peak - memory.import) });
  }
  return found.sort((a, b) => a.megabytes - b.megabytes);
}
