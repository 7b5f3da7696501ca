import type { Graph } from "../ir/graph.js";
import type { Claims } from "../ir/verify.js";
import { algebra } from "./algebra.js";
import { dce } from "./dce.js";
import { fold } from "./fold.js";
import { lower } from "./lower.js";
import { mergeRegions } from "./merge-regions.js";
import { type Pass, type Rewrite, rewriteGraph } from "./rewrite.js";

/** Rewrites node by node in one go: each sees what the others made of the operands. The first that applies is taken. */
const simplify = (...rewrites: readonly Rewrite[]): Pass => ({
  name: "simplify",
  from: "lowered",
  to: "lowered",
  run: (graph) =>
    rewriteGraph(graph, (...node) => {
      for (const rewrite of rewrites) {
        const made = rewrite(...node);
        if (made) return made;
      }
      return undefined;
    }),
});

/** The passes from a traced graph to one that can be scheduled, in order. */
export function passesFor(claims: Claims): readonly Pass[] {
  return [lower(claims), dce, mergeRegions, simplify(fold, algebra), dce];
}

/** The passes of a build whose ops have no references: constants are computed with the rest, to the same values. */
export function passesWithoutReferences(claims: Claims): readonly Pass[] {
  return [lower(claims), dce, mergeRegions, simplify(algebra), dce];
}

/** Runs every pass. `after` sees each step: tests verify there. */
export function optimize(graph: Graph, claims: Claims, after?: (pass: Pass, graph: Graph) => void): Graph {
  return runPasses(graph, passesFor(claims), after);
}

/** Runs passes, one after the other. */
export function runPasses(graph: Graph, passes: readonly Pass[], after?: (pass: Pass, graph: Graph) => void): Graph {
  return passes.reduce((g, pass) => {
    const next = pass.run(g);
    after?.(pass, next);
    return next;
  }, graph);
}
