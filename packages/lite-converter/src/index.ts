/**
 * From models and saved graphs to TFLite files.
 * @packageDocumentation
 */
export { type Conversion, type ConvertOptions, convert, type LiteQuantize, type LiteSource } from "./convert.js";
export type {
  LiteGraph,
  LiteModel,
  LiteNamedTensor,
  LiteOperator,
  LiteQuantization,
  LiteSignature,
  LiteTensor,
} from "./file/model.js";
export { readModel } from "./file/read.js";
export type { LiteLayerReport, LiteOutcome, LiteReport } from "./report.js";
export type { TensorType as LiteTensorType } from "./schema/enums.js";
export type { Options as LiteOptions } from "./schema/tables.js";
