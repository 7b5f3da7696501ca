// Options objects: every key is known, left-out ones take their default, and what results is the configuration.
import { MillraceError } from "@millrace/autodiff";
import { suggestion } from "./identifiers.js";

/** Marks an option that has no default. */
export const required: unique symbol = Symbol("required");

/** A default for every key of an options type: its value, or `required`. */
export type Defaults<C> = { readonly [K in keyof C]-?: C[K] | typeof required };

/** An options object with every key set. */
export type Complete<C> = { readonly [K in keyof C]-?: Exclude<C[K], undefined> };

/**
 * The options with defaults filled in. Throws E_ARGUMENT where one is unknown, naming the nearest, or missing.
 * @param who the class or function, for messages
 */
export function complete<C extends object>(who: string, options: C, defaults: Defaults<C>): Complete<C> {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const got = Array.isArray(options) ? "an array" : String(options);
    throw new MillraceError("E_ARGUMENT", `${who}: takes an object of options, got ${got}`);
  }
  const given = new Map(Object.entries(options).filter(([, value]) => value !== undefined));
  const known = Object.entries(defaults);
  const unknown = [...given.keys()].find((key) => !Object.hasOwn(defaults, key));
  if (unknown !== undefined) {
    const hint = suggestion(unknown, Object.keys(defaults));
    throw new MillraceError("E_ARGUMENT", `${who}: there is no option ${JSON.stringify(unknown)}${hint}`);
  }
  const missing = known.find(([key, value]) => value === required && !given.has(key));
  if (missing) throw new MillraceError("E_ARGUMENT", `${who}: the option ${JSON.stringify(missing[0])} is missing`);
  // boundary: the keys are those of the defaults, which have every key of C
  return Object.fromEntries(known.map(([key, value]) => [key, given.has(key) ? given.get(key) : value])) as Complete<C>;
}

/** Refuses a number that is not a whole one of at least `min`. */
export function checkWhole(who: string, name: string, value: unknown, min = 1): void {
  if (Number.isSafeInteger(value) && (value as number) >= min) return;
  throw new MillraceError("E_ARGUMENT", `${who}: ${name} must be a whole number from ${min}, got ${String(value)}`);
}

/** Refuses a number outside [min, max]. */
export function checkRange(who: string, name: string, value: unknown, min: number, max: number): void {
  if (typeof value === "number" && value >= min && value <= max) return;
  throw new MillraceError("E_ARGUMENT", `${who}: ${name} must be a number from ${min} to ${max}, got ${String(value)}`);
}
