import type { TypedArray } from "../types/dtype.js";
import { SymDim } from "./dim.js";
import { remember } from "./remember.js";

/** What an attribute can hold. */
export type Attr = number | bigint | boolean | string | SymDim | TypedArray | readonly Attr[];

/** The attributes of a node, by name. */
export type Attrs = { readonly [name: string]: Attr };

/** No attributes; one object, so that identity is equality. */
export const noAttrs: Readonly<Record<never, never>> = Object.freeze({});

const literalIds = new WeakMap<TypedArray, number>();
let nextLiteral = 0;

function literalKey(data: TypedArray): string {
  if (data.length <= 64)
    return `${data.constructor.name}(${Array.from<number | bigint>(data).map(numberKey).join(",")})`;
  return `#${remember(literalIds, data, () => nextLiteral++)}`;
}

/** Tells −0 from 0, since 1 / x does. */
const numberKey = (x: number | bigint): string => (Object.is(x, -0) ? "-0" : `${x}`);

/** Canonical text of one attribute. */
export function attrKey(attr: Attr): string {
  if (typeof attr === "number") return numberKey(attr);
  if (typeof attr === "bigint") return `${attr}n`;
  if (typeof attr === "string") return JSON.stringify(attr);
  if (typeof attr === "boolean") return `${attr}`;
  if (attr instanceof SymDim) return attr.key;
  if (isAttrList(attr)) return `[${attr.map(attrKey).join(",")}]`;
  return literalKey(attr);
}

const attrsKeys = new WeakMap<Attrs, string>();

/** Canonical text of attributes: names in order. Attributes never change, so it is made once. */
export function attrsKey(attrs: Attrs): string {
  return remember(attrsKeys, attrs, () => textOf(attrs));
}

function textOf(attrs: Attrs): string {
  const names = Object.keys(attrs);
  if (names.length === 0) return "";
  return `{${names
    .sort()
    .map((n) => `${n}: ${attrKey(attrs[n]!)}`)
    .join(", ")}}`;
}

/** Whether two attributes are equal; cheap, since eager dispatch asks on each call. */
export function sameAttr(a: Attr | undefined, b: Attr | undefined): boolean {
  if (Object.is(a, b)) return true;
  if (a === undefined || b === undefined || typeof a !== "object" || typeof b !== "object") return false;
  if (isAttrList(a)) return isAttrList(b) && a.length === b.length && a.every((x, i) => sameAttr(x, b[i]));
  return !isAttrList(b) && attrKey(a) === attrKey(b);
}

/** Whether two attribute records are equal. */
export function sameAttrs(a: Attrs, b: Attrs): boolean {
  if (a === b) return true;
  let count = 0;
  for (const name in a) {
    if (!sameAttr(a[name], b[name])) return false;
    count++;
  }
  for (const _ in b) count--;
  return count === 0;
}

export function isAttrList(attr: Attr): attr is readonly Attr[] {
  return Array.isArray(attr);
}

/** An attribute with `change` applied to every size and number in it. */
export function mapAttr(attr: Attr, change: (leaf: number | SymDim) => number | SymDim): Attr {
  if (typeof attr === "number" || attr instanceof SymDim) return change(attr);
  return isAttrList(attr) ? attr.map((a) => mapAttr(a, change)) : attr;
}

/** Whether any attribute holds a size that is not known yet. */
export function hasSizes(attrs: Attrs): boolean {
  const isSize = (attr: Attr): boolean => attr instanceof SymDim || (isAttrList(attr) && attr.some(isSize));
  return Object.values(attrs).some(isSize);
}
