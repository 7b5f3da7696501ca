import { type Graph, GraphBuilder, type Node, type Value } from "../ir/graph.js";
import type { Pass } from "./rewrite.js";

/** Drops nodes that no result and no effect needs. Parameters stay: they are the signature. */
export const dce: Pass = { name: "dce", from: "lowered", to: "lowered", run: dropDead };

function dropDead(graph: Graph): Graph {
  const live = new Set<Node>();
  const mark = (value: Value): void => {
    if (value.node) live.add(value.node);
  };
  graph.results.forEach(mark);
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (node.effect) live.add(node);
    if (live.has(node)) node.inputs.forEach(mark);
  }
  if (graph.nodes.every((node) => live.has(node) && node.regions.length === 0)) return graph;
  const builder = new GraphBuilder();
  const map = new Map<Value, Value>(graph.params.map((p) => [p, builder.param(p.aval)]));
  for (const guard of graph.guards) builder.guard(guard);
  const made = new Map<Node, readonly Value[]>();
  const read = (v: Value): Value => (v.node ? made.get(v.node)![v.index]! : map.get(v)!);
  for (const node of graph.nodes) {
    if (!live.has(node)) continue;
    const regions = node.regions.length === 0 ? node.regions : node.regions.map(dropDead);
    made.set(node, builder.adopt(node, node.inputs.map(read), regions));
  }
  return builder.finish(graph.results.map(read), graph.stage);
}
