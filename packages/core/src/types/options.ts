// Options objects: an unknown key is refused with the nearest one, a left-out key takes its default.
import { MillraceError } from "./errors.js";

/**
 * Marks an option that has no default.
 * @internal
 */
export const required: unique symbol = Symbol("required");

/**
 * A default for every key of an options type; undefined where leaving it out means something of its own.
 * @internal
 */
export type Defaults<O> = { readonly [K in keyof O]-?: O[K] | undefined | typeof required };

/**
 * An options object with every key set.
 * @internal
 */
export type WithDefaults<O, D extends Defaults<O>> = {
  readonly [K in keyof O]-?: Exclude<O[K], undefined> | Exclude<D[K & keyof D], typeof required>;
};

/**
 * The options of `name` with its defaults filled in. Throws E_ARGUMENT where they are no object, or where a key is unknown or
 * missing.
 * @internal
 */
export function withDefaults<O extends object, D extends Defaults<O>>(
  name: string,
  options: O | undefined,
  defaults: D,
): WithDefaults<O, D> {
  const keys = Object.keys(defaults);
  checkOptions(name, options ?? {}, keys);
  const given = Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined));
  const all: Readonly<Record<string, unknown>> = { ...defaults, ...given };
  const missing = keys.find((key) => all[key] === required);
  if (missing !== undefined) refuse(name, `the option "${missing}" is missing`);
  // boundary: the keys are those of the defaults, which have every key of O
  return all as never;
}

/**
 * Refuses what is no options object, and keys that `name` does not take.
 * @internal
 */
export function checkOptions(name: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const got = Array.isArray(options) ? "an array" : String(options);
    refuse(name, `takes an object of options, got ${got}`);
  }
  const unknown = Object.keys(options as object).find((key) => !known.includes(key));
  if (unknown !== undefined) refuse(name, `there is no option "${unknown}"${didYouMean(unknown, known)}`);
}

function refuse(name: string, why: string): never {
  throw new MillraceError("E_ARGUMENT", `${name}: ${why}`, { op: name });
}

/**
 * What all spellings of a name have in common: "MaxPooling2D", "max_pooling2d" and "maxPooling2d" are one.
 * @internal
 */
export function canonicalName(name: string): string {
  return name.replaceAll(/[_\s-]/g, "").toLowerCase();
}

/**
 * The name that is fewest edits away from a mistyped one, if that is not too many.
 * @internal
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const from = canonicalName(name);
  let best: string | undefined;
  let least = Math.max(2, Math.floor(from.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(from, canonicalName(candidate));
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/**
 * The end of a message on an unknown name: ` (did you mean "x"?)`, or nothing.
 * @internal
 */
export function didYouMean(name: string, known: Iterable<string>): string {
  const near = nearestName(name, known);
  return near === undefined ? "" : ` (did you mean "${near}"?)`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
