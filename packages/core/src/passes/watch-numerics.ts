import type { Val } from "../ir/aval.js";
import type { Graph, Node, Value } from "../ir/graph.js";
import { buildingOps } from "../ir/make-ops.js";
import type { AnyOp, OpKind } from "../ir/op.js";
import { remember } from "../ir/remember.js";
import type { Ops } from "../ops/names.js";
import { axesOf, isFloat } from "../ops/rules.js";
import { withSite } from "../types/site.js";
import { type Pass, rewriteGraph } from "./rewrite.js";

/**
 * Puts assertions behind every op, those of regions too, which stop the program where the op made the first NaN or ∞. It runs on
 * a graph as it was traced, so that ops have the names and the lines that the user knows. An ∞ from outside may pass, as in a
 * mask of −∞; a NaN may not.
 */
export const watchNumerics: Pass = { name: "watchNumerics", from: "traced", to: "traced", run: watch };

/** Ops that only move elements, or choose among them. */
const moves: ReadonlySet<OpKind> = new Set(["constant", "shape", "select", "effect", "control"]);

function watch(graph: Graph): Graph {
  const checked = new Set<Value>();
  const infinite = new Map<Value, Val>();
  return rewriteGraph(graph, (builder, op, ins, attrs, regions, node) => {
    const b = buildingOps(builder);
    const goesOn = node.outs.some((aval) => isFloat({ aval })) && op.kind !== "effect" && op.name !== "identity";
    for (const [i, x] of ins.entries()) {
      if (!goesOn || !isFloat(x) || !comesFromOutside(x) || checked.has(x)) continue;
      checked.add(x);
      stop(b, b.not([anyOf(b, isNaN(b, x))]), `operand ${i} of ${op.name} has NaN from outside`, node);
    }
    const outs = builder.apply(op, ins, attrs, regions);
    if (moves.has(op.kind) || regions.length > 0) return outs;
    const isInfinite = (x: Value): Val => remember(infinite, x, () => anyOf(b, isInf(b, x)));
    for (const y of outs.filter(isFloat)) {
      const name = nameOf(op, outs, y);
      stop(b, b.not([anyOf(b, isNaN(b, y))]), `${name} made NaN`, node);
      const given = ins.filter(isFloat).map(isInfinite);
      stop(
        b,
        [b.not([isInfinite(y)]), ...given].reduce((p, q) => b.or([p, q])),
        `${name} made ∞ of finite operands`,
        node,
      );
    }
    return outs;
  });
}

/** A parameter or a constant: no op has made it that was watched. */
const comesFromOutside = (x: Value): boolean => x.node === null || x.node.op.kind === "constant";

const nameOf = ({ name }: AnyOp, outs: readonly Value[], y: Value): string =>
  outs.length > 1 ? `${name} (result ${outs.indexOf(y)})` : name;

const isNaN = (b: Ops, x: Val): Val => b.ne([x, x]);

const isInf = (b: Ops, x: Val): Val => b.not([b.or([b.isFinite([x]), isNaN(b, x)])]);

const anyOf = (b: Ops, x: Val): Val => b.reduceOr([x], { axes: axesOf(x.aval.shape.length) });

function stop(b: Ops, holds: Val, what: string, { sites: [site] }: Node): void {
  b.assert([holds, holds], { message: withSite(`tf.debugging.enableCheckNumerics: ${what}`, site) });
}
