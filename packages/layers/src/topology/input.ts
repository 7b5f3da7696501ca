import { type DType, MillraceError } from "@millrace/autodiff";
import { InputLayer, type KnownSizes } from "../layers/core/input-layer.js";
import type { BatchSize } from "../types.js";
import { uniqueName } from "../util/names.js";
import type { BatchShape } from "../util/shapes.js";
import { type LayerCall, SymbolicTensor } from "./symbolic.js";

/**
 * Options of `input`.
 * @public
 */
export interface InputOptions<Sizes extends readonly (number | null)[] = BatchShape, D extends DType = DType> {
  /** The shape without the batch axis; null is a size that may be anything. */
  readonly shape: Sizes;
  readonly dtype?: D;
  readonly name?: string;
}

/**
 * A tensor without data that stands for what a functional model takes.
 * @example const x = tf.input({ shape: [784] }); const y = tf.layers.dense({ units: 10 }).apply(x);
 * @public
 */
export function input<const Sizes extends readonly (number | null)[], const D extends DType = "float32">(
  options: InputOptions<Sizes, D>,
): SymbolicTensor<[BatchSize, ...KnownSizes<Sizes>], D> {
  if (!Array.isArray(options.shape)) {
    throw new MillraceError("E_ARGUMENT", `input: the shape must be a list of sizes, got ${String(options.shape)}`);
  }
  const name = options.name ?? uniqueName("input");
  // boundary: float32 is the default of D
  const dtype = options.dtype ?? ("float32" as D);
  const layer = new InputLayer({ inputShape: options.shape as BatchShape, dtype, name });
  // boundary: the layer was made with this shape and dtype
  return symbolOf(layer) as SymbolicTensor<[BatchSize, ...KnownSizes<Sizes>], D>;
}

/** A tensor that stands for what the layer takes. */
export function symbolOf(layer: InputLayer<BatchShape, DType>): SymbolicTensor {
  layer.buildFor(layer.batchInputShape!);
  const outputs: SymbolicTensor[] = [];
  const source: LayerCall = { layer, inputs: [], isList: false, outputs };
  const made: SymbolicTensor = new SymbolicTensor(layer.batchInputShape!, layer.inputDType, layer.name, source);
  outputs.push(made);
  return made;
}
