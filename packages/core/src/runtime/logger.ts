import type { WarningCode } from "../types/errors.js";
import { platform } from "../types/platform.js";
import { unwatched } from "../types/unwatched.js";

/** Where messages go. Libraries never write to stdout. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

const nothing = (): void => {};
const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** The console's warn and error go to stderr, and that is where info belongs too. */
const standard: Logger = {
  debug: nothing,
  info: (m) => print("error", m),
  warn: (m) => print("warn", m),
  error: (m) => print("error", m),
};

function print(method: "warn" | "error", message: string): void {
  unwatched(platform.console[method]).call(platform.console, message);
}

let current = standard;
const warned = new Set<string>();

/** Sends every message of the engine to `logger`; null silences it; no argument restores the default. */
export function setLogger(logger: Partial<Logger> | null = standard): void {
  current = logger === null ? silent : { ...silent, ...logger };
}

/** Where messages go now: a package built on the engine writes here. Also `getLogger`. */
export function log(): Logger {
  return current;
}

/** Warns once for each `place`. */
export function warnOnce(code: WarningCode, place: string, message: string): void {
  const key = `${code} ${place}`;
  if (warned.has(key)) return;
  warned.add(key);
  current.warn(`${code}: ${message}`);
}
