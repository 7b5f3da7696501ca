// How arguments are refused.
import { MillraceError } from "@millrace/core";

export function badArgument(stage: string, message: string): MillraceError {
  return new MillraceError("E_ARGUMENT", `${stage}: ${message}`, { op: stage });
}

/** A whole number from `least` to `most`. */
export function checkWhole(stage: string, name: string, value: unknown, least: number, most: number = 2 ** 32): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw badArgument(stage, `${name} must be a whole number from ${least}, got ${String(value)}`);
}

/** A number of times: a whole number from 0; undefined, -1 and Infinity are without end. */
export function checkCount(stage: string, value: unknown): number {
  if (value === undefined || value === -1 || value === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  return checkWhole(stage, "count", value, 0, Number.MAX_SAFE_INTEGER);
}

export function checkFunction(stage: string, f: unknown): void {
  if (typeof f !== "function") throw badArgument(stage, `needs a function, got ${f === null ? "null" : typeof f}`);
}

/** Refuses keys that an options object does not have, with the nearest that it has. */
export function checkOptions(stage: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw badArgument(stage, `options are an object with ${known.join(", ")}; got ${String(options)}`);
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const [nearest] = [...known].sort((a, b) => distance(key, a) - distance(key, b));
    throw badArgument(stage, `has no option ${key}; did you mean ${nearest}?`);
  }
}

/** The Levenshtein distance, without regard to case. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1]!.toLowerCase() === b[j - 1]!.toLowerCase();
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
