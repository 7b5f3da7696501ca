import { type Graph, GraphBuilder, type Node, type Value, withNodes } from "../ir/graph.js";
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
  const kept = graph.nodes.filter((node) => live.has(node));
  const inner = new Map<Node, readonly Graph[]>();
  for (const node of kept) if (node.regions.length > 0) inner.set(node, node.regions.map(dropDead));
  const isChanged = [...inner].some(([node, regions]) => regions.some((region, i) => region !== node.regions[i]));
  if (!isChanged) return kept.length === graph.nodes.length ? graph : withNodes(graph, kept);
  const builder = new GraphBuilder();
  const map = new Map<Value, Value>(graph.params.map((p) => [p, builder.param(p.aval)]));
  for (const guard of graph.guards) builder.guard(guard);
  const made = new Map<Node, readonly Value[]>();
  const read = (v: Value): Value => (v.node ? made.get(v.node)![v.index]! : map.get(v)!);
  for (const node of kept) made.set(node, builder.adopt(node, node.inputs.map(read), inner.get(node) ?? node.regions));
  return builder.finish(graph.results.map(read), graph.stage);
}
