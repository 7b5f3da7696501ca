import type { DType } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import type { Like } from "../types/operands.js";
import type { Tensor } from "../types/tensor.js";
import type { Attrs } from "./attrs.js";
import type { Aval, Val } from "./aval.js";
import { duplicateCore, otherCopy } from "./copies.js";
import type { Graph } from "./graph.js";
import type { AnyOp } from "./op.js";

/** How public functions reach the engine. `createEngine` fills the slot; ops know nothing else of what runs them. */
export interface Dispatcher {
  /** Applies an op to tensors: runs it now, or records it where a function is being traced. */
  apply(op: AnyOp, ins: readonly Tensor[], attrs: Attrs, regions?: readonly Graph[]): readonly Tensor[];
  /** `apply` of an op with one operand and one output, without arrays on the way. */
  apply1(op: AnyOp, x: Tensor, attrs: Attrs): Tensor;
  /** `apply` of an op with two operands, one output and no attributes. */
  apply2(op: AnyOp, a: Tensor, b: Tensor): Tensor;
  /** `apply2` where the op has met this pair of types last time, else undefined. Takes anything. */
  hit2(op: AnyOp, a: Like, b: Like): Tensor | undefined;
  /** Whether ops run at once and nobody watches: no trace, no tape. */
  isPlain(): boolean;
  /** A number as an operand: a tensor that is shared, so it must not become a result. It is where `beside` is. */
  scalar(value: number, dtype: DType, beside?: Tensor): Tensor;
  /** Runs `f`, which makes tensors of its own for `x`: they go where `x` is. */
  near<T>(x: Tensor, f: () => T): T;
  /**
   * An operand as a tensor; a plain value takes `dtype`, else what its JavaScript type says. `shape`, where given, has as
   * many elements as the value. It goes where `beside` is, else to the default device.
   */
  toTensor(value: Like, dtype?: DType, shape?: readonly number[], beside?: Tensor): Tensor;
}

function noBackend(): never {
  const other = otherCopy();
  if (other) throw duplicateCore(other);
  throw new MillraceError("E_NO_BACKEND", 'no backend is registered: import "millrace", or call registerBackend first');
}

/** The slot. */
export const dispatch: { current: Dispatcher } = {
  current: {
    apply: noBackend,
    apply1: noBackend,
    apply2: noBackend,
    hit2: noBackend,
    isPlain: noBackend,
    near: noBackend,
    scalar: noBackend,
    toTensor: noBackend,
  },
};

/** A tensor as rules see it. */
export function valOf(x: Tensor): Tensor & Val {
  // boundary: every Tensor is made by the engine, whose class has an aval; users see an interface without it.
  return x as Tensor & Val;
}

/** What is known of a tensor; sizes may be symbolic while tracing. */
export function avalOf(x: Tensor): Aval {
  return valOf(x).aval;
}

/** The result of an untyped call under the type that the shape rules give. */
export function typed<T>(x: Tensor): T {
  // boundary: type-level rules and infer are two statements of one rule; the fuzz in type-tests holds them together.
  return x as T;
}
