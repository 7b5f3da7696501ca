// tf.debugging.enableCheckNumerics: programs that stop where the first NaN or ∞ is made.
import type { Graph, Node } from "../ir/graph.js";
import { assertOp } from "../ops/control/effects.js";
import { rewriteGraph } from "../passes/rewrite.js";
import { watchNumerics } from "../passes/watch-numerics.js";
import { withSite } from "../types/site.js";

/** Whether programs that are compiled from now on stop at the first NaN or ∞. */
export const numerics: { watched: boolean } = { watched: false };

/** A traced graph with what looks for faults when it runs: assertions that name their lines, and those of `numerics`. */
export function withChecks(graph: Graph): Graph {
  const located = asserts(graph) ? locateAsserts(graph) : graph;
  return numerics.watched ? watchNumerics.run(located) : located;
}

/** Whether an assertion may stop a graph. */
export function asserts(graph: Graph): boolean {
  return graph.nodes.some((node) => node.op === assertOp || node.regions.some(asserts));
}

function locateAsserts(graph: Graph): Graph {
  return rewriteGraph(graph, (builder, op, ins, _attrs, regions, node) => {
    return op === assertOp ? builder.apply(op, ins, { message: located(node) }, regions) : undefined;
  });
}

const located = ({ attrs, sites: [site] }: Node): string => withSite(String(attrs.message), site);
