// Where two graphs differ, to the last constant.
import type { CallSite } from "../types/site.js";
import { type Attr, type Attrs, attrKey, isAttrList, mapAttr } from "./attrs.js";
import { type Dim, dimKey, type SymDim, substituteDim } from "./dim.js";
import type { Graph, Node, Value } from "./graph.js";

/** The first thing in which two graphs differ. */
export interface Difference {
  /** "the constant 3 is 4 in the second". */
  readonly reason: string;
  /** The user's lines that made it. */
  readonly sites: readonly CallSite[];
}

/** The sizes that symbols of the first graph have in the second. */
type Sizes = ReadonlyMap<string, Dim>;

/** The first difference of two graphs; undefined where they are equal, `by` put in place of the first one's symbols. */
export function firstDifference(a: Graph, b: Graph, by: Sizes = new Map()): Difference | undefined {
  const [placeInA, placeInB] = [placesOf(a), placesOf(b)];
  const samePlaces = (x: readonly Value[], y: readonly Value[]): boolean =>
    x.length === y.length && x.every((value, i) => placeInA(value) === placeInB(y[i]!));
  for (let i = 0; i < Math.max(a.nodes.length, b.nodes.length); i++) {
    const [x, y] = [a.nodes[i], b.nodes[i]];
    const sites = (y ?? x)!.sites;
    const reason = nodesDiffer(x, y, by);
    if (reason) return { reason, sites };
    if (!x || !y) continue;
    const inside = x.regions.map((region, k) => firstDifference(region, y.regions[k]!, by)).find(Boolean);
    if (inside) return { ...inside, sites: inside.sites.length > 0 ? inside.sites : sites };
    if (!samePlaces(x.inputs, y.inputs)) return { reason: `${x.op.name} has other operands in the second`, sites };
  }
  if (samePlaces(a.results, b.results) && a.params.length === b.params.length) return undefined;
  return { reason: "they return other values", sites: b.nodes.at(-1)?.sites ?? [] };
}

/** Names a value by where it is made. */
function placesOf(graph: Graph): (value: Value) => string {
  const nodes = new Map(graph.nodes.map((node, i) => [node, i]));
  const params = new Map(graph.params.map((param, i) => [param, i]));
  return (value) => (value.node ? `${nodes.get(value.node)}:${value.index}` : `${params.get(value)}`);
}

function nodesDiffer(x: Node | undefined, y: Node | undefined, by: Sizes): string | undefined {
  if (x?.op !== y?.op || x?.regions.length !== y?.regions.length) {
    // A constant that is equal to an earlier one is no node of its own.
    const alone = [x, y].find((node) => node?.op.kind === "constant");
    return alone
      ? `the constant ${shownConstant(alone)} is in one alone`
      : `${nameOf(x)} is ${nameOf(y)} in the second`;
  }
  return x && y && attrsDiffer(x, y, by);
}

function shownConstant({ attrs: { data } }: Node): string {
  return data !== undefined && isArray(data) && data.length === 1 ? `${data[0]}` : shown(data);
}

function nameOf(node: Node | undefined): string {
  return node === undefined ? "nothing" : node.op.name;
}

function attrsDiffer(x: Node, y: Node, by: Sizes): string | undefined {
  const [a, b]: readonly Attrs[] = [x.attrs, y.attrs];
  for (const name of new Set([...Object.keys(a!), ...Object.keys(b!)])) {
    const [before, after] = [a![name], b![name]];
    if (before !== undefined && after !== undefined && sameContent(resolved(before, by), after)) continue;
    const [was, is] = shownDifference(before, after);
    const what = x.op.kind === "constant" ? "the constant" : `${name} of ${x.op.name}:`;
    return `${what} ${was} is ${is} in the second`;
  }
  return undefined;
}

function resolved(attr: Attr, by: Sizes): Attr {
  if (by.size === 0) return attr;
  return mapAttr(attr, (d): number | SymDim => (typeof d === "number" ? d : substituteDim(d, by)));
}

/** Whether two attributes are equal, long arrays element by element. */
function sameContent(a: Attr, b: Attr): boolean {
  if (!isArray(a) || !isArray(b)) return attrKey(a) === attrKey(b);
  if (a.constructor.name !== b.constructor.name || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

type TypedAttr = Exclude<Attr, number | bigint | boolean | string | SymDim | readonly Attr[]>;

function isArray(attr: Attr): attr is TypedAttr {
  return typeof attr === "object" && !isAttrList(attr) && ArrayBuffer.isView(attr);
}

/** The elements in which two arrays first differ; anything else as it is. */
function shownDifference(a: Attr | undefined, b: Attr | undefined): readonly [string, string] {
  if (a === undefined || b === undefined || !isArray(a) || !isArray(b) || a.length !== b.length) {
    return [shown(a), shown(b)];
  }
  const at = Array.from<number | bigint>(a).findIndex((x, i) => !Object.is(x, b[i]));
  return [`${a[at]}`, `${b[at]}`];
}

function shown(attr: Attr | undefined): string {
  if (attr === undefined) return "none";
  if (isArray(attr)) return `an array of ${attr.length}`;
  return typeof attr === "number" ? dimKey(attr) : attrKey(attr);
}
