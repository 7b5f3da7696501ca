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
