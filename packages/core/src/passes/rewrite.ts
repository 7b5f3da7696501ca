import type { Attrs } from "../ir/attrs.js";
import { type Graph, GraphBuilder, type Node, type Stage, type Value } from "../ir/graph.js";
import type { AnyOp } from "../ir/op.js";

/** One pass over a graph: legal at `from`, legal at `to`, the same values for every input. */
export interface Pass {
  readonly name: string;
  readonly from: Stage;
  readonly to: Stage;
  run(graph: Graph): Graph;
}

/** What a rewrite makes of one node: values to take its place, or undefined to keep it. */
export type Rewrite = (
  builder: GraphBuilder,
  op: AnyOp,
  ins: readonly Value[],
  attrs: Attrs,
  regions: readonly Graph[],
  /** The node itself, in the graph before. */
  node: Node,
) => readonly Value[] | undefined;

/** Rebuilds a graph node by node, regions first. Rebuilding merges equal nodes, so every rewrite is also CSE. */
export function rewriteGraph(graph: Graph, rewrite: Rewrite, stage: Stage = graph.stage): Graph {
  const builder = new GraphBuilder();
  const params = new Map<Value, Value>(graph.params.map((p) => [p, builder.param(p.aval)]));
  const made = new Map<Node, readonly Value[]>();
  const read = (v: Value): Value => (v.node ? made.get(v.node)![v.index]! : params.get(v)!);
  for (const guard of graph.guards) builder.guard(guard);
  for (const node of graph.nodes) {
    const ins = node.inputs.map(read);
    const { regions } = node;
    const inner = regions.length === 0 ? regions : regions.map((r) => rewriteGraph(r, rewrite, stage));
    builder.sites = node.sites;
    made.set(node, rewrite(builder, node.op, ins, node.attrs, inner, node) ?? builder.adopt(node, ins, inner));
  }
  return builder.finish(graph.results.map(read), stage);
}
