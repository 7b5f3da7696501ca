/** Reverse-mode automatic differentiation for Millrace: grad, variableGrads and GradientTape. */
export {};
