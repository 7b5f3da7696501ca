// A graph from JSON. Nothing is believed: every node goes through its op's own rules, as when it was traced.
import { type Aval, formatAval } from "../ir/aval.js";
import { boundsOf, type Dim, dimKey, eqDim, type Guard, SymDim, symbol, symbolsOf } from "../ir/dim.js";
import { type Graph, GraphBuilder, type Value } from "../ir/graph.js";
import { bytesOf } from "../ir/host.js";
import { symbolName } from "../ir/inline.js";
import type { AnyOp } from "../ir/op.js";
import { findOp } from "../ops/table.js";
import { dtypes, isDType } from "../types/dtype.js";
import { isMillraceError, MillraceError } from "../types/errors.js";
import type { ReadLimits } from "./artifact.js";
import { attrProblem } from "./attr-kinds.js";
import type { Field } from "./json.js";
import { type AttrContext, readAttrs, readSize } from "./read-attrs.js";
import { maxRank } from "./safetensors.js";
import { hasManyTerms, isWhole } from "./sizes.js";
import type { SavedOp, Upgrades } from "./upgrades.js";

/** What all graphs of a file share. */
export interface GraphContext extends Omit<AttrContext, "symbols"> {
  /** The version of each op that the file says it was written with. */
  readonly versions: ReadonlyMap<string, number>;
  /** The package of ops from outside of core. */
  readonly packages: ReadonlyMap<string, string>;
  readonly upgrades: Upgrades;
  readonly limits: ReadLimits;
  /** Nodes that were read so far. */
  nodes: number;
}

/** Whether a size has a value when a graph runs. */
type IsKnown = (name: string) => boolean;

/** Reads a graph. `outer` knows the sizes that have a value around it. */
export function readGraph(field: Field, context: GraphContext, outer: IsKnown = () => false, depth = 0): Graph {
  if (depth > context.limits.depth)
    throw field.error(`is nested deeper than ${context.limits.depth} regions (limits.depth)`);
  const parts = field.fields(["params", "nodes", "results"], ["symbols", "guards"]);
  const symbols = readSymbols(parts.symbols);
  const params = parts.params.items().map((param) => readAval(param, symbols));
  const known = knownSizes(params, outer);
  const attrContext = { ...context, symbols };
  const builder = new GraphBuilder();
  const values: Value[] = params.map((aval) => builder.param(aval));
  const valueAt = (at: Field): Value => values[at.integer(0, values.length - 1)]!;
  for (const node of parts.nodes.items()) {
    context.nodes++;
    if (context.nodes > context.limits.nodes)
      throw node.error(`is one more than the limit of ${context.limits.nodes} nodes (limits.nodes)`);
    const {
      op: name,
      inputs,
      attrs: given,
      regions,
      outputs,
    } = node.fields(["op", "outputs"], ["inputs", "attrs", "regions"]);
    const attrs = readAttrs(given, attrContext);
    for (const size of sizesIn(attrs)) checkKnown(given!, size, known);
    const { op, saved } = resolveOp(name, attrs, context);
    const inner = (regions?.items() ?? []).map((region) => readGraph(region, context, known, depth + 1));
    checkNode(node, op, saved, inner);
    const ins = (inputs?.items() ?? []).map(valueAt);
    const outs = applyOp(node, () => builder.apply(op, ins, saved.attrs, inner));
    const stated = outputs.items().map((output) => readAval(output, symbols));
    checkOutputs(outputs, op, outs, stated);
    values.push(...outs);
  }
  const graph = builder.finish(parts.results.items().map(valueAt));
  const guards = readGuards(parts.guards, symbols);
  for (const guard of guards) for (const size of [guard.a, guard.b]) checkKnown(parts.guards!, size, known);
  return withGuards(graph, guards);
}

function readSymbols(field: Field | undefined): ReadonlyMap<string, Dim> {
  const symbols = new Map<string, Dim>();
  for (const [name, bounds] of field?.entries() ?? []) {
    const [least, most] = bounds.items(2);
    const low = least!.integer(Number.MIN_SAFE_INTEGER);
    symbols.set(name, symbol(name, low, most!.value === null ? Number.MAX_SAFE_INTEGER : most!.integer(low)));
  }
  return symbols;
}

function readAval(field: Field, symbols: ReadonlyMap<string, Dim>): Aval {
  const parts = field.fields(["dtype", "shape"]);
  const dtype = parts.dtype.string();
  if (!isDType(dtype)) throw parts.dtype.error("is no dtype");
  const aval = { dtype, shape: parts.shape.items().map((size) => readSize(size, symbols)) };
  const problem = problemOf(aval);
  if (problem) throw field.error(problem);
  return aval;
}

/** What makes an aval that no tensor can have. */
function problemOf({ dtype, shape }: Aval): string | undefined {
  if (!isDType(dtype)) return `has the dtype ${String(dtype)}`;
  if (!Array.isArray(shape)) return "has no shape";
  if (shape.length > maxRank) return `has more than ${maxRank} axes`;
  let bytes = dtypes[dtype].bytes;
  for (const d of shape) {
    const isSize = typeof d === "number" || d instanceof SymDim;
    if (!isSize || !isWhole(d) || boundsOf(d)[1] < 0) return `has the size ${String(d)}`;
    bytes *= typeof d === "number" ? d : 1;
  }
  if (hasManyTerms(shape)) return "has sizes of too many terms";
  return Number.isSafeInteger(bytes) ? undefined : "has more bytes than can be counted";
}

/** The sizes that a call gives a value: those that are a parameter's size by themselves. */
function knownSizes(params: readonly Aval[], outer: IsKnown): IsKnown {
  const names = new Set(params.flatMap(({ shape }) => shape.flatMap((d) => symbolName(d) ?? [])));
  return (name) => names.has(name) || outer(name);
}

function checkKnown(field: Field, size: Dim, isKnown: IsKnown): void {
  for (const name of symbolsOf(size)) {
    if (!isKnown(name)) throw field.error(`needs the size ${name}, which is no size of a parameter`);
  }
}

function sizesIn(attr: unknown): SymDim[] {
  if (attr instanceof SymDim) return [attr];
  if (typeof attr !== "object" || attr === null || ArrayBuffer.isView(attr)) return [];
  return Object.values(attr).flatMap(sizesIn);
}

/** The op that a node names, in the version that is loaded. Throws E_VERSION where it is not, and says what would be. */
function resolveOp(name: Field, attrs: SavedOp["attrs"], context: GraphContext): { op: AnyOp; saved: SavedOp } {
  const version = context.versions.get(name.string());
  if (version === undefined) throw name.error(`is ${name.string()}, which "ops" does not list`);
  let saved: SavedOp = { op: name.string(), version, attrs };
  for (let steps = 0; ; steps++) {
    const op = findOp(saved.op);
    if (op?.version === saved.version) return { op, saved };
    const step = Object.hasOwn(context.upgrades, saved.op) ? context.upgrades[saved.op] : undefined;
    const upgrade = step && Object.hasOwn(step, saved.version) ? step[saved.version] : undefined;
    if (!upgrade || steps > 1000) throw missing(name, saved, op, context.packages);
    saved = upgrade(saved);
  }
}

function missing(
  name: Field,
  { op, version }: SavedOp,
  found: AnyOp | undefined,
  packages: ReadonlyMap<string, string>,
) {
  const outside = op.includes("/");
  const from = packages.get(op) ?? (outside ? `the package that defines ${op}` : "@millrace/core");
  const known = packages.has(op) || !outside;
  const install = known ? `npm install ${from}@latest` : `install ${from}`;
  const what = found ? `is here in version ${found.version}` : "is not defined here";
  const call = outside ? ` and import it before the artifact is loaded${known ? `: import "${from}"` : ""}` : "";
  const text = `${name.path} the artifact needs ${op}@${version}, which ${what}: ${install}${call}`;
  return new MillraceError("E_VERSION", text, { op });
}

/** How many regions the ops of control flow take; others take none. */
const regionCounts: ReadonlyMap<string, number> = new Map([
  ["call", 1],
  ["cond", 2],
  ["customGradient", 2],
  ["recompute", 1],
  ["scan", 1],
  ["whileLoop", 2],
  ["whileLoopBack", 3],
]);

/** Holds what an op's own rules take for granted, since the compiler holds it where graphs are traced. */
function checkNode(node: Field, op: AnyOp, { attrs }: SavedOp, regions: readonly Graph[]): void {
  const count = regionCounts.get(op.name) ?? 0;
  if (regions.length !== count) throw node.error(`has ${regions.length} regions, where ${op.name} takes ${count}`);
  if (op.name.includes("/")) return;
  for (const [name, attr] of Object.entries(attrs)) {
    const problem = attrProblem(name, attr);
    if (problem) throw node.error(`has the attribute ${JSON.stringify(name)}, which ${problem}`);
  }
  if (op.name === "constant") checkConstant(node, attrs);
}

function checkConstant(node: Field, { data, dtype }: SavedOp["attrs"]): void {
  if (!isDType(dtype) || !ArrayBuffer.isView(data)) throw node.error("is a constant without data");
  if (Object.prototype.toString.call(data) !== `[object ${dtypes[dtype].arrayType}]`)
    throw node.error("is a constant of another dtype");
  if (dtype === "bool" && bytesOf(data).some((x) => x > 1)) throw node.error("holds a bool that is neither 0 nor 1");
}

/** Runs an op's rules; whatever they throw is the file's fault. */
function applyOp(node: Field, apply: () => readonly Value[]): readonly Value[] {
  try {
    return apply();
  } catch (error) {
    if (isMillraceError(error, "E_VERSION")) throw error;
    throw node.error(`breaks a rule: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function checkOutputs(field: Field, op: AnyOp, outs: readonly Value[], stated: readonly Aval[]): void {
  const [made, said] = [outs.map((v) => v.aval), stated];
  for (const aval of made) {
    const problem = problemOf(aval);
    if (problem) throw field.error(`${op.name} makes what ${problem}`);
  }
  const same = made.length === said.length && made.every((a, i) => mayEqual(a, said[i]!));
  if (!same)
    throw field.error(`say ${said.map(formatAval).join(", ")}; ${op.name} makes ${made.map(formatAval).join(", ")}`);
}

/** Equal, or equal for some sizes: a later release may write an expression in another form. */
const mayEqual = (a: Aval, b: Aval): boolean =>
  a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((d, i) => eqDim(d, b.shape[i]!) !== false);

function readGuards(field: Field | undefined, symbols: ReadonlyMap<string, Dim>): Guard[] {
  return (field?.items() ?? []).map((guard) => {
    const [kind, a, b] = guard.items(3);
    return { kind: kind!.oneOf(["eq", "le"]), a: readSize(a!, symbols), b: readSize(b!, symbols) };
  });
}

/** A graph with the guards of its file, and those that its nodes need, whatever the file says. */
function withGuards(graph: Graph, stated: readonly Guard[]): Graph {
  const key = ({ kind, a, b }: Guard): string => `${kind} ${dimKey(a)} ${dimKey(b)}`;
  const seen = new Set(stated.map(key));
  const guards = [...stated, ...graph.guards.filter((guard) => !seen.has(key(guard)))];
  return Object.freeze({ ...graph, guards: Object.freeze(guards) });
}
