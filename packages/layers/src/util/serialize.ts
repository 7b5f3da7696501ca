// Configurations as plain values: objects with a configuration of their own become their class's name and it.
import type { Serialized } from "./identifiers.js";
import type { BatchShapes } from "./shapes.js";

interface Configurable {
  getConfig(): Record<string, unknown>;
  /** Of a layer: what it is built for. */
  readonly builtShape?: BatchShapes | null;
}

/** What getConfig holds in place of `value`. */
export function describe(value: unknown): unknown {
  if (isConfigurable(value)) return serialize(value);
  if (typeof value === "function" && "activationName" in value) return value.activationName;
  return value;
}

/** An object as its class's name and configuration. */
export function serialize(object: Configurable): Serialized {
  const { builtShape } = object;
  const made = { className: classNameOf(object), config: object.getConfig() };
  return builtShape ? { ...made, buildConfig: { inputShape: builtShape } } : made;
}

/** The name of an object's class in files. */
export function classNameOf(object: object): string {
  const made = object.constructor as { readonly className?: string; readonly name: string };
  return Object.hasOwn(made, "className") ? made.className! : made.name;
}

/** A configuration of which every entry is described. */
export function describeAll(config: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, describe(value)]));
}

function isConfigurable(value: unknown): value is Configurable {
  return typeof value === "object" && value !== null && "getConfig" in value;
}
