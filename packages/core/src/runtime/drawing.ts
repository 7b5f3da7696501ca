// A program as a page of HTML: kernels with the ops that each computes, regions inside, and memory over time. The page's script
// is tools/graph-viewer.
import { attrsKey } from "../ir/attrs.js";
import { type Aval, formatAval } from "../ir/aval.js";
import { type Graph, hasEffect, type Node, type Value } from "../ir/graph.js";
import { countOf } from "../ir/host.js";
import { symbolValues } from "../ir/inline.js";
import { isScalarConstant } from "../schedule/kinds.js";
import { evaluateExprs, type ProgramRecord, type Region } from "../schedule/program.js";
import { schedule, symbolsOfGraph } from "../schedule/schedule.js";
import { dtypes, type TypedArray } from "../types/dtype.js";
import { formatSite } from "../types/site.js";
import { script, style } from "./graph-viewer.gen.js";

/** What the page's script reads. */
export interface Drawing {
  readonly root: DrawnGraph;
  /** The most bytes that buffers between kernels take at one time. */
  readonly peak: number;
}

interface DrawnGraph {
  readonly id: number;
  readonly slots: readonly DrawnSlot[];
  /** In the order in which they run. */
  readonly steps: readonly DrawnStep[];
  /** Buffers between kernels, with places as in an arena. */
  readonly buffers: readonly DrawnBuffer[];
}

interface DrawnSlot {
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  /** Whether no kernel of this graph makes it: a parameter or a constant. */
  readonly outer: boolean;
  readonly result: string | null;
}

/** One kernel. */
interface DrawnStep {
  readonly at: number;
  readonly kind: "loop" | "kernel" | "control" | "effect";
  readonly name: string;
  readonly ops: readonly DrawnOp[];
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly regions: readonly { readonly name: string; readonly graph: DrawnGraph }[];
}

interface DrawnOp {
  /** Of its graph. */
  readonly id: number;
  readonly op: string;
  readonly type: string;
  readonly attrs: string;
  readonly ins: readonly { readonly op: number; readonly text: string }[];
  readonly site?: string;
  readonly scope?: string;
  readonly role?: string;
}

/** Alive from kernel `first`, which makes it, to kernel `last`, which reads it last. */
interface DrawnBuffer {
  readonly slot: number;
  readonly bytes: number;
  readonly offset: number;
  readonly first: number;
  readonly last: number;
}

/** A call that is drawn. */
export interface DrawnCall {
  readonly name: string;
  readonly device: string;
  /** After the passes. */
  readonly lowered: Graph;
  readonly fusion: boolean;
  /** What the parameters are called. */
  readonly params: readonly string[];
  /** What the results are called. */
  readonly results: readonly string[];
  /** The arguments' sizes. */
  readonly args: readonly Aval[];
}

/** The page. */
export function drawCall(call: DrawnCall): string {
  const { name, device } = call;
  const drawing = describe(call);
  const title = `${name || "function"} on ${device}`;
  const ops = count(drawing.root, (step) => step.ops.length);
  const about = `${ops} ops in ${count(drawing.root, () => 1)} kernels`;
  const kinds = ["loop", "kernel", "control", "effect"];
  const keys = kinds.map((kind) => `<span class="key ${kind}">${kind}</span>`).join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<header><h1>${escape(title)}</h1><span class="about">${about}</span><span class="space"></span>${keys}<span id="hits"></span>
<input id="search" type="search" placeholder="op, shape, file, layer, weight" aria-label="search">
<button id="open" type="button">open all</button><button id="fit" type="button">fit</button></header>
<div id="canvas"><div id="world"></div></div>
<footer><span class="about">memory between kernels, in the order in which they run; at most ${formatBytes(drawing.peak)}</span><svg id="arena"></svg></footer>
<div id="tip" hidden></div>
<script type="application/json" id="drawing">${JSON.stringify(drawing).replaceAll("<", "\\u003c")}</script>
<script>${script}</script>
</body>
</html>
`;
}

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

function formatBytes(bytes: number): string {
  const power = Math.min(3, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${["B", "KiB", "MiB", "GiB"][power]}`;
}

function count(graph: DrawnGraph, of: (step: DrawnStep) => number): number {
  const inside = (step: DrawnStep): number => step.regions.reduce((n, region) => n + count(region.graph, of), 0);
  return graph.steps.reduce((n, step) => n + of(step) + inside(step), 0);
}

/** What the page shows of a call. */
export function describe({ lowered, fusion, params, results, args }: DrawnCall): Drawing {
  const symbols = [...symbolsOfGraph(lowered)];
  const nodes = new Map<ProgramRecord, readonly Node[]>();
  const program = schedule(lowered, symbols, { fusion, onRecord: (record, made) => nodes.set(record, made) });
  const sizes = evaluateExprs(program.exprs, symbolValues(lowered, args, symbols));
  const root = new RegionPicture(sizes, nodes).draw(program.root, params, results);
  return { root, peak: peakOf(root) };
}

function peakOf({ steps, buffers }: DrawnGraph): number {
  const live = steps.map((_, at) => buffers.reduce((sum, b) => sum + (b.first <= at && at <= b.last ? b.bytes : 0), 0));
  return Math.max(0, ...live);
}

let nextGraph = 0;

class RegionPicture {
  private readonly sizes: readonly number[];
  private readonly nodes: ReadonlyMap<ProgramRecord, readonly Node[]>;

  constructor(sizes: readonly number[], nodes: ReadonlyMap<ProgramRecord, readonly Node[]>) {
    this.sizes = sizes;
    this.nodes = nodes;
  }

  draw(region: Region, params: readonly string[], results: readonly string[]): DrawnGraph {
    const { records } = region;
    // What an alias renames is where the bytes are.
    const memory = region.slots.map((_, slot) => slot);
    for (const record of records) if (record.kind === "alias") memory[record.to] = memory[record.from]!;
    const constants = new Set(records.flatMap((r) => (r.kind === "constant" ? [r.slot] : [])));
    const numbers = new Map<Node, number>();
    for (const record of records) for (const node of this.nodes.get(record) ?? []) numbers.set(node, numbers.size);
    const kernels = records.filter((r) => r.kind === "loop" || r.kind === "library");
    const steps = kernels.map((record, at): DrawnStep => {
      const own = this.nodes.get(record) ?? [];
      const reads = record.kind === "loop" ? record.loads.map((load) => load.slot) : record.ins;
      const writes = record.kind === "loop" ? record.stores.map((store) => store.slot) : record.outs;
      return {
        at,
        kind: kindOf(own),
        name: nameOf(own),
        ops: own.map((node) => drawOp(node, numbers)),
        reads: [...new Set(reads.map((slot) => memory[slot]!))],
        writes: [...writes],
        regions:
          record.kind === "library"
            ? record.regions.map((inner, i) => ({ name: regionName(record.op, i), graph: this.drawInner(inner) }))
            : [],
      };
    });
    const resultOf = new Map(region.results.map((slot, i) => [memory[slot]!, results[i] ?? `result ${i}`]));
    const slots = region.slots.map(({ dtype, dims }, slot): DrawnSlot => {
      const shape = dims.map((d) => this.sizes[d]!);
      const isParam = slot < region.params;
      return {
        name: isParam ? (params[slot] ?? `operand ${slot}`) : constants.has(slot) ? "constant" : "value",
        type: `${dtype}[${shape}]`,
        bytes: countOf(shape) * dtypes[dtype].bytes,
        outer: isParam || constants.has(slot),
        result: resultOf.get(slot) ?? null,
      };
    });
    return { id: nextGraph++, slots, steps, buffers: placeBuffers(steps, slots) };
  }

  private drawInner(region: Region): DrawnGraph {
    return this.draw(region, [], []);
  }
}

const regionNames: Readonly<Record<string, readonly string[]>> = {
  cond: ["if true", "if false"],
  whileLoop: ["while", "body"],
};

const regionName = (op: string, i: number): string => regionNames[op]?.[i] ?? `region ${i}`;

/** Buffers that are neither parameters nor results, each at the lowest place that is free while it lives. */
function placeBuffers(steps: readonly DrawnStep[], slots: readonly DrawnSlot[]): DrawnBuffer[] {
  const lastRead = new Map<number, number>();
  for (const { at, reads } of steps) for (const slot of reads) lastRead.set(slot, at);
  const placed: DrawnBuffer[] = [];
  for (const { at: first, writes } of steps) {
    for (const slot of writes) {
      const { bytes, result } = slots[slot]!;
      if (result !== null || bytes === 0) continue;
      const last = lastRead.get(slot) ?? first;
      const others = placed.filter((b) => b.last >= first).sort((a, b) => a.offset - b.offset);
      let offset = 0;
      for (const other of others) {
        if (other.offset - offset >= bytes) break;
        offset = Math.max(offset, other.offset + other.bytes);
      }
      placed.push({ slot, bytes, offset, first, last });
    }
  }
  return placed;
}

function kindOf([node]: readonly Node[]): DrawnStep["kind"] {
  if (!node) return "kernel";
  if (node.regions.length > 0) return node.regions.some(hasEffect) ? "effect" : "control";
  if (node.op.kind === "effect") return "effect";
  return ["contract", "window", "index", "random", "composite", "custom", "scan", "shape"].includes(node.op.kind)
    ? "kernel"
    : "loop";
}

/** Up to three ops, and how many more. */
function nameOf(nodes: readonly Node[]): string {
  const names = [...new Set(nodes.map((node) => node.op.name))];
  const left = names.length > 3 ? ` +${names.length - 3}` : "";
  return `${names.slice(0, 3).join(" ")}${left}`;
}

function drawOp(node: Node, numbers: ReadonlyMap<Node, number>): DrawnOp {
  const [site] = node.sites;
  return {
    id: numbers.get(node)!,
    op: node.op.name,
    type: node.outs.map(formatAval).join(", "),
    attrs: cut(attrsKey(node.attrs)),
    ins: node.inputs.map((v) => ({ op: numberOf(v, numbers), text: textOf(v) })),
    ...(site ? { site: formatSite(site) } : {}),
    ...(site?.scope ? { scope: site.scope } : {}),
    ...(site?.role ? { role: site.role } : {}),
  };
}

/** The op that is drawn for a value: index maps are drawn as what they look at; −1 for what no op makes. */
function numberOf(value: Value, numbers: ReadonlyMap<Node, number>): number {
  for (let at: Value | undefined = value; at?.node; at = at.node.inputs[0]) {
    const number = numbers.get(at.node);
    if (number !== undefined) return number;
  }
  return -1;
}

function textOf({ node, index, aval }: Value): string {
  const maker = node ? node.op.name : `parameter ${index}`;
  const what = isScalarConstant(node) ? String((node.attrs.data as TypedArray)[0]) : maker;
  return `${what} ${formatAval(aval)}`;
}

const longest = 300;
const cut = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text);
