// Nested arguments and results: tensors are leaves, arrays and plain objects are structure, anything else is a value.
import { MillraceError } from "../types/errors.js";
import { TensorImpl } from "./tensor.js";

/** A structure with its tensors taken out: numbers are places in the list of leaves. */
export type Template =
  | { readonly kind: "leaf"; readonly index: number }
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "list"; readonly items: readonly Template[] }
  | { readonly kind: "record"; readonly entries: readonly (readonly [string, Template])[] }
  | { readonly kind: "parted"; readonly value: Parted; readonly parts: readonly Template[] };

/** A class whose objects are structures of tensors. */
export abstract class Parted {
  /** Its tensors. */
  abstract parts(): readonly unknown[];
  /** The same with other tensors. */
  abstract withParts(parts: readonly unknown[]): Parted;
  /** Whether it is the same but for its tensors. */
  abstract isLike(other: Parted): boolean;
}

/** What a leaf is, where not every tensor is one. */
export type IsLeaf = (x: TensorImpl) => boolean;

/** Takes the tensors out of a structure, depth first, into `leaves`. */
export function flattenStructure(value: unknown, leaves: TensorImpl[], isLeaf: IsLeaf = () => true): Template {
  if (value instanceof TensorImpl) {
    return isLeaf(value) ? { kind: "leaf", index: leaves.push(value) - 1 } : { kind: "value", value };
  }
  if (value instanceof Parted)
    return { kind: "parted", value, parts: value.parts().map((v) => flattenStructure(v, leaves, isLeaf)) };
  if (Array.isArray(value)) return { kind: "list", items: value.map((v) => flattenStructure(v, leaves, isLeaf)) };
  if (isPlainObject(value)) {
    const entries = Object.keys(value)
      .sort()
      .map((key) => [key, flattenStructure(value[key], leaves, isLeaf)] as const);
    return { kind: "record", entries };
  }
  return { kind: "value", value };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object of any realm: its prototype is the end of the chain.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Puts leaves back into a structure. */
export function buildStructure(template: Template, leaves: readonly unknown[]): unknown {
  switch (template.kind) {
    case "leaf":
      return leaves[template.index];
    case "value":
      return template.value;
    case "list":
      return template.items.map((t) => buildStructure(t, leaves));
    case "record":
      return Object.fromEntries(template.entries.map(([key, t]) => [key, buildStructure(t, leaves)]));
    case "parted":
      return template.value.withParts(template.parts.map((t) => buildStructure(t, leaves)));
  }
}

/** Whether two structures are the same but for their tensors. Objects that are no structure count by identity. */
export function sameTemplate(a: Template, b: Template): boolean {
  if (a.kind === "leaf") return b.kind === "leaf" && a.index === b.index;
  if (a.kind === "value") return b.kind === "value" && Object.is(a.value, b.value);
  if (a.kind === "parted") {
    return b.kind === "parted" && a.value.isLike(b.value) && a.parts.every((t, i) => sameTemplate(t, b.parts[i]!));
  }
  if (a.kind === "list") {
    return (
      b.kind === "list" && a.items.length === b.items.length && a.items.every((t, i) => sameTemplate(t, b.items[i]!))
    );
  }
  return (
    b.kind === "record" &&
    a.entries.length === b.entries.length &&
    a.entries.every(([key, t], i) => key === b.entries[i]![0] && sameTemplate(t, b.entries[i]![1]))
  );
}

/** Refuses what is no function. */
export function needFunction(what: string, f: unknown): void {
  if (typeof f === "function") return;
  throw new MillraceError("E_ARGUMENT", `${what}: needs a function, got ${f === null ? "null" : typeof f}`, {
    op: what,
  });
}

/** Refuses a promise where a synchronous function is wanted. */
export function refusePromise(what: string, value: unknown): void {
  if (typeof value !== "object" || value === null || !("then" in value) || typeof value.then !== "function") return;
  // Its own failure, which is often that the scope has ended, must not end the process besides.
  value.then(undefined, () => {});
  throw new MillraceError(
    "E_ASYNC_SCOPE",
    `${what} takes a synchronous function: what runs after an await is outside of its scope. Await first, and pass the results in`,
  );
}
