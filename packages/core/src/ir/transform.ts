import { MillraceError } from "../types/errors.js";
import type { Graph } from "./graph.js";

/** Transformations of whole graphs that rules of control flow need; the autodiff package fills them in. */
export interface GraphTransforms {
  /**
   * The gradient of a graph: takes its parameters and a cotangent for each float result, gives a cotangent for each
   * float parameter.
   */
  vjp(graph: Graph): Graph;
}

/** The slot. */
export const transforms: { current: GraphTransforms } = {
  current: {
    vjp() {
      throw new MillraceError("E_GRADIENT", "the gradient of control flow needs @millrace/autodiff: import it first");
    },
  },
};
