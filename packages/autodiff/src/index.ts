/**
 * Reverse-mode automatic differentiation: gradients of functions, and GradientTape. Re-exports @millrace/core, so that a
 * package above needs this one only.
 * @packageDocumentation
 */
export * from "@millrace/core";
export {
  grad,
  grads,
  type TensorFunction,
  type UnaryFunction,
  valueAndGrad,
  valueAndGrads,
  variableGrads,
  variablesOf,
} from "./grad.js";
export { type GradientOptions, type Gradients, GradientTape, type GradientTapeOptions } from "./tape.js";
