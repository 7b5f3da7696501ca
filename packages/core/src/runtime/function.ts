import { noAttrs } from "../ir/attrs.js";
import type { Aval } from "../ir/aval.js";
import { type Dim, symbol } from "../ir/dim.js";
import { fastMath } from "../ir/fast-math.js";
import type { Graph } from "../ir/graph.js";
import { remember } from "../ir/remember.js";
import { callOp } from "../ops/control/call.js";
import { type Making, Trace } from "../trace/trace.js";
import { MillraceError } from "../types/errors.js";
import type { Buf } from "./backend.js";
import type { BoundGraph } from "./compiled-graph.js";
import type { Device } from "./device.js";
import { engine } from "./engine.js";
import { asserts, numerics } from "./numerics.js";
import { functionName, inVariable } from "./origins.js";
import { traceChecked } from "./purity.js";
import { keepTrace, TraceHistory, useTrace } from "./retracing.js";
import { alikeBut, fits, specAvals, type TensorSpec } from "./signature.js";
import { buildStructure, flattenStructure, refusePromise, sameTemplate, type Template } from "./structure.js";
import { TensorImpl } from "./tensor.js";
import type { TensorType } from "./tensor-type.js";
import { VariableImpl } from "./variable.js";

/** How a function is traced. */
export interface FunctionOptions {
  /** The tensors that it takes, flattened; one trace serves every call that fits. */
  readonly inputSignature?: readonly TensorSpec[];
  /** Whether a second size makes the trace take any size there; true unless said. */
  readonly reduceRetracing?: boolean;
  readonly name?: string;
}

// boundary: a function of any signature
export type AnyFunction = (...args: any[]) => any;

/** Says that a call was not like the last one. */
const missed: unique symbol = Symbol("missed");

/** A function traced for one signature: its graph, and what it uses from outside. */
export class ConcreteFunction {
  readonly graph: Graph;
  readonly template: Template;
  readonly args: readonly Aval[];
  readonly device: Device;
  /** The devices of the arguments. */
  readonly places: readonly Device[];
  readonly captures: readonly TensorImpl[];
  readonly variables: readonly VariableImpl[];
  readonly assigned: readonly VariableImpl[];
  readonly results: Template;
  private readonly resultCount: number;
  /** The setting that it was traced under. */
  private readonly fastMath = fastMath.on;
  // The last call's program: most functions are called with one signature.
  private lastTypes: readonly TensorType[] = [];
  private lastBound: BoundGraph | null = null;
  private lastWatched = false;
  private readonly bufs: Buf[];
  private readonly donated: number[];
  /** The results that are the new values of what is donated. */
  private readonly renewed: number[];
  /** Whether an assertion may stop it. */
  private readonly mayStop: boolean;
  /** The arguments, where they are tensors and plain values in a row: then a call need not be taken apart. */
  private readonly flat: readonly Template[] | undefined;

  constructor(parts: {
    readonly graph: Graph;
    readonly template: Template;
    readonly args: readonly Aval[];
    readonly device: Device;
    readonly places: readonly Device[];
    readonly captures: readonly TensorImpl[];
    readonly variables: readonly VariableImpl[];
    readonly assigned: readonly VariableImpl[];
    readonly results: Template;
  }) {
    this.graph = parts.graph;
    this.template = parts.template;
    this.args = parts.args;
    this.device = parts.device;
    this.places = parts.places;
    this.captures = parts.captures;
    this.variables = parts.variables;
    this.assigned = parts.assigned;
    this.results = parts.results;
    this.resultCount = parts.graph.results.length - parts.assigned.length;
    this.mayStop = asserts(parts.graph);
    this.bufs = new Array<Buf>(parts.graph.params.length);
    const { items } = parts.template.kind === "list" ? parts.template : { items: undefined };
    this.flat = items?.every((t) => t.kind === "leaf" || t.kind === "value") ? items : undefined;
    const firstVariable = parts.args.length + parts.captures.length;
    this.donated = parts.variables.flatMap((v, i) => (parts.assigned.includes(v) ? [firstVariable + i] : []));
    const renewed = parts.variables.filter((v) => parts.assigned.includes(v));
    this.renewed = renewed.map((v) => this.resultCount + parts.assigned.indexOf(v));
  }

  /** Whether a call changes variables. */
  get assignsVariables(): boolean {
    return this.assigned.length > 0;
  }

  /** Whether the tensors of a call fit this trace. */
  accepts(leaves: readonly TensorImpl[]): boolean {
    if (leaves.some((x, i) => x.type.device !== this.places[i]) || this.isOutdated()) return false;
    const sizes = new Map<string, number>();
    return leaves.every((x, i) => fits(this.args[i]!, x.aval, sizes));
  }

  /** Whether a trace made now would differ: of another setting, or elsewhere, where nothing ties it to its device. */
  private isOutdated(): boolean {
    if (this.fastMath !== fastMath.on) return true;
    return this.graph.params.length === 0 && engine.defaultDevice() !== this.device;
  }

  /** Whether the last call's program is still the one to run. */
  private isBound(): boolean {
    return this.lastBound !== null && !this.lastBound.released && this.lastWatched === numerics.watched;
  }

  /** Puts the buffers of a call like the last one in place; false where it is another, or is not that simple. */
  private takeFlat(args: readonly unknown[]): boolean {
    const { flat, lastTypes, bufs } = this;
    if (!flat || !this.isBound() || args.length !== flat.length || engine.recording) return false;
    if (this.isOutdated()) return false;
    for (let i = 0; i < flat.length; i++) {
      const want = flat[i]!;
      const arg = args[i];
      if (want.kind === "leaf") {
        if (!(arg instanceof TensorImpl) || arg.type !== lastTypes[want.index]) return false;
        bufs[want.index] = arg.buf;
      } else if (want.kind !== "value" || !Object.is(want.value, arg)) return false;
    }
    return true;
  }

  /** Runs a call that is like the last one; `missed` where it is not. */
  callAgain(args: readonly unknown[]): unknown {
    return this.takeFlat(args) ? this.execute(this.lastBound!, this.args.length) : missed;
  }

  call(leaves: readonly TensorImpl[]): unknown {
    if (engine.recording) return this.callRecorded(leaves);
    const bound = this.bind(leaves);
    leaves.forEach((x, i) => {
      this.bufs[i] = x.live("a function's argument");
    });
    return this.execute(bound, leaves.length);
  }

  /** Runs the program on the arguments in `bufs` and on what the function uses from outside. */
  private execute(program: BoundGraph, argumentCount: number): unknown {
    const { outs } = program;
    const { bufs } = this;
    let n = argumentCount;
    for (const x of this.captures) bufs[n++] = x.live("a captured tensor");
    for (const v of this.variables) {
      v.forget();
      bufs[n++] = v.live("a captured variable");
    }
    const { device } = this;
    // Variables must be as they were where it stops.
    const waits = this.assigned.length > 0 && (this.mayStop || numerics.watched);
    const made = waits ? device.runToEnd(program, bufs) : device.run(program, bufs, this.donated, this.renewed);
    for (let i = 0; i < this.assigned.length; i++) engine.renew(this.assigned[i]!, made[this.resultCount + i]!);
    if (this.results.kind === "leaf" && this.resultCount === 1) return engine.adopt(outs[0]!, made[0]!);
    const results: TensorImpl[] = [];
    for (let i = 0; i < this.resultCount; i++) results.push(engine.adopt(outs[i]!, made[i]!));
    return buildStructure(this.results, results);
  }

  /** Under a tape the call is one op, whose gradient is the gradient of the graph. */
  private callRecorded(leaves: readonly TensorImpl[]): unknown {
    const ins = [
      ...leaves.map((x) => engine.snapshot(x)),
      ...this.captures,
      ...this.variables.map((v) => engine.snapshot(v)),
    ];
    const outs = engine.graphs.runOp(engine, this.device, callOp, ins, noAttrs, [this.graph]);
    engine.recordCall(callOp, ins, noAttrs, [this.graph], outs);
    for (const [i, v] of this.assigned.entries()) v.assign(outs[this.resultCount + i]!);
    return buildStructure(this.results, outs);
  }

  private bind(leaves: readonly TensorImpl[]): BoundGraph {
    if (this.isBound() && leaves.every((x, i) => x.type === this.lastTypes[i])) return this.lastBound!;
    const all = [...leaves, ...this.captures, ...this.variables];
    this.lastBound = engine.graphs.bind(this.graph, this.device, all);
    this.lastWatched = numerics.watched;
    this.lastTypes = leaves.map((x) => x.type);
    return this.lastBound;
  }

  /** The graph as text. */
  toString(): string {
    return String(this.graph);
  }
}

/** FunctionOptions with their defaults. */
export interface TraceOptions {
  readonly inputSignature: readonly TensorSpec[] | undefined;
  readonly reduceRetracing: boolean;
  readonly name: string;
}

/** A function that is traced once for each kind of call, and then runs as one program. */
export class PolymorphicFunction {
  /** Those that are kept, the last used last. */
  readonly traces: ConcreteFunction[] = [];
  /** The calls that it was traced for. */
  readonly history: TraceHistory;
  protected readonly f: AnyFunction;
  protected readonly options: TraceOptions;
  private depth = 0;
  private last: ConcreteFunction | null = null;

  constructor(f: AnyFunction, options: TraceOptions) {
    this.f = f;
    this.options = options;
    this.history = new TraceHistory(options.name);
  }

  call(self: unknown, args: readonly unknown[]): unknown {
    // Inside another trace a function is part of it.
    if (engine.trace || eagerly) return this.inline(self, args);
    if (this.last) {
      const result = this.last.callAgain(args);
      if (result !== missed) return result;
    }
    const leaves: TensorImpl[] = [];
    const template = flattenStructure(args, leaves, isArgument);
    this.last = this.concrete(self, template, leaves);
    return this.last.call(leaves);
  }

  /** Runs the JavaScript itself. It may call itself, if not without end. */
  private inline(self: unknown, args: readonly unknown[]): unknown {
    if (this.depth === deepest) {
      const why = "a tf.function calls itself without end: recursion has no graph, use tf.whileLoop";
      throw new MillraceError("E_ARGUMENT", why);
    }
    this.depth++;
    try {
      return this.f.apply(self, [...args]);
    } finally {
      this.depth--;
    }
  }

  /** The trace for a call, made if there is none. */
  concrete(self: unknown, template: Template, leaves: readonly TensorImpl[]): ConcreteFunction {
    const found = useTrace(this.traces, (t) => sameTemplate(t.template, template) && t.accepts(leaves));
    if (found) return found;
    const made = this.trace(self, template, leaves);
    keepTrace(this.traces, made, engine.graphs);
    const args = leaves.map((x) => x.aval);
    const places = new Set([made.device, ...made.places].map(({ name }) => name));
    this.history.add({ template, args, takes: made.args, device: [...places].join(" and ") });
    return made;
  }

  /** Traces for these arguments, and looks at what comes out where that was asked for. */
  protected make(trace: () => ConcreteFunction): ConcreteFunction {
    return traceChecked(this.options.name, trace);
  }

  /** Whether a trace may make variables. */
  protected making(): Making | undefined {
    return { before: this.history.count === 0 ? null : this.history.first };
  }

  private trace(self: unknown, template: Template, leaves: readonly TensorImpl[]): ConcreteFunction {
    const { inputSignature, name } = this.options;
    const of = (args: readonly Aval[]): ConcreteFunction =>
      this.make(() => traceFunction(this.f, self, template, args, placesOf(leaves), name, this.making()));
    if (inputSignature) return of(specAvals(inputSignature, leaves));
    const general = this.generalised(template, leaves);
    if (general) {
      try {
        return of(general);
      } catch (error) {
        // The body computes with a size as a number: it gets a trace for each size.
        if (!(error instanceof TypeError)) throw error;
      }
    }
    return of(leaves.map((x) => x.aval));
  }

  /** The arguments with symbols where an earlier trace had another size; undefined where there is none like it. */
  protected generalised(template: Template, leaves: readonly TensorImpl[]): Aval[] | undefined {
    if (!this.options.reduceRetracing) return undefined;
    const alike = this.traces.find((t) => {
      return sameTemplate(t.template, template) && leaves.every((x, i) => alikeBut(t.args[i]!, x.aval));
    });
    if (!alike) return undefined;
    const names = new Map<number, Dim>();
    const sizeSymbol = (size: number): Dim => remember(names, size, () => symbol(`d${names.size}`, 2));
    return leaves.map((x, i) => {
      const shape = x.aval.shape.map((d, axis) => (d === alike.args[i]!.shape[axis] ? d : sizeSymbol(Number(d))));
      return { dtype: x.dtype, shape };
    });
  }
}

/** Variables are part of the function's environment, not arguments. */
export const isArgument = (x: TensorImpl): boolean => !(x instanceof VariableImpl);

/** Calls of itself that a function may be in the middle of. */
const deepest = 200;

/** The devices of a call's tensors. */
export const placesOf = (leaves: readonly TensorImpl[]): readonly Device[] => leaves.map((x) => x.type.device);

/** Traces one call, whose arguments are on `places`. `name` is what tf.memory() calls the function. */
export function traceFunction(
  f: AnyFunction,
  self: unknown,
  template: Template,
  args: readonly Aval[],
  places: readonly Device[] = [],
  name: string = f.name,
  making?: Making,
): ConcreteFunction {
  const device = places[0] ?? engine.defaultDevice();
  const trace = new Trace(null, making);
  return engine.withDevice(device, () => traceOn(trace, device, places, f, self, template, args, name));
}

function traceOn(
  trace: Trace,
  device: Device,
  places: readonly Device[],
  f: AnyFunction,
  self: unknown,
  template: Template,
  args: readonly Aval[],
  name: string,
): ConcreteFunction {
  const tracers = args.map((aval, i) => engine.tracer(trace, trace.argument(i, aval), places[i] ?? device));
  const results: TensorImpl[] = [];
  const returned = engine.within(trace, () => {
    // boundary: the template was made from the list of arguments
    const value: unknown = f.apply(self, buildStructure(template, tracers) as unknown[]);
    refusePromise("tf.function", value);
    return flattenStructure(value, results);
  });
  const values = results.map((x) => engine.inTrace(trace, x).value);
  // boundary: only the engine makes variables
  const assigned = trace.assigned() as VariableImpl[];
  const updates = assigned.map((v) => engine.placed(trace, v, v.type.device).value);
  const captures: { outer: TensorImpl; at: number }[] = [];
  const variables: { variable: VariableImpl; at: number }[] = [];
  trace.inputs.forEach((input, at) => {
    // boundary: as above; what is captured at the outermost trace is a tensor
    if (input.kind === "capture") captures.push({ outer: input.outer as unknown as TensorImpl, at });
    if (input.kind === "variable") variables.push({ variable: input.variable as VariableImpl, at });
  });
  // Without arguments it is at home where what it uses is.
  const outside = [...captures.map((c) => c.outer), ...variables.map((v) => v.variable)];
  const home = args.length > 0 ? device : (outside[0]?.type.device ?? device);
  const order = [...args.keys(), ...captures.map((c) => c.at), ...variables.map((v) => v.at)];
  const graph = trace.finish(
    [...values, ...updates],
    order.map((i) => trace.params[i]!),
  );
  const isVariable = (result: number): boolean => result >= values.length || updates.includes(values[result]!);
  engine.graphs.nameResults(graph, (result) => (isVariable(result) ? inVariable : functionName(name)));
  return new ConcreteFunction({
    graph,
    template,
    args,
    device: home,
    places: args.map((_, i) => places[i] ?? device),
    captures: captures.map((c) => c.outer),
    variables: variables.map((v) => v.variable),
    assigned,
    results: returned,
  });
}

let eagerly = false;

/** Makes every tf.function run its JavaScript each time, to step through it in a debugger. */
export function runFunctionsEagerly(on: boolean): void {
  eagerly = on;
}

/** Whether they do. */
export function runsFunctionsEagerly(): boolean {
  return eagerly;
}
