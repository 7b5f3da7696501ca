// Programs with ops that no backend knows: those defined outside of core. A graph is split at each into programs, between which
// the op's own definition runs in JavaScript on values that are read and uploaded.
import { mapAttr } from "../ir/attrs.js";
import { evaluateDim } from "../ir/dim.js";
import { type Graph, GraphBuilder, type Node, type Value } from "../ir/graph.js";
import { bytesOf, type HostArray, hostArray, viewAs } from "../ir/host.js";
import type { WhileAttrs } from "../ops/control/while-loop.js";
import { encodeProgram } from "../schedule/encode.js";
import { schedule } from "../schedule/schedule.js";
import { MillraceError } from "../types/errors.js";
import type { Backend, Bound, Buf, Executable } from "./backend.js";
import { SlotMap } from "./slot-map.js";

/** Whether a node runs in JavaScript on every backend: an op from outside, and control flow with such an op inside. */
const isHostCall = (node: Node): boolean => node.op.kind === "custom" || node.regions.some(hasHostCalls);

/** Whether a lowered graph must be split. */
export function hasHostCalls(graph: Graph): boolean {
  return graph.nodes.some(isHostCall);
}

/** The ops of a lowered graph that run in JavaScript, those inside of control flow too. */
export function customOpsOf(graph: Graph): Node[] {
  return graph.nodes.flatMap((node) => [
    ...(node.op.kind === "custom" ? [node] : []),
    ...node.regions.flatMap(customOpsOf),
  ]);
}

/** How many programs the nodes of a graph run as, those of regions aside. */
export function programsOf(graph: Graph): number {
  return planStages(graph).filter(({ part }) => part !== null).length;
}

/** What runs as one program, and the host calls that follow it. */
interface StagePlan {
  readonly part: Graph | null;
  readonly args: readonly Value[];
  readonly results: readonly Value[];
  readonly calls: readonly Node[];
}

/** Cuts a graph at its host calls. The last stage has none, and gives the graph's results. */
function planStages(graph: Graph): StagePlan[] {
  const groups = groupByDepth(graph);
  return groups.map((nodes, i) => {
    const own = new Set(nodes.filter((node) => !isHostCall(node)));
    const calls = nodes.filter(isHostCall);
    const isLast = i === groups.length - 1;
    const later = [...calls, ...groups.slice(i + 1).flat()].flatMap((node) => node.inputs);
    const made = [...later, ...graph.results].filter((v) => v.node && own.has(v.node));
    const results = isLast ? graph.results : [...new Set(made)];
    const used = [...[...own].flatMap((node) => node.inputs), ...results];
    const args = [...new Set(used.filter((v) => !v.node || !own.has(v.node)))];
    const part = own.size > 0 || isLast ? partOf(graph, own, args, results, i === 0) : null;
    return { part, args, results, calls };
  });
}

/** Nodes by how many host calls must run before them. An effect comes no earlier than the effects before it. */
function groupByDepth(graph: Graph): Node[][] {
  const groups: Node[][] = [[]];
  const after = new Map<Node, number>();
  let afterEffects = 0;
  for (const node of graph.nodes) {
    const depths = node.inputs.map((v) => (v.node ? after.get(v.node)! : 0));
    const depth = Math.max(0, node.effect ? afterEffects : 0, ...depths);
    after.set(node, depth + (isHostCall(node) ? 1 : 0));
    if (node.effect) afterEffects = after.get(node)!;
    groups[depth] ??= [];
    groups[depth].push(node);
  }
  if (groups.at(-1)!.some(isHostCall)) groups.push([]);
  return groups;
}

/** Some of a graph's nodes as a graph of their own. */
function partOf(
  graph: Graph,
  own: ReadonlySet<Node>,
  args: readonly Value[],
  results: readonly Value[],
  isFirst: boolean,
): Graph {
  const builder = new GraphBuilder();
  if (isFirst) for (const guard of graph.guards) builder.guard(guard);
  const params = new Map(args.map((v) => [v, builder.param(v.aval)]));
  const copies = new Map<Node, readonly Value[]>();
  const copy = (v: Value): Value => params.get(v) ?? copies.get(v.node!)![v.index]!;
  for (const node of own)
    copies.set(node, builder.apply(node.op, node.inputs.map(copy), node.attrs, node.regions, node.sites));
  return builder.finish(results.map(copy), graph.stage);
}

/** A host call, with its regions compiled. */
interface HostCall {
  readonly node: Node;
  readonly regions: readonly Executable[];
}

interface Stage extends Omit<StagePlan, "part" | "calls"> {
  readonly exe: Executable | null;
  readonly calls: readonly HostCall[];
}

interface SplitGraph {
  readonly symbols: readonly string[];
  readonly stages: readonly Stage[];
}

interface BoundStage {
  readonly part: Bound | null;
  /** The regions of each call. */
  readonly regions: readonly (readonly Bound[])[];
}

interface SplitBound {
  readonly split: SplitGraph;
  readonly stages: readonly BoundStage[];
  readonly sizes: ReadonlyMap<string, number>;
}

/** The split graphs of one device. Their handles are negative, where those of a backend are not. */
export class HostCalls {
  private readonly graphs = new SlotMap<SplitGraph>();
  private readonly bounds = new SlotMap<SplitBound>();
  private readonly backend: Backend;
  private readonly device: number;

  constructor(backend: Backend, device: number) {
    this.backend = backend;
    this.device = device;
  }

  compile(graph: Graph, symbols: readonly string[]): Executable {
    const stages = planStages(graph).map(({ part, calls, ...plan }) => ({
      ...plan,
      exe: part && this.compileWhole(part, symbols),
      calls: calls.map((node) => ({ node, regions: node.regions.map((region) => this.compileAny(region, symbols)) })),
    }));
    return ~this.graphs.add({ symbols, stages });
  }

  private compileWhole(graph: Graph, symbols: readonly string[]): Executable {
    const program = encodeProgram(schedule(graph, symbols, { fusion: this.backend.fusion }));
    return this.backend.compile(program, this.device);
  }

  private compileAny(graph: Graph, symbols: readonly string[]): Executable {
    return hasHostCalls(graph) ? this.compile(graph, symbols) : this.compileWhole(graph, symbols);
  }

  bind(exe: Executable, sizes: readonly number[]): Bound {
    const split = this.graphs.get(~exe, "executable");
    const bindAny = (one: Executable): Bound => (one < 0 ? this.bind(one, sizes) : this.backend.bind(one, sizes));
    const stages = split.stages.map((stage) => ({
      part: stage.exe === null ? null : this.backend.bind(stage.exe, sizes),
      regions: stage.calls.map(({ regions }) => regions.map(bindAny)),
    }));
    return ~this.bounds.add({ split, stages, sizes: new Map(split.symbols.map((s, i) => [s, sizes[i]!])) });
  }

  run(bound: Bound, args: readonly Buf[]): readonly Buf[] {
    const { split, stages, sizes } = this.bounds.get(~bound, "bound program");
    // The outputs of nodes so far; null has the parameters.
    const known = new Map<Node | null, Buf[]>([[null, [...args]]]);
    const read = (v: Value): Buf => known.get(v.node)![v.index]!;
    const made: Buf[] = [];
    let results: readonly Buf[] = [];
    try {
      for (const [i, stage] of split.stages.entries()) {
        const { part, regions } = stages[i]!;
        results = part === null ? [] : this.backend.run(part, stage.args.map(read), []);
        if (i === split.stages.length - 1) break;
        made.push(...results);
        for (const [k, v] of stage.results.entries()) {
          if (!known.has(v.node)) known.set(v.node, []);
          known.get(v.node)![v.index] = results[k]!;
        }
        for (const [k, { node }] of stage.calls.entries()) {
          const ins = node.inputs.map(read);
          const outs = this.call(node, regions[k]!, ins, sizes);
          // A loop without a trip gives its operands.
          made.push(...outs.filter((buf) => !ins.includes(buf)));
          known.set(node, [...outs]);
        }
      }
      return results;
    } finally {
      for (const buf of made) this.backend.free(buf);
    }
  }

  releaseBound(bound: Bound): void {
    for (const { part, regions } of this.bounds.remove(~bound)?.stages ?? []) {
      if (part !== null) this.backend.releaseBound(part);
      for (const region of regions.flat()) (region < 0 ? this : this.backend).releaseBound(region);
    }
  }

  releaseExecutable(exe: Executable): void {
    for (const { exe: part, calls } of this.graphs.remove(~exe)?.stages ?? []) {
      if (part !== null) this.backend.releaseExecutable(part);
      for (const region of calls.flatMap((call) => call.regions))
        (region < 0 ? this : this.backend).releaseExecutable(region);
    }
  }

  private call(
    node: Node,
    regions: readonly Bound[],
    ins: readonly Buf[],
    sizes: ReadonlyMap<string, number>,
  ): readonly Buf[] {
    const { name } = node.op;
    if (node.op.kind === "custom") return this.callReference(node, ins, sizes);
    if (name === "cond") {
      const isTrue = this.readBytes(name, ins[0]!)[0] !== 0;
      return this.runAny(regions[isTrue ? 0 : 1]!, ins.slice(1));
    }
    if (name === "whileLoop") return this.loop(node, regions, ins);
    return this.runAny(regions[0]!, ins);
  }

  private runAny(bound: Bound, args: readonly Buf[]): readonly Buf[] {
    return bound < 0 ? this.run(bound, args) : this.backend.run(bound, args, []);
  }

  private loop(node: Node, [condition, body]: readonly Bound[], ins: readonly Buf[]): readonly Buf[] {
    const { backend } = this;
    // boundary: the attributes of a loop
    const { carried } = node.attrs as WhileAttrs;
    const constants = ins.slice(carried);
    let carry: readonly Buf[] = ins.slice(0, carried);
    const free = (bufs: readonly Buf[]): void => {
      for (const buf of bufs) if (!ins.includes(buf)) backend.free(buf);
    };
    try {
      for (;;) {
        const tests = this.runAny(condition!, [...carry, ...constants]);
        const goesOn = this.readBytes(node.op.name, tests[0]!)[0] !== 0;
        free(tests);
        if (!goesOn) return carry;
        const next = this.runAny(body!, [...carry, ...constants]);
        free(carry);
        carry = next;
      }
    } catch (error) {
      free(carry);
      throw error;
    }
  }

  private readBytes(name: string, buf: Buf): Uint8Array {
    const { backend } = this;
    if (backend.readSync) return backend.readSync(buf);
    const why = `the ${backend.name} backend cannot read at once, as an op from outside of core needs`;
    throw new MillraceError("E_UNIMPLEMENTED", `${name}: ${why}`, { op: name });
  }

  /** Runs one op by its definition. */
  private callReference(node: Node, ins: readonly Buf[], sizes: ReadonlyMap<string, number>): Buf[] {
    const { backend } = this;
    const { op } = node;
    const shapeOf = (v: { readonly shape: Value["aval"]["shape"] }): number[] =>
      v.shape.map((d) => evaluateDim(d, sizes));
    const read = ({ aval }: Value, buf: Buf): HostArray => {
      return { dtype: aval.dtype, shape: shapeOf(aval), data: viewAs(aval.dtype, this.readBytes(op.name, buf)) };
    };
    const attrs = Object.fromEntries(
      Object.entries(node.attrs).map(([name, value]) => [name, mapAttr(value, (d) => evaluateDim(d, sizes))]),
    );
    const outs = node.outs.map((aval) => hostArray(aval.dtype, shapeOf(aval)));
    op.reference!(
      node.inputs.map((v, i) => read(v, ins[i]!)),
      attrs,
      outs,
    );
    return outs.map((out) => backend.upload(bytesOf(out.data), { dtype: out.dtype, shape: out.shape }, this.device));
  }
}
