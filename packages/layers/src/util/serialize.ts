// Configurations as plain values: objects with a configuration of their own become their class's name and it.
import type { Serialized } from "./identifiers.js";

interface Configurable {
  getConfig(): Record<string, unknown>;
}

/** What getConfig holds in place of `value`. */
export function describe(value: unknown): unknown {
  if (isConfigurable(value)) return serialize(value);
  if (typeof value === "function" && "activationName" in value) return value.activationName;
  return value;
}

/** An object as its class's name and configuration. */
export function serialize(object: Configurable): Serialized {
  const made = object.constructor as { readonly className?: string; readonly name: string };
  return { className: Object.hasOwn(made, "className") ? made.className! : made.name, config: object.getConfig() };
}

/** A configuration of which every entry is described. */
export function describeAll(config: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, describe(value)]));
}

function isConfigurable(value: unknown): value is Configurable {
  return typeof value === "object" && value !== null && "getConfig" in value;
}
