import type { Attrs } from "../ir/attrs.js";
import type { Graph, GraphBuilder, Value } from "../ir/graph.js";
import { computesNarrow, computeWide } from "../ir/narrow.js";
import type { AnyOp } from "../ir/op.js";
import type { Claims } from "../ir/verify.js";
import { makeOps } from "../ops/table.js";
import { castOp } from "../ops/unary/cast.js";
import type { DType } from "../types/dtype.js";
import { type Pass, rewriteGraph } from "./rewrite.js";

/**
 * Replaces every composite that the backend does not claim by its decomposition, until none is left; and what computes
 * with narrow floats, where the backend has no kernel of it, by the op in float32 between casts.
 */
export function lower(claims: Claims): Pass {
  return {
    name: "lower",
    from: "traced",
    to: "lowered",
    run: (graph) =>
      rewriteGraph(
        graph,
        (builder, op, ins, attrs, regions) => decompose(builder, claims, op, ins, attrs, regions),
        "lowered",
      ),
  };
}

function decompose(
  builder: GraphBuilder,
  claims: Claims,
  op: AnyOp,
  ins: readonly Value[],
  attrs: Attrs,
  regions: readonly Graph[],
): readonly Value[] | undefined {
  const avals = ins.map((v) => v.aval);
  const outs = op.infer(avals, attrs, regions);
  const narrow = computesNarrow(op, avals, outs, regions);
  // What calls JavaScript is run op by op.
  if ((!op.lower && !narrow) || (claims(op, avals, attrs) && !regions.some(holdsCustomOp))) return undefined;
  const apply = (inner: AnyOp, args: readonly Value[], innerAttrs: Attrs, innerRegions: readonly Graph[] = []) => {
    const made = decompose(builder, claims, inner, args, innerAttrs, innerRegions);
    if (made) return made;
    // Regions that the decomposition built may hold composites too; those that it was given are lowered already.
    const lowered = innerRegions.map((r) => (r.stage === "lowered" ? r : lower(claims).run(r)));
    return builder.apply(inner, args, innerAttrs, lowered);
  };
  if (narrow) {
    const cast = (x: Value, dtype: DType): Value => builder.apply(castOp, [x], { dtype })[0]!;
    return computeWide({ cast, apply }, op, ins, attrs, outs);
  }
  // boundary: b is over Values, so what lower makes of them are Values
  return op.lower!(makeOps<Value>(apply), ins, attrs, regions) as readonly Value[];
}

function holdsCustomOp({ nodes }: Graph): boolean {
  return nodes.some(({ op, regions }) => op.kind === "custom" || regions.some(holdsCustomOp));
}
