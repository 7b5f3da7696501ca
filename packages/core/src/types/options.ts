// Options objects: an unknown key is refused with the nearest one, a left-out key takes its default.
import { MillraceError } from "./errors.js";

/** A default for every key of an options type; undefined where leaving it out means something of its own. */
export type Defaults<O> = { readonly [K in keyof O]-?: O[K] | undefined };

/** The options of a function with its defaults filled in. Throws E_ARGUMENT on a key that the function does not take. */
export function withDefaults<O extends object, D extends Defaults<O>>(
  name: string,
  options: O | undefined,
  defaults: D,
): { readonly [K in keyof O]-?: Exclude<O[K], undefined> | D[K & keyof D] } {
  const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
  for (const [key] of given) {
    if (Object.hasOwn(defaults, key)) continue;
    const near = nearestName(key, Object.keys(defaults));
    const hint = near === undefined ? "" : ` (did you mean "${near}"?)`;
    throw new MillraceError("E_ARGUMENT", `${name}: there is no option "${key}"${hint}`, { op: name });
  }
  // boundary: the keys are those of the defaults, which have every key of O
  return { ...defaults, ...Object.fromEntries(given) } as never;
}

/** The name that is fewest edits away from a mistyped one, if that is not too many. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
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
