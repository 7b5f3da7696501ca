// A .tflite file as objects: what the converter builds, the writer writes and the reader reads.
import type { TensorType } from "../schema/enums.js";
import type { Options } from "../schema/tables.js";

/** How integers stand for numbers: (q - zeroPoint) scale, with one pair for all or one an entry of `axis`. */
export interface LiteQuantization {
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  /** Which axis has the entries, where there are several scales. */
  readonly axis: number;
}

/** One tensor of a graph. */
export interface LiteTensor {
  readonly name: string;
  /** What its elements are. */
  readonly type: TensorType;
  /** Sizes that are not fixed are 1 here. */
  readonly shape: readonly number[];
  /** Sizes that are not fixed are -1 here; null where all are fixed. */
  readonly shapeSignature: readonly number[] | null;
  /** The content of a constant, in little-endian order; null where the tensor is computed. */
  readonly data: Uint8Array | null;
  readonly quantization: LiteQuantization | null;
}

/** One step of a graph. Tensors are given by their places in its list; -1 is an input that is left out. */
export interface LiteOperator {
  /** "CONV_2D", or the name of a custom operator. */
  readonly operator: string;
  /** Which of its versions the file asks for. */
  readonly version: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Null where there are none, or none that this package knows. */
  readonly options: Options | null;
}

/** A list of operators in the order in which they run. */
export interface LiteGraph {
  readonly name: string;
  readonly tensors: readonly LiteTensor[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly operators: readonly LiteOperator[];
}

/** A tensor of a signature by its place in the graph's list. */
export interface LiteNamedTensor {
  readonly name: string;
  readonly tensor: number;
}

/** A graph that can be called by name. */
export interface LiteSignature {
  /** "serving_default" */
  readonly name: string;
  /** The place of its graph in the model's list. */
  readonly graph: number;
  readonly inputs: readonly LiteNamedTensor[];
  readonly outputs: readonly LiteNamedTensor[];
}

/** A whole file. */
export interface LiteModel {
  /** Which program made it. */
  readonly description: string;
  /** The oldest release of TensorFlow whose runtime has all operators; null where the file does not say. */
  readonly minRuntimeVersion: string | null;
  readonly graphs: readonly LiteGraph[];
  readonly signatures: readonly LiteSignature[];
}
