// Who watches the engine: tapes, and scopes that free.
import type { Attrs } from "../ir/attrs.js";
import type { Graph } from "../ir/graph.js";
import type { AnyOp } from "../ir/op.js";
import type { TensorImpl } from "./tensor.js";
import type { VariableImpl } from "./variable.js";

/** Sees every op that is applied: a tape. Outputs are tensors or tracers alike. */
export interface Recorder {
  applied(
    op: AnyOp,
    ins: readonly TensorImpl[],
    attrs: Attrs,
    regions: readonly Graph[],
    outs: readonly TensorImpl[],
  ): void;
  /** A variable was read; `value` is the tensor that stands for it in what is recorded. */
  read(variable: VariableImpl, value: TensorImpl): void;
}

/** A scope that owns the tensors made inside it. */
export interface TensorScope {
  readonly made: TensorImpl[];
}
