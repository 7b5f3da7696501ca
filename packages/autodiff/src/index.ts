/**
 * Reverse-mode automatic differentiation: gradients of functions, and GradientTape. Re-exports @millrace/core, so that a
 * package above needs this one only.
 * @packageDocumentation
 */
export * from "@millrace/core";
export {
  type CustomGradient,
  customGrad,
  customGradient,
  gradPassThrough,
  recomputeGrad,
  type Save,
} from "./custom-gradient.js";
export { ForwardAccumulator, type JvpOptions, jvp } from "./forward-accumulator.js";
export {
  grad,
  grads,
  hessian,
  type TensorFunction,
  type UnaryFunction,
  valueAndGrad,
  valueAndGrads,
  variableGrads,
  variablesOf,
} from "./grad.js";
export {
  type GradientOptions,
  type Gradients,
  GradientTape,
  type GradientTapeOptions,
  type JacobianOptions,
  type Jacobians,
} from "./tape.js";
export { vectorizedMap } from "./vectorized-map.js";
