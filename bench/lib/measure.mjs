// How a case is timed, here and in the peers that run in Node.js: many short samples, and a JSON line as the anchors print it.
import process from "node:process";

export const threads = Number(process.env.THREADS ?? 2);

const now = () => Number(process.hrtime.bigint()) / 1e9;
/** Seconds that all threads of this process have computed. */
const cpuNow = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const five = (x) => Number(x.toPrecision(5));

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * A line in the anchors' format. `rate` turns seconds a call into the unit; CPU time stands beside wall time on one thread,
 * where it says what a core that nobody shares would give.
 */
export function lineOf({ name, system, unit, rate, low = false }, { wall, cpu }, extra = {}) {
  const pick = (values) => five(low ? Math.min(...values) : Math.max(...values));
  const rates = wall.map(rate);
  const cpuRates = cpu.map((s) => rate(Math.max(s, 1e-12)));
  return {
    ...{ case: name, system, threads, unit, best: pick(rates), median: five(median(rates)), runs: wall.length },
    ...(threads === 1 ? { best_cpu: pick(cpuRates), median_cpu: five(median(cpuRates)) } : {}),
    ...extra,
  };
}

/**
 * A task that is timed in samples of at least `sample` seconds, for `budget` seconds a round.
 *
 * `run` is one call; `finish`, if there is one, waits for the device after each sample. What either returns is awaited where it is
 * a promise.
 */
export function timed({ run, finish, sample = 0.01, warmUps = 3, ...what }) {
  let calls = 0;
  const once = async (count) => {
    for (let i = 0; i < count; i++) {
      const waits = run();
      if (waits instanceof Promise) await waits;
    }
    if (finish) await finish();
  };
  /** How many calls make a sample. */
  async function calibrate() {
    for (calls = 1; ; calls *= 2) {
      const start = now();
      await once(calls);
      const seconds = now() - start;
      if (seconds >= sample) {
        calls = Math.max(1, Math.round((calls * sample) / seconds));
        return;
      }
    }
  }
  return {
    async measure({ system, budget }) {
      if (calls === 0) {
        await once(warmUps);
        await calibrate();
        // What is called thousands of times gets faster meanwhile.
        if (calls > 1) await calibrate();
      }
      const [wall, cpu] = [[], []];
      const end = now() + budget;
      do {
        const [start, cpuStart] = [now(), cpuNow()];
        await once(calls);
        wall.push((now() - start) / calls);
        cpu.push((cpuNow() - cpuStart) / calls);
      } while (now() < end);
      return lineOf({ system, ...what }, { wall, cpu });
    },
  };
}

/**
 * A task that happens once a process: `run` is timed as a whole; `after` is given its result and the seconds, and says what
 * else stands on the line.
 */
export function timedOnce({ run, after = () => ({}), ...what }) {
  return {
    async measure({ system }) {
      const [start, cpuStart] = [now(), cpuNow()];
      const result = await run();
      const [wall, cpu] = [now() - start, cpuNow() - cpuStart];
      const extra = await after(result, wall);
      return lineOf({ system, low: true, ...what }, { wall: [wall], cpu: [cpu] }, extra);
    },
  };
}
