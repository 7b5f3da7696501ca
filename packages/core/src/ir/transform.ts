import { MillraceError } from "../types/errors.js";
import type { Dim } from "./dim.js";
import type { Graph } from "./graph.js";

/** Transformations of whole graphs that rules of control flow need; the autodiff package fills them in. */
export interface GraphTransforms {
  /**
   * The gradient of a graph: takes its parameters and a cotangent for each float result, gives a cotangent for each
   * float parameter.
   */
  vjp(graph: Graph): Graph;
  /** The graph on operands of which some have a leading axis; see ops/batched.ts. */
  batch(
    graph: Graph,
    batched: readonly boolean[],
    size: Dim,
    wanted?: readonly boolean[],
  ): { readonly graph: Graph; readonly batched: readonly boolean[] };
}

function notConnected(): never {
  throw new MillraceError("E_GRADIENT", "the gradient of control flow needs @millrace/autodiff: import it first");
}

/** The slot. */
export const transforms: { current: GraphTransforms } = { current: { vjp: notConnected, batch: notConnected } };
