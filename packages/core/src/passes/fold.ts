import { type Attrs, hasSizes } from "../ir/attrs.js";
import { isStatic } from "../ir/aval.js";
import type { GraphBuilder, Value } from "../ir/graph.js";
import { countOf, type HostArray, hostArray } from "../ir/host.js";
import type { AnyOp } from "../ir/op.js";
import { type ConstantAttrs, constantOp } from "../ops/create/constant.js";
import type { Rewrite } from "./rewrite.js";

/** Larger results are left to run time: a folded broadcast would only take memory. */
const largestFold = 256;

/** Evaluates what depends on small constants alone, by the reference. */
export const fold: Rewrite = (builder, op, ins, attrs, regions) => {
  if (!op.reference || op.effect || regions.length > 0 || ins.length === 0 || op.kind === "random") return undefined;
  const operands = ins.map(constantOf);
  if (!operands.every((x): x is HostArray => x !== undefined)) return undefined;
  // A slice may begin at a size that is not known yet, although what it gives has a known one.
  return hasSizes(attrs) ? undefined : evaluate(builder, op, ins, operands, attrs);
};

function evaluate(
  builder: GraphBuilder,
  op: AnyOp,
  ins: readonly Value[],
  operands: readonly HostArray[],
  attrs: Attrs,
): readonly Value[] | undefined {
  const avals = op.infer(
    ins.map((v) => v.aval),
    attrs,
    [],
  );
  const grows = avals.some(
    (a, i) =>
      !isStatic(a.shape) || countOf(a.shape) > Math.min(largestFold, Math.max(1, operands[i]?.data.length ?? 1)),
  );
  if (grows) return undefined;
  const outs = avals.map((a) => hostArray(a.dtype, a.shape.map(Number)));
  op.reference!(operands, attrs, outs);
  return outs.flatMap((o) =>
    builder.apply(constantOp, [], { dtype: o.dtype, shape: o.shape, data: o.data } satisfies ConstantAttrs),
  );
}

/** The content of a constant node. */
export function constantOf(value: Value): HostArray | undefined {
  if (value.node?.op !== constantOp) return undefined;
  // boundary: the node's op is constant, so these are its attributes
  return value.node.attrs as ConstantAttrs;
}
