// tf.function: what users get of a function that is traced.
import type { Graph } from "../ir/graph.js";
import { withDefaults } from "../types/options.js";
import { type CallReport, reportCall } from "./call-report.js";
import { drawCall } from "./drawing.js";
import {
  type AnyFunction,
  type ConcreteFunction,
  type FunctionOptions,
  isArgument,
  PolymorphicFunction,
  placesOf,
} from "./function.js";
import type { RetraceReport } from "./retracing.js";
import { flattenStructure } from "./structure.js";
import type { TensorImpl } from "./tensor.js";

/** What tf.function returns: the function, and a look at its traces. */
export interface TracedFunction {
  /** How often it was traced. */
  readonly tracingCount: () => number;
  /** Why it was traced more than once: which argument changed, from what to what, and the line that called. */
  readonly explainRetraces: () => RetraceReport;
  /** The graph that a call with these arguments runs; it shows as text. */
  readonly graph: (...args: unknown[]) => Graph;
  /** How a call with these arguments runs: as one program, or split by ops that run in JavaScript. */
  readonly explain: (...args: unknown[]) => CallReport;
  /**
   * What a call with these arguments runs, drawn: a page of HTML that needs nothing else, to be written to a file and opened. It
   * shows kernels with the ops that each computes in one pass, the regions of tf.cond and tf.whileLoop, what depends on what, and
   * memory over time; hovering shows dtypes, shapes and your lines; large programs are grouped by layer or line, and searched.
   */
  readonly draw: (...args: unknown[]) => string;
}

/** The page of a call, on arguments of these sizes. */
function drawConcrete(name: string, f: ConcreteFunction, leaves: readonly TensorImpl[]): string {
  const { device, graph, captures, variables, assigned } = f;
  const own = graph.results.length - assigned.length;
  return drawCall({
    name,
    device: device.name,
    lowered: device.lower(graph),
    fusion: device.backend.fusion,
    params: [
      ...leaves.map((_, i) => `argument ${i}`),
      ...captures.map((_, i) => `captured ${i}`),
      ...variables.map((v) => v.name),
    ],
    results: graph.results.map((_, i) => (i < own ? `result ${i}` : assigned[i - own]!.name)),
    args: [...leaves, ...captures, ...variables].map((x) => x.aval),
  });
}

/**
 * Makes `f` run as one program: it is called once with tracers for each kind of call, and its graph runs from then on.
 * `if (tensor)` and loops over values are not seen; use tf.cond and tf.whileLoop.
 */
export function makeFunction<F extends AnyFunction>(f: F, options: FunctionOptions = {}): F & TracedFunction {
  const defaults = { inputSignature: undefined, reduceRetracing: true, name: f.name };
  const given = withDefaults("fn", options, defaults);
  const traced = new PolymorphicFunction(f, given);
  // A function of its own, not an arrow: methods get their object.
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    return traced.call(this, args);
  };
  const concrete = (args: readonly unknown[]): ConcreteFunction => {
    const leaves: TensorImpl[] = [];
    const template = flattenStructure(args, leaves, isArgument);
    return traced.concrete(undefined, template, leaves);
  };
  const looks: TracedFunction = {
    tracingCount: () => traced.history.count,
    explainRetraces: () => traced.history.report(),
    graph: (...args) => concrete(args).graph,
    draw: (...args) => {
      const leaves: TensorImpl[] = [];
      const template = flattenStructure(args, leaves, isArgument);
      return drawConcrete(given.name, traced.concrete(undefined, template, leaves), leaves);
    },
    explain: (...args) => {
      const { device, graph, places, captures, variables } = concrete(args);
      return reportCall(given.name, device, graph, [...places, ...placesOf([...captures, ...variables])]);
    },
  };
  Object.defineProperty(wrapper, "name", { value: given.name });
  // boundary: the wrapper passes F's arguments and result through
  return Object.assign(wrapper, looks) as unknown as F & TracedFunction;
}
