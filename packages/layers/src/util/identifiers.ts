// Names of classes as users and files spell them: "MaxPooling2D", "max_pooling2d" and "maxPooling2d" are one.
import { MillraceError } from "@millrace/autodiff";
import { canonicalName, didYouMean } from "@millrace/autodiff/support";
import type { BatchShapes } from "./shapes.js";

/**
 * A class in a file: its name and what its constructor takes.
 * @public
 */
export interface Serialized {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Of a layer that is built: the shape of its input. */
  readonly buildConfig?: { readonly inputShape: BatchShapes };
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
    for (const key of [name, ...aliases])
      this.makers.set(canonicalName(key), { name, make: make as (config: never) => T });
    return make;
  }

  has(name: string): boolean {
    return this.makers.has(canonicalName(name));
  }

  /** The name that files write for a spelling of it; undefined where there is none. */
  nameOf(spelling: string): string | undefined {
    return this.makers.get(canonicalName(spelling))?.name;
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
    const found = this.makers.get(canonicalName(name));
    if (!found) {
      const known = [...this.makers.values()].map((m) => m.name);
      throw new MillraceError("E_ARGUMENT", `${JSON.stringify(name)} is no ${this.family}${didYouMean(name, known)}`);
    }
    // boundary: as in register
    return found.make(config as never);
  }
}

export function isSerialized(value: unknown): value is Serialized {
  return typeof value === "object" && value !== null && "className" in value && "config" in value;
}
