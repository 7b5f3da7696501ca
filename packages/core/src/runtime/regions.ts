// Regions of control flow while they are traced: what they use from outside, and the variables that they assign.

import type { Aval, Val } from "../ir/aval.js";
import type { Graph, Value } from "../ir/graph.js";
import { Trace } from "../trace/trace.js";
import { MillraceError } from "../types/errors.js";
import type { Tensor } from "../types/tensor.js";
import { engine } from "./engine.js";
import { flattenStructure, refusePromise, type Template } from "./structure.js";
import type { TensorImpl, TracerTensor } from "./tensor.js";
import type { VariableImpl } from "./variable.js";

/** A region that has been traced and not yet been finished. */
export interface TracedRegion {
  readonly trace: Trace;
  readonly args: readonly Value[];
  readonly template: Template;
  readonly results: Value[];
}

/** Traces one region of an op, or a function by itself where there is no trace around. */
export function traceRegion(
  parent: Trace | null,
  name: string,
  args: readonly Aval[],
  f: (...xs: (TensorImpl & Tensor)[]) => unknown,
): TracedRegion {
  const trace = new Trace(parent);
  const tracers = args.map((aval, i) => engine.tracer(trace, trace.argument(i, aval)));
  const leaves: TensorImpl[] = [];
  const template = engine.within(trace, () => {
    const value = f(...tracers);
    refusePromise(name, value);
    return flattenStructure(value, leaves);
  });
  // A tape around the op learns here which variables its regions read.
  // boundary: only the engine makes variables
  if (parent) for (const v of trace.used() as VariableImpl[]) engine.inTrace(parent, v);
  return {
    trace,
    args: tracers.map((t) => t.value),
    template,
    results: leaves.map((x) => engine.inTrace(trace, x).value),
  };
}

/** What several regions use from outside, each once. */
export function outersOf(regions: readonly TracedRegion[]): Val[] {
  const all = regions.flatMap((r) => r.trace.inputs.flatMap((i) => (i.kind === "capture" ? [i.outer] : [])));
  return [...new Set(all)];
}

/** A region's graph, with a parameter for each operand, used or not. */
export function finish(region: TracedRegion, outers: readonly Val[], results: readonly Value[]): Graph {
  const params = [...region.args, ...outers.map((o) => region.trace.capture(o))];
  return region.trace.finish(results, params);
}

/** What is captured in a region of a trace is a tensor or a tracer. */
export function asTensors(values: readonly Val[]): readonly (TensorImpl & Tensor)[] {
  // boundary: inTrace captures nothing else
  return values as unknown as readonly (TensorImpl & Tensor)[];
}

/** The variables that a region assigns. */
// boundary: only the engine makes variables
export const assignedIn = (region: TracedRegion): VariableImpl[] => region.trace.assigned() as VariableImpl[];

/** Throws E_VARIABLE where a region assigns variables. */
export function refuseAssigned(what: string, ...regions: readonly TracedRegion[]): void {
  if (regions.every((region) => assignedIn(region).length === 0)) return;
  throw new MillraceError("E_VARIABLE", `${what}: the function must not assign variables`);
}

/** After an op with regions, the variables that it assigned have its outputs as values. */
export function settle(trace: Trace, variables: readonly VariableImpl[], outs: readonly Tensor[]): void {
  variables.forEach((v, i) => {
    // boundary: outputs in a trace are tracers
    trace.assign(v, (outs[i] as unknown as TracerTensor).value);
  });
}
