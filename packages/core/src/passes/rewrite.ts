import type { Attrs } from "../ir/attrs.js";
import { evaluateGraph, type Graph, GraphBuilder, type Stage, type Value } from "../ir/graph.js";
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
) => readonly Value[] | undefined;

/** Rebuilds a graph node by node, regions first. Rebuilding merges equal nodes, so every rewrite is also CSE. */
export function rewriteGraph(graph: Graph, rewrite: Rewrite, stage: Stage = graph.stage): Graph {
  const builder = new GraphBuilder();
  const params = graph.params.map((p) => builder.param(p.aval));
  for (const guard of graph.guards) builder.guard(guard);
  const results = evaluateGraph(graph, params, (op, ins, attrs, regions, sites) => {
    const inner = regions.map((r) => rewriteGraph(r, rewrite, stage));
    return rewrite(builder, op, ins, attrs, inner) ?? builder.apply(op, ins, attrs, inner, sites);
  });
  return builder.finish(results, stage);
}
