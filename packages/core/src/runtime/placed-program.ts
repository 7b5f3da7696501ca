// Programs on several devices: a placed graph is cut at its copies into parts of one device each. A copy reads a value and
// uploads it.
import { type Aval, formatAval } from "../ir/aval.js";
import { evaluateDim } from "../ir/dim.js";
import { type Graph, GraphBuilder, type Node, type Value } from "../ir/graph.js";
import { remember } from "../ir/remember.js";
import { copyOp, type PlacedGraph, place } from "../passes/place.js";
import { symbolsOfGraph } from "../schedule/schedule.js";
import { MillraceError } from "../types/errors.js";
import type { Buf } from "./backend.js";
import { deviceNamed } from "./backends.js";
import type { BoundGraph, CompiledGraph } from "./compiled-graph.js";
import type { Device } from "./device.js";
import type { ResultName } from "./origins.js";

/** What runs on one device between copies. */
interface PartPlan {
  readonly device: Device;
  readonly nodes: Node[];
  /** What others read of it. */
  readonly exports: Set<Value>;
  /** The results of the whole that it gives, by number. */
  readonly results: number[];
}

interface Part {
  readonly device: Device;
  readonly args: readonly Value[];
  readonly exports: readonly Value[];
  readonly results: readonly number[];
  readonly program: CompiledGraph;
}

interface Copy {
  readonly from: Value;
  readonly to: Value;
}

/** Parts that can run once the copies before them are made, and the copies of what they make. */
interface Stage<P> {
  readonly parts: P[];
  readonly copies: Copy[];
}

/** A graph of several devices, compiled. */
export class PlacedProgram {
  readonly symbols: readonly string[];
  private readonly graph: Graph;
  private readonly deviceOf: (value: Value) => Device;
  private readonly stages: readonly Stage<Part>[];

  /**
   * @param params the devices of the parameters
   * @param home the device of what depends on constants alone
   */
  constructor(traced: Graph, params: readonly Device[], home: Device, nameOf: ResultName = () => "program") {
    const names = params.map(({ name }) => name);
    const placed = place(traced, names, home.name);
    this.graph = placed.graph;
    this.symbols = [...symbolsOfGraph(this.graph)];
    this.deviceOf = (value) => deviceNamed(placed.deviceOf(value)!);
    this.stages = planStages(placed, this.deviceOf).map(({ parts, copies }) => ({
      copies,
      parts: parts.map((part) => compilePart(placed, part, this.symbols, nameOf)),
    }));
  }

  /** The program for these values of the symbols. */
  bind(sizes: readonly number[]): BoundGraph {
    const outs: BoundGraph["outs"][number][] = [];
    for (const { parts } of this.stages) {
      for (const part of parts) {
        const bound = part.program.bind(sizes);
        for (const [i, result] of part.results.entries()) outs[result] = bound.outs[part.exports.length + i]!;
      }
    }
    const run = (args: readonly Buf[]): readonly Buf[] => this.run(args, sizes);
    return { bound: -1, outs, origin: 0, isLong: false, released: false, run };
  }

  private run(args: readonly Buf[], sizes: readonly number[]): readonly Buf[] {
    const known = new Map<Value, Buf>(this.graph.params.map((p, i) => [p, args[i]!]));
    const symbols = new Map(this.symbols.map((s, i) => [s, sizes[i]!]));
    const results: { device: Device; buf: Buf }[] = [];
    try {
      for (const { parts, copies } of this.stages) {
        for (const { device, program, args: wanted, exports, results: given } of parts) {
          const bufs = wanted.map((v) => known.get(v)!);
          const made = device.run(program.bind(sizes), bufs, []);
          for (const [i, v] of exports.entries()) known.set(v, made[i]!);
          for (const [i, result] of given.entries()) results[result] = { device, buf: made[exports.length + i]! };
        }
        for (const { from, to } of copies) known.set(to, this.copy(from, known.get(from)!, this.deviceOf(to), symbols));
      }
      return results.map(({ buf }) => buf);
    } catch (error) {
      for (const { device, buf } of results.filter(Boolean)) device.backend.free(buf);
      throw error;
    } finally {
      for (const p of this.graph.params) known.delete(p);
      for (const [v, buf] of known) this.deviceOf(v).backend.free(buf);
    }
  }

  private copy(value: Value, buf: Buf, to: Device, symbols: ReadonlyMap<string, number>): Buf {
    const { dtype, shape } = value.aval;
    return copyBuffer(this.deviceOf(value), buf, to, { dtype, shape: shape.map((d) => evaluateDim(d, symbols)) });
  }

  release(): void {
    for (const { parts } of this.stages) for (const { program } of parts) program.release();
  }
}

/** What a graph becomes: the devices that it runs on, its programs, and the copies between them. */
export function partsOf(
  graph: Graph,
  params: readonly Device[],
  home: Device,
): { readonly devices: readonly string[]; readonly programs: number; readonly copies: number } {
  const names = params.map(({ name }) => name);
  const placed = place(graph, names, home.name);
  const stages = planStages(placed, (value) => deviceNamed(placed.deviceOf(value)!));
  const parts = stages.flatMap((stage) => stage.parts);
  const devices = [...new Set(parts.map(({ device }) => device.name))];
  return { devices, programs: parts.length, copies: stages.flatMap((stage) => stage.copies).length };
}

/** A buffer's bytes on another device. */
export function copyBuffer(from: Device, buf: Buf, to: Device, aval: Aval): Buf {
  if (from.backend.readSync) return to.backend.upload(from.backend.readSync(buf), aval, to.index);
  const why = `the ${from.backend.name} backend cannot read at once, so ${formatAval(aval)} stays on ${from.name}`;
  throw new MillraceError("E_UNIMPLEMENTED", `to("${to.name}"): ${why}`);
}

/** Nodes by how many copies must be made before them, and by device. An effect comes no earlier than the effects before it. */
function planStages({ graph, deviceOf }: PlacedGraph, device: (value: Value) => Device): Stage<PartPlan>[] {
  const stages: Stage<PartPlan>[] = [];
  const stage = (depth: number): Stage<PartPlan> => {
    while (stages.length <= depth) stages.push({ parts: [], copies: [] });
    return stages[depth]!;
  };
  const partAt = (depth: number, on: Device): PartPlan => {
    const { parts } = stage(depth);
    const known = parts.find((part) => part.device === on);
    if (known) return known;
    const made: PartPlan = { device: on, nodes: [], exports: new Set(), results: [] };
    parts.push(made);
    return made;
  };
  const depths = new Map<Node | null, number>([[null, 0]]);
  const isReal = (v: Value): boolean => deviceOf(v) !== undefined;
  const isCopy = (v: Value): v is Value & { readonly node: Node } => v.node?.op === copyOp && isReal(v.node.inputs[0]!);
  const copies = new Map<Node, Value>();
  const own = new Map<Node, PartPlan>();
  /** Takes note that a part reads a value which another has made. */
  const use = (v: Value, by: PartPlan | null): void => {
    if (!isReal(v) || v.node === null) return;
    if (isCopy(v)) {
      if (copies.has(v.node)) return;
      copies.set(v.node, v);
      const from = v.node.inputs[0]!;
      use(from, null);
      stage(depths.get(v.node)! - 1).copies.push({ from, to: v });
    } else {
      const maker = own.get(v.node)!;
      if (maker !== by) maker.exports.add(v);
    }
  };
  let afterEffects = 0;
  for (const node of graph.nodes) {
    const [first] = node.inputs;
    const copies = node.op === copyOp && first !== undefined && isReal(first);
    const depth = Math.max(node.effect ? afterEffects : 0, ...node.inputs.map((v) => depths.get(v.node) ?? 0));
    depths.set(node, depth + (copies ? 1 : 0));
    if (node.effect) afterEffects = depth;
  }
  // Values know their nodes, not nodes their values: the device of a node is that of its first output that is read.
  const outputs = new Map<Node, Value>();
  for (const v of [...graph.nodes.flatMap((node) => node.inputs), ...graph.results]) if (v.node) outputs.set(v.node, v);
  for (const node of graph.nodes) {
    const out = outputs.get(node);
    const at = out ?? node.inputs.find(isReal);
    if (!at || !isReal(at) || (out && isCopy(out))) continue;
    const part = partAt(depths.get(node)!, device(at));
    part.nodes.push(node);
    own.set(node, part);
    for (const v of node.inputs) use(v, part);
  }
  graph.results.forEach((v, i) => {
    use(v, isCopy(v) || v.node === null ? null : own.get(v.node)!);
    partAt(depths.get(v.node)!, device(v)).results.push(i);
  });
  return stages;
}

/** Compiles a part: its nodes, and what they read that is made wherever it is read. */
function compilePart(
  { graph, deviceOf }: PlacedGraph,
  plan: PartPlan,
  symbols: readonly string[],
  nameOf: ResultName,
): Part {
  const builder = new GraphBuilder();
  for (const guard of graph.guards) builder.guard(guard);
  const own = new Set(plan.nodes);
  const args = new Map<Value, Value>();
  const made = new Map<Node, readonly Value[]>();
  const read = (v: Value): Value => {
    if (v.node && (own.has(v.node) || deviceOf(v) === undefined)) return outsOf(v.node)[v.index]!;
    return remember(args, v, () => builder.param(v.aval));
  };
  const outsOf = (node: Node): readonly Value[] =>
    remember(made, node, () => builder.adopt(node, node.inputs.map(read)));
  for (const node of plan.nodes) outsOf(node);
  const exports = [...plan.exports];
  const results = [...exports, ...plan.results.map((i) => graph.results[i]!)].map(read);
  const part = builder.finish(results, graph.stage);
  const name: ResultName = (i) => (i < exports.length ? "copy" : nameOf(plan.results[i - exports.length]!));
  const { device } = plan;
  return {
    device,
    args: [...args.keys()],
    exports,
    results: plan.results,
    program: device.compile(part, name, symbols),
  };
}
