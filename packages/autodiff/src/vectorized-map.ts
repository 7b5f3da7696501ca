import { MillraceError } from "@millrace/core";
import {
  batchedApply,
  buildStructure,
  engine,
  eqDim,
  flattenStructure,
  formatShape,
  inlineGraph,
  laneOf,
  makeOps,
  needFunction,
  refuseAssigned,
  type TensorImpl,
  type TracedRegion,
  traceRegion,
  type Val,
  type VariableImpl,
  withAxis,
} from "@millrace/core/graph";
import { connectTransforms } from "./graph-vjp.js";
import { applyToTensors, type Watchable } from "./recording.js";

/**
 * `f` on each element of the leading axis of `elems`, all at once: `f` is traced on one element, and every op of it is applied to
 * the whole batch by its batching rule. Results get the axis in front. What `f` uses from outside is the same for all.
 * tf.cond and tf.whileLoop inside of `f` may depend on the element. Gradients go through.
 * @param f from an element (a tensor, or a list or record of tensors) to a tensor or a structure of tensors
 * @param elems what is mapped over; all leading sizes are equal
 * @throws E_SHAPE where leading sizes differ, E_UNIMPLEMENTED where an op has no batched form, with the reason
 * @example tf.vectorizedMap((row) => tf.sum(tf.square(row)), tf.tensor([[1, 2], [3, 4]])) // [5, 25]
 */
export function vectorizedMap<E extends Watchable, R>(f: (element: E) => R, elems: E): R {
  needFunction("vectorizedMap", f);
  connectTransforms();
  const leaves: TensorImpl[] = [];
  const template = flattenStructure(elems, leaves);
  const size = leaves[0]?.aval.shape[0];
  if (size === undefined) throw new MillraceError("E_SHAPE", "vectorizedMap: a scalar has no leading axis to map over");
  for (const x of leaves) {
    if (x.aval.shape[0] !== undefined && eqDim(x.aval.shape[0], size) === true) continue;
    const shapes = leaves.map((leaf) => formatShape(leaf.aval.shape)).join(", ");
    throw new MillraceError("E_SHAPE", `vectorizedMap: all leading sizes must be equal, got ${shapes}`);
  }
  const avals = leaves.map((x) => ({ dtype: x.dtype, shape: x.aval.shape.slice(1) }));
  const region = traceRegion(engine.trace, "vectorizedMap", avals, (...elements) => {
    // boundary: the template was made from the elements
    return f(buildStructure(template, elements) as E);
  });
  refuseAssigned("vectorizedMap", region);
  const graph = region.trace.finish(region.results);
  const lanes = region.trace.inputs.map((input) => {
    return input.kind === "argument" ? laneOf(leaves[input.index]!, true) : laneOf(outside(input), false);
  });
  const b = makeOps<TensorImpl>(applyToTensors);
  const outs = inlineGraph(graph, lanes, batchedApply(applyToTensors, size)).map((x) => withAxis(b, x, size));
  // boundary: the structure that the function returned, around the batched results
  return buildStructure(region.template, outs) as R;
}

/** What the function uses from outside. */
function outside(input: Exclude<TracedRegion["trace"]["inputs"][number], { kind: "argument" }>): TensorImpl {
  // boundary: a trace captures tensors, and only the engine makes variables
  return (input.kind === "capture" ? input.outer : (input.variable as VariableImpl)) as Val as TensorImpl;
}
