// Nested elements: arrays and plain objects are structure, everything else is a leaf.
import type { Tensor, TypedArray } from "@millrace/core";

/** What an element looks like without its leaves, which are listed depth first, keys in order of the alphabet. */
export type Structure =
  | { readonly kind: "leaf" }
  | { readonly kind: "list"; readonly items: readonly Structure[] }
  | { readonly kind: "record"; readonly keys: readonly string[]; readonly items: readonly Structure[] };

const leaf: Structure = { kind: "leaf" };

/** Takes the leaves out of a value, into `leaves`. */
export function split(value: unknown, leaves: unknown[], isLeaf: (value: unknown) => boolean): Structure {
  if (!isLeaf(value)) {
    if (Array.isArray(value)) return { kind: "list", items: value.map((item) => split(item, leaves, isLeaf)) };
    if (isPlainObject(value)) {
      const keys = Object.keys(value).sort();
      return { kind: "record", keys, items: keys.map((key) => split(value[key], leaves, isLeaf)) };
    }
  }
  leaves.push(value);
  return leaf;
}

/** Puts leaves back. */
export function join(structure: Structure, leaves: readonly unknown[]): unknown {
  let next = 0;
  const build = (at: Structure): unknown => {
    if (at.kind === "leaf") return leaves[next++];
    const items = at.items.map(build);
    return at.kind === "list" ? items : Object.fromEntries(at.keys.map((key, i) => [key, items[i]]));
  };
  return build(structure);
}

/** A structure whose leaves are structures themselves, as one. */
export function nest(outer: Structure, inner: readonly Structure[]): Structure {
  let next = 0;
  const build = (at: Structure): Structure =>
    at.kind === "leaf" ? inner[next++]! : { ...at, items: at.items.map(build) };
  return build(outer);
}

export function isSameStructure(a: Structure, b: Structure): boolean {
  if (a === b) return true;
  if (a.kind === "leaf" || b.kind === "leaf") return a.kind === b.kind;
  if (a.kind === "record" && (b.kind !== "record" || !a.keys.every((key, i) => key === b.keys[i]))) return false;
  return (
    a.kind === b.kind &&
    a.items.length === b.items.length &&
    a.items.every((item, i) => isSameStructure(item, b.items[i]!))
  );
}

/** The names of the leaves in messages: "xs", "[0].image"; the only leaf is "the element". */
export function leafNames(structure: Structure): string[] {
  const names: string[] = [];
  const walk = (at: Structure, path: string): void => {
    if (at.kind === "leaf") {
      names.push(path === "" ? "the element" : path);
      return;
    }
    for (const [i, item] of at.items.entries()) {
      if (at.kind === "list") walk(item, `${path}[${i}]`);
      else walk(item, path === "" ? at.keys[i]! : `${path}.${at.keys[i]}`);
    }
  };
  walk(structure, "");
  return names;
}

/** A structure in messages: "{ xs, ys }". */
export function describe(structure: Structure): string {
  if (structure.kind === "leaf") return "a single value";
  if (structure.kind === "list") return `a list of ${structure.items.length}`;
  return structure.keys.length === 0 ? "{}" : `{ ${structure.keys.join(", ")} }`;
}

/** An object of any realm that is neither an array nor of a class: its prototype is the end of the chain. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Nothing else has a dtype and a shape and can be disposed of. */
export function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "dtype" in value && "shape" in value && "dispose" in value;
}

export function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** What `tf.tensor` takes: a number, bigint or boolean, or arrays of nothing else. */
export function isPlainValue(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isPlainValue);
  return typeof value === "number" || typeof value === "bigint" || typeof value === "boolean";
}

/** The leaves of what users pass and return: an array of plain numbers is one value, not a list. */
export function isUserLeaf(value: unknown): boolean {
  return isTensor(value) || (Array.isArray(value) && isPlainValue(value));
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
