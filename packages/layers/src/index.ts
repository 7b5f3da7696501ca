/**
 * Keras-style layers, models, losses, metrics and optimizers.
 * @packageDocumentation
 */

export type { Activation, ActivationIdentifier } from "./activations/activations.js";
export * as activations from "./activations/activations.js";
export * as callbacks from "./callbacks/index.js";
export { Callback, History, type Logs, type ReadLogs, type Verbosity } from "./callbacks/index.js";
export type { InitializerIdentifier } from "./initializers/index.js";
export * as initializers from "./initializers/index.js";
export type { CallOptions, LayerConfig, WeightOptions } from "./layers/index.js";
export * as layers from "./layers/index.js";
export type { LossFunction, LossIdentifier } from "./losses/index.js";
export * as losses from "./losses/index.js";
export type { MetricFunction, MetricIdentifier } from "./metrics/index.js";
export * as metrics from "./metrics/index.js";
export type { OptimizerIdentifier, OptimizerRule } from "./optimizers/index.js";
export * as optimizers from "./optimizers/index.js";
export * as train from "./optimizers/train.js";
export type { RegularizerIdentifier } from "./regularizers/regularizers.js";
export * as regularizers from "./regularizers/regularizers.js";
export {
  type ByteSource,
  inspectWeights,
  type LoadLimits,
  type LoadModelOptions,
  type LoadWeightsOptions,
  loadModel,
  loadModel as loadLayersModel,
  type ModelSource,
  type SavedWeight,
  type SaveOptions,
  type TrainableFormat,
} from "./saving/index.js";
export { Functional, type FunctionalConfig, model, type SymbolicTensors } from "./topology/functional.js";
export { type InputOptions, input } from "./topology/input.js";
export { Layer, type Tensors } from "./topology/layer.js";
export { deserializeLayer, registerKerasSerializable } from "./topology/registry.js";
export { Sequential, type SequentialConfig, sequential } from "./topology/sequential.js";
export { type LayerCall, SymbolicTensor } from "./topology/symbolic.js";
export type { WeightValue } from "./topology/weights.js";
export type { Batch, BatchIterable, BatchLeaf, BatchSource, BatchValue, InputSource } from "./training/batch.js";
export type { CompileOptions } from "./training/compiled.js";
export type { EvaluateOptions, FitOptions } from "./training/fit.js";
export { Model, type ModelInput, type PredictOptions, type SummaryOptions } from "./training/model.js";
export type * from "./types.js";
export type { Serialized } from "./util/identifiers.js";
export type { Signal } from "./util/platform.js";
export type { BatchShape, BatchShapes } from "./util/shapes.js";
