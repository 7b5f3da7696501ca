import { attrsKey } from "../ir/attrs.js";
import type { Graph, GraphBuilder, Value } from "../ir/graph.js";
import { printGraph } from "../ir/print.js";
import { remember } from "../ir/remember.js";
import { type Pass, type Rewrite, rewriteGraph } from "./rewrite.js";

/** Equal control flow once: builders merge all other equal nodes, but compare no regions. */
export const mergeRegions: Pass = { name: "mergeRegions", from: "lowered", to: "lowered", run: merge };

function merge(graph: Graph): Graph {
  return hasTwins(graph) ? rewriteGraph(graph, mergeOne()) : graph;
}

/** Whether two nodes of a graph have regions: only then there is anything to merge. */
function hasTwins(graph: Graph): boolean {
  const inside = graph.nodes.flatMap((node) => node.regions);
  const owners = graph.nodes.filter((node) => node.regions.length > 0 && !node.effect);
  return owners.length > 1 || inside.some(hasTwins);
}

function mergeOne(): Rewrite {
  const numbers = new Map<Value, number>();
  const number = (v: Value): number => remember(numbers, v, () => numbers.size);
  const seen = new Map<GraphBuilder, Map<string, readonly Value[]>>();
  return (builder, op, ins, attrs, regions) => {
    if (regions.length === 0) return undefined;
    const known = remember(seen, builder, () => new Map<string, readonly Value[]>());
    const key = `${op.name}(${ins.map(number)})${attrsKey(attrs)}\n${regions.map((r) => printGraph(r)).join("\n")}`;
    const merged = known.get(key);
    if (merged) return merged;
    const made = builder.apply(op, ins, attrs, regions);
    if (!made[0]?.node?.effect) known.set(key, made);
    return made;
  };
}
