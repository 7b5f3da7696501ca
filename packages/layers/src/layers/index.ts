// tf.layers: the classes by Keras's names, and a function for each by tfjs's.
export { input } from "../topology/input.js";
export { type CallOptions, Layer, type LayerConfig } from "../topology/layer.js";
export type { WeightOptions } from "../topology/weights.js";
export * from "./layers.gen.js";
export { RNNCell } from "./recurrent/cell.js";
