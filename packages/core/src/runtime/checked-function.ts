// A function that becomes a program by itself, without being asked: only what its graphs do is what it does.
import type { Dim } from "../ir/dim.js";
import { paramAvals } from "../ir/graph.js";
import { matchSymbols } from "../ir/inline.js";
import { engine } from "./engine.js";
import { type AnyFunction, type ConcreteFunction, PolymorphicFunction, traceFunction } from "./function.js";
import { differenceOf, type PurityCheck, traceAgain, traceTwice } from "./purity.js";
import type { Template } from "./structure.js";
import type { TensorImpl } from "./tensor.js";

/** Sizes for which a trace that takes any size is held against one for these sizes. */
const sizesToHold = 16;

/**
 * A function that is traced twice for each kind of call. A trace that takes any size is also held, for the first sizes that
 * it meets, against a trace for these sizes alone: where they differ the body looks at a size (`x.shape[0] === 4`), and
 * every size gets a trace of its own from then on.
 */
export class CheckedFunction extends PolymorphicFunction {
  private readonly check: PurityCheck;
  private readonly held = new WeakMap<ConcreteFunction, Set<string>>();
  private looksAtSizes = false;

  constructor(f: AnyFunction, check: PurityCheck) {
    super(f, { inputSignature: undefined, reduceRetracing: true, name: f.name });
    this.check = check;
    this.history.warns = false;
  }

  protected override make(trace: () => ConcreteFunction): ConcreteFunction {
    return traceTwice(trace, this.check);
  }

  /** Nobody knows that it is a function that is traced: run as it stands it would make variables at each call. */
  protected override making(): undefined {
    return undefined;
  }

  protected override generalised(
    ...call: Parameters<PolymorphicFunction["generalised"]>
  ): ReturnType<PolymorphicFunction["generalised"]> {
    return this.looksAtSizes ? undefined : super.generalised(...call);
  }

  override concrete(self: unknown, template: Template, leaves: readonly TensorImpl[]): ConcreteFunction {
    const found = super.concrete(self, template, leaves);
    if (this.holds(found, self, leaves)) return found;
    this.looksAtSizes = true;
    const [exact, general] = [this.traces.filter(isExact), this.traces.filter((trace) => !isExact(trace))];
    this.traces.splice(0, this.traces.length, ...exact);
    for (const { graph } of general) engine.graphs.release(graph);
    return super.concrete(self, template, leaves);
  }

  /** Gives the programs back. */
  release(): void {
    for (const { graph } of this.traces.splice(0)) engine.graphs.release(graph);
  }

  /** Whether a trace does for these sizes what one for them alone does. */
  private holds(found: ConcreteFunction, self: unknown, leaves: readonly TensorImpl[]): boolean {
    if (isExact(found)) return true;
    const seen = this.held.get(found) ?? new Set();
    this.held.set(found, seen);
    const key = leaves.map((x) => x.shape.join()).join(";");
    if (seen.size >= sizesToHold || seen.has(key)) return true;
    const avals = leaves.map((x) => x.aval);
    const exact = traceAgain(() => traceFunction(this.f, self, found.template, avals, found.places));
    const sizes: Map<string, Dim> = matchSymbols(paramAvals(found.graph), avals);
    if (differenceOf(found, exact, sizes)) return false;
    seen.add(key);
    return true;
  }
}

function isExact({ args }: ConcreteFunction): boolean {
  return args.every(({ shape }) => shape.every((d) => typeof d === "number"));
}
