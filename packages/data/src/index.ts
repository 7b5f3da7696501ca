/**
 * Input pipelines for Millrace: datasets that map, shuffle, batch and prefetch.
 * @packageDocumentation
 */
export type { Signal } from "@millrace/core";
export { Dataset, INFINITE, type ReadOptions, UNKNOWN } from "./dataset.js";
export type { DatasetReport, FunctionReport, StageReport } from "./explain.js";
export {
  array,
  type DatasetStructure,
  fromTensorSlices,
  fromTensors,
  type GeneratorResult,
  type GeneratorSource,
  generator,
  generator as fromGenerator,
  range,
  type Zipped,
  zip,
} from "./sources.js";
export type { StageFunctionOptions } from "./stage-function.js";
export type { BatchOptions } from "./stages/batch.js";
export type { ShuffleOptions } from "./stages/shuffle.js";
export type { Batched, ElementSpec, SliceOf, TensorsOf, TensorTuple, Unbatched } from "./types.js";
