// What the rest of core takes from the type layer.
export * from "./dtype.js";
export * from "./errors.js";
export type * from "./literals.js";
export type * from "./methods.gen.js";
export type * from "./operands.js";
export type * from "./poly.js";
export type * from "./rules/index.js";
export type * from "./shape.js";
export type { Signal } from "./signal.js";
export type * from "./tensor.js";
