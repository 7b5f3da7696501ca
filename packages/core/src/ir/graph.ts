import type { CallSite } from "../types/site.js";
import { type Attrs, attrsKey, noAttrs } from "./attrs.js";
import type { Aval, Val } from "./aval.js";
import type { Guard } from "./dim.js";
import { type AnyOp, inferOp } from "./op.js";
import { printGraph } from "./print.js";

/**
 * How far a graph has come: "traced" may hold any op, "lowered" only primitives and composites that the backend claims,
 * "placed" has every value on a device.
 */
export type Stage = "traced" | "lowered" | "placed";

/** One application of an op. */
export interface Node {
  readonly op: AnyOp;
  readonly inputs: readonly Value[];
  readonly attrs: Attrs;
  readonly regions: readonly Graph[];
  readonly outs: readonly Aval[];
  /** Whether it or anything in its regions has an effect. */
  readonly effect: boolean;
  readonly sites: readonly CallSite[];
}

/** One output of a node, or a parameter of a graph. */
export class Value implements Val {
  /** The node that makes it; null for a parameter. */
  readonly node: Node | null;
  readonly index: number;
  readonly aval: Aval;
  constructor(node: Node | null, index: number, aval: Aval) {
    this.node = node;
    this.index = index;
    this.aval = aval;
  }
}

/** A finished graph in single static assignment; nodes are in an order in which they can run. */
export interface Graph {
  readonly stage: Stage;
  readonly params: readonly Value[];
  readonly nodes: readonly Node[];
  readonly results: readonly Value[];
  /** Comparisons of sizes that must hold when the symbols get their values. */
  readonly guards: readonly Guard[];
}

/** A graph as builders give it: it shows as text. */
class FrozenGraph implements Graph {
  readonly stage: Stage;
  readonly params: readonly Value[];
  readonly nodes: readonly Node[];
  readonly results: readonly Value[];
  readonly guards: readonly Guard[];

  constructor(parts: Graph) {
    this.stage = parts.stage;
    this.params = Object.freeze([...parts.params]);
    this.nodes = Object.freeze([...parts.nodes]);
    this.results = Object.freeze([...parts.results]);
    this.guards = Object.freeze([...parts.guards]);
    for (const node of this.nodes) Object.freeze(node);
    Object.freeze(this);
  }

  toString(): string {
    return printGraph(this);
  }

  /** For console.log in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** A finished graph with fewer nodes: those that are left need none of the others. */
export function withNodes(graph: Graph, nodes: readonly Node[]): Graph {
  const { stage, params, results, guards } = graph;
  return new FrozenGraph({ stage, params, nodes, results, guards });
}

interface Draft {
  readonly op: AnyOp;
  readonly inputs: readonly Value[];
  readonly attrs: Attrs;
  readonly regions: readonly Graph[];
  readonly outs: readonly Aval[];
  readonly effect: boolean;
  sites: CallSite[];
}

/** Sites kept of one node: equal nodes from several lines share one node. */
const maxSites = 4;

/** Builds one graph. Equal applications of an op are one node, unless it has regions or an effect. */
export class GraphBuilder {
  private readonly params: Value[] = [];
  private readonly nodes: Draft[] = [];
  private readonly consed = new Map<string, { readonly node: Draft; readonly values: readonly Value[] }>();
  private readonly numbers = new Map<Value, number>();
  private readonly guards: Guard[] = [];
  /** The sites of nodes that are applied without any: those of the node that a pass replaces by them. */
  sites: readonly CallSite[] = [];

  /** Whether a value belongs to this graph. */
  owns(value: Value): boolean {
    return this.numbers.has(value);
  }

  param(aval: Aval): Value {
    const value = new Value(null, this.params.length, aval);
    this.params.push(value);
    this.numbers.set(value, this.numbers.size);
    return value;
  }

  guard(guard: Guard): void {
    this.guards.push(guard);
  }

  /** Applies an op to values of this graph. Throws a RuleError where a rule of the op is broken. */
  apply(
    op: AnyOp,
    inputs: readonly Value[],
    attrs: Attrs = noAttrs,
    regions: readonly Graph[] = [],
    sites: readonly CallSite[] = [],
  ): readonly Value[] {
    return this.add(op, inputs, attrs, regions, sites.length > 0 ? sites : this.sites);
  }

  /** A node of another graph on values of this one; what it makes is inferred anew only where they are of other avals. */
  adopt(node: Node, inputs: readonly Value[], regions: readonly Graph[] = node.regions): readonly Value[] {
    const same = regions === node.regions && inputs.every((v, i) => v.aval === node.inputs[i]!.aval);
    return this.add(node.op, inputs, node.attrs, regions, node.sites, same ? node.outs : undefined);
  }

  private add(
    op: AnyOp,
    inputs: readonly Value[],
    attrs: Attrs,
    regions: readonly Graph[],
    sites: readonly CallSite[],
    known?: readonly Aval[],
  ): readonly Value[] {
    const key = consKey(
      op,
      inputs.map((v) => this.number(v)),
      attrs,
      regions,
    );
    const seen = key === undefined ? undefined : this.consed.get(key);
    if (seen) {
      const more = sites === this.sites ? [] : sites;
      if (more.length > 0) seen.node.sites = [...seen.node.sites, ...more].slice(0, maxSites);
      return seen.values;
    }
    const avals = (): Aval[] => inputs.map((v) => v.aval);
    const outs = known ?? inferOp(op, avals(), attrs, regions, this.guards);
    const node: Draft = {
      op,
      inputs: [...inputs],
      attrs,
      regions,
      outs,
      effect: (op.effect ?? false) || regions.some(hasEffect),
      sites: [...sites],
    };
    this.nodes.push(node);
    const values = outs.map((aval, i) => new Value(node, i, aval));
    for (const value of values) this.numbers.set(value, this.numbers.size);
    if (key !== undefined) this.consed.set(key, { node, values });
    return values;
  }

  /** Freezes what has been built. `params` gives the parameters another order. */
  finish(results: readonly Value[], stage: Stage = "traced", params: readonly Value[] = this.params): Graph {
    for (const value of [...results, ...params]) this.number(value);
    return new FrozenGraph({ stage, params, nodes: this.nodes, results, guards: this.guards });
  }

  private number(value: Value): number {
    const number = this.numbers.get(value);
    if (number === undefined) throw new TypeError("a value of another graph was used: capture it as a parameter first");
    return number;
  }
}

/** The key under which equal applications meet, or undefined for one that must stay by itself. */
function consKey(op: AnyOp, inputs: readonly number[], attrs: Attrs, regions: readonly Graph[]): string | undefined {
  if (op.effect || regions.length > 0 || op.name === "optimizationBarrier") return undefined;
  return `${op.name}(${inputs.join(",")})${attrsKey(attrs)}`;
}

/** Whether anything in a graph has an effect. */
export function hasEffect(graph: Graph): boolean {
  return graph.nodes.some((node) => node.effect);
}

/** The avals of a graph's parameters. */
export function paramAvals(graph: Graph): readonly Aval[] {
  return graph.params.map((v) => v.aval);
}

/** The avals of a graph's results. */
export function resultAvals(graph: Graph): readonly Aval[] {
  return graph.results.map((v) => v.aval);
}

/** How an op is applied by whoever evaluates a graph: a builder, a tracer, the eager engine. */
export type ApplyFn<V> = (
  op: AnyOp,
  ins: readonly V[],
  attrs: Attrs,
  regions: readonly Graph[],
  sites?: readonly CallSite[],
) => readonly V[];

/** Runs a graph with another meaning of `apply`: inlining, lowering, eager evaluation, differentiation are all this. */
export function evaluateGraph<V>(graph: Graph, args: readonly V[], apply: ApplyFn<V>): V[] {
  const params = new Map<Value, V>();
  graph.params.forEach((p, i) => {
    params.set(p, args[i]!);
  });
  const outputs = new Map<Node, readonly V[]>();
  const read = (v: Value): V => {
    const found = v.node ? outputs.get(v.node)?.[v.index] : params.get(v);
    if (found === undefined) throw new TypeError("evaluateGraph: a value is used before it is made");
    return found;
  };
  for (const node of graph.nodes)
    outputs.set(node, apply(node.op, node.inputs.map(read), node.attrs, node.regions, node.sites));
  return graph.results.map(read);
}

/** Builds a graph on parameters of these avals. */
export function buildGraph(
  avals: readonly Aval[],
  build: (builder: GraphBuilder, params: readonly Value[]) => readonly Value[],
): Graph {
  const builder = new GraphBuilder();
  const params = avals.map((a) => builder.param(a));
  return builder.finish(build(builder, params));
}
