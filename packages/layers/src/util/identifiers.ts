// Names of classes as users and files spell them: "MaxPooling2D", "max_pooling2d" and "maxPooling2d" are one.
import { MillraceError } from "@millrace/autodiff";

/**
 * A class in a file: its name and what its constructor takes.
 * @public
 */
export interface Serialized {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** What all spellings of a name have in common. */
export function canonical(name: string): string {
  return name.replaceAll(/[_\s-]/g, "").toLowerCase();
}

/** The registered name that is nearest to a mistyped one, if any is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const from = canonical(name);
  let best: string | undefined;
  let least = Math.max(2, Math.floor(from.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(from, canonical(candidate));
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

/** " (did you mean x?)", or nothing. */
export function suggestion(name: string, known: Iterable<string>): string {
  const near = nearest(name, known);
  return near === undefined ? "" : ` (did you mean ${JSON.stringify(near)}?)`;
}

/** The classes of one family by name, each with a maker from its configuration. */
export class Registry<T extends object> {
  readonly family: string;
  private readonly makers = new Map<string, { readonly name: string; readonly make: (config: never) => T }>();

  constructor(family: string) {
    this.family = family;
  }

  /** Makes a class known under its name and under `aliases`. Returns the maker. */
  register<C>(name: string, make: (config: C) => T, aliases: readonly string[] = []): (config: C) => T {
    // boundary: a configuration is checked by the class that takes it
    for (const key of [name, ...aliases]) this.makers.set(canonical(key), { name, make: make as (config: never) => T });
    return make;
  }

  has(name: string): boolean {
    return this.makers.has(canonical(name));
  }

  /** The names that files write. */
  names(): string[] {
    return [...new Set([...this.makers.values()].map(({ name }) => name))];
  }

  /** The object that a name, a serialized class or the object itself stands for. Throws E_ARGUMENT. */
  get(identifier: string | Serialized | T): T {
    if (typeof identifier === "string") return this.make(identifier, {});
    if (isSerialized(identifier)) return this.make(identifier.className, identifier.config);
    return identifier;
  }

  private make(name: string, config: Readonly<Record<string, unknown>>): T {
    const found = this.makers.get(canonical(name));
    if (!found) {
      const known = [...this.makers.values()].map((m) => m.name);
      throw new MillraceError("E_ARGUMENT", `${JSON.stringify(name)} is no ${this.family}${suggestion(name, known)}`);
    }
    // boundary: as in register
    return found.make(config as never);
  }
}

export function isSerialized(value: unknown): value is Serialized {
  return typeof value === "object" && value !== null && "className" in value && "config" in value;
}
