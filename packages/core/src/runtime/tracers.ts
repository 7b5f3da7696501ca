import type { Value } from "../ir/graph.js";
import { remember } from "../ir/remember.js";
import type { Trace } from "../trace/trace.js";
import type { Tensor } from "../types/tensor.js";
import type { Device } from "./device.js";
import { isSlices, isVariable, type TensorImpl, TracerTensor } from "./tensor.js";
import { TensorType } from "./tensor-type.js";
import type { VariableImpl } from "./variable.js";

/** What tracers need of the engine. */
export interface TracerHost {
  defaultDevice(): Device;
  /** Refuses what is no live tensor of this engine. */
  check(what: string, x: TensorImpl): void;
  /** Runs `f` with this as the innermost trace. */
  within<T>(trace: Trace, f: () => T): T;
  /** A variable was read; `value` stands for it. */
  onRead(variable: VariableImpl, value: TensorImpl): void;
}

/** The tensors that stand for values of graphs while functions are traced. */
export class Tracers {
  private readonly known = new WeakMap<Value, TracerTensor>();
  private readonly host: TracerHost;

  constructor(host: TracerHost) {
    this.host = host;
  }

  /** The one tensor that stands for a value, so that a tape meets the same object each time. */
  of(trace: Trace, value: Value, device: Device = this.placeOf(value), isFree = false): TracerTensor {
    return remember(this.known, value, () => {
      return new TracerTensor(new TensorType(0, value.aval, device), trace, value, isFree);
    });
  }

  /** A parameter that was made for a tensor is where that is. */
  private placeOf({ node, aval }: Value): Device {
    return node === null && aval instanceof TensorType ? aval.device : this.host.defaultDevice();
  }

  /** A tensor as a value of `trace`: its own tracer, or a parameter that stands for it. */
  enter(trace: Trace, x: TensorImpl): TracerTensor {
    if (x instanceof TracerTensor) {
      if (x.trace === trace) return x;
      if (!x.trace.open || !isWithin(trace, x.trace)) x.live("an op");
      return this.lift(trace, x);
    }
    // boundary: every Tensor is a TensorImpl
    if (isSlices(x)) return this.enter(trace, this.host.within(trace, () => x.toDense()) as Tensor & TensorImpl);
    this.host.check("an op", x);
    return isVariable(x) ? this.read(trace, x) : this.of(trace, trace.capture(x), x.type.device);
  }

  /** A tracer of an enclosing trace becomes an operand of every region between. */
  private lift(trace: Trace, x: TracerTensor): TracerTensor {
    const outer = trace.parent === x.trace ? x : this.lift(trace.parent!, x);
    return this.of(trace, trace.capture(outer), x.type.device);
  }

  private read(trace: Trace, variable: VariableImpl): TracerTensor {
    const tracer = this.of(
      trace,
      trace.read(variable, (parent) => this.read(parent, variable)),
      variable.type.device,
    );
    this.host.onRead(variable, tracer);
    return tracer;
  }
}

/** Whether `inner` is `outer` or lies inside it. */
function isWithin(inner: Trace | null, outer: Trace): boolean {
  return inner !== null && (inner === outer || isWithin(inner.parent, outer));
}
