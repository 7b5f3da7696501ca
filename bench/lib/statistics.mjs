// What a table may claim: medians, their bootstrap intervals, and whether a bar holds.
import { median } from "./measure.mjs";

/** A small generator of numbers in [0, 1) that gives the same ones each time: xorshift32 (Marsaglia, 2003). */
export function randomFrom(seed) {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/**
 * The median with its 95 % percentile interval, by resampling whole rounds (Efron, 1979).
 * @param {readonly number[]} values one a round
 * @returns {{ median: number, low: number, high: number }}
 */
export function bootstrap(values, { resamples = 4000, seed = 5 } = {}) {
  const random = randomFrom(seed);
  const draw = () => values[Math.floor(random() * values.length)];
  const medians = Array.from({ length: resamples }, () => median(values.map(draw))).sort((a, b) => a - b);
  const at = (part) => medians[Math.min(resamples - 1, Math.floor(part * resamples))];
  return { median: median(values), low: at(0.025), high: at(0.975) };
}

/**
 * How many times as fast as a peer, round by round: what slows a machine for a while slows both sides of a round.
 * @param {readonly number[]} ours figures, one a round
 * @param {readonly number[]} peers figures of the same rounds
 * @param {boolean} low whether less is better
 */
export function ratios(ours, peers, low) {
  return ours.map((x, round) => (low ? peers[round] / x : x / peers[round]));
}

/** How far a median may miss a bar that the interval reaches. */
const slack = 0.03;

/**
 * A bar holds when the interval's better end reaches it and the median misses it by no more than 3 %.
 * @param {{ median: number, low: number, high: number }} found
 * @param {boolean} low whether less is better
 */
export function holds(found, bar, low = false) {
  if (low) return found.low <= bar && found.median <= bar * (1 + slack);
  return found.high >= bar && found.median >= bar * (1 - slack);
}
