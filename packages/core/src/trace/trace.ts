import type { Aval, Val } from "../ir/aval.js";
import { type Graph, GraphBuilder, type Value } from "../ir/graph.js";
import { remember } from "../ir/remember.js";
import { type CallSite, captureSites } from "../types/site.js";

/** Whether what is traced may make variables: where it was traced before; null at the first time, undefined if unknown. */
export interface Making {
  readonly before: CallSite | null | undefined;
}

/** What a trace needs of a variable. */
export interface TracedVariable {
  readonly aval: Aval;
}

/** Where a parameter's value comes from when the graph runs. */
export type Input =
  | { readonly kind: "argument"; readonly index: number }
  | { readonly kind: "capture"; readonly outer: Val }
  | { readonly kind: "variable"; readonly variable: TracedVariable };

interface VariableState {
  current: Value;
  assigned: boolean;
}

/**
 * One function, or one region of control flow, while it is being traced. What it uses from outside becomes a parameter:
 * a tensor is captured, a variable is read when the graph runs and is a result where it was assigned.
 */
export class Trace {
  readonly builder: GraphBuilder = new GraphBuilder();
  readonly parent: Trace | null;
  /** Where the function was called. */
  readonly site: CallSite | undefined = captureSites(1)[0];
  /** What each parameter of the builder stands for, in the order of the parameters. */
  readonly inputs: Input[] = [];
  readonly params: Value[] = [];
  /** False once the function has returned: its tracers have leaked if they are used then. */
  open = true;
  private readonly captured = new Map<Val, Value>();
  private readonly variables = new Map<TracedVariable, VariableState>();

  /** Undefined where variables must not be made at all. */
  readonly making: Making | undefined;

  constructor(parent: Trace | null, making?: Making) {
    this.parent = parent;
    this.making = making;
  }

  /** A parameter for the function's own argument `index`. */
  argument(index: number, aval: Aval): Value {
    return this.addParam({ kind: "argument", index }, aval);
  }

  /** The parameter that stands for a value from outside. */
  capture(outer: Val): Value {
    return remember(this.captured, outer, () => this.addParam({ kind: "capture", outer }, outer.aval));
  }

  /** The value that a variable has at this point of the function. `fromParent` gives it to a region. */
  read(variable: TracedVariable, fromParent: (parent: Trace) => Val): Value {
    const state = remember(this.variables, variable, () => ({
      current: this.parent
        ? this.capture(fromParent(this.parent))
        : this.addParam({ kind: "variable", variable }, variable.aval),
      assigned: false,
    }));
    return state.current;
  }

  assign(variable: TracedVariable, value: Value): void {
    this.variables.set(variable, { current: value, assigned: true });
  }

  /** The variables that the function read or assigned. */
  used(): TracedVariable[] {
    return [...this.variables.keys()];
  }

  /** The variables that the function assigned. */
  assigned(): TracedVariable[] {
    return [...this.variables].filter(([, s]) => s.assigned).map(([v]) => v);
  }

  finish(results: readonly Value[], params: readonly Value[] = this.params): Graph {
    this.open = false;
    return this.builder.finish(results, "traced", params);
  }

  private addParam(input: Input, aval: Aval): Value {
    const value = this.builder.param(aval);
    this.inputs.push(input);
    this.params.push(value);
    return value;
  }
}
