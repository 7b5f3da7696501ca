// Tensors before there is data: what functional models are drawn with.
import type { AnyShape, DType, Shape } from "@millrace/autodiff";
import type { BatchShape } from "../util/shapes.js";
import type { Layer } from "./layer.js";

/**
 * One application of a layer while a functional model is drawn.
 * @public
 */
export interface LayerCall {
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
  /** Whether the layer was given a list, which a list of one differs from a tensor in. */
  readonly isList: boolean;
  readonly outputs: readonly SymbolicTensor[];
}

/**
 * The result of applying a layer to another symbolic tensor, or an input of a model. Has a shape and no data.
 * @public
 */
// boundary: a bare SymbolicTensor is of any dtype
export class SymbolicTensor<out S extends Shape = AnyShape, out D extends DType = any> {
  /** The sizes; null is a size that may be anything. */
  readonly shape: BatchShape;
  readonly dtype: D;
  readonly name: string;
  /** The application that it comes from; that of an InputLayer has no inputs. */
  readonly source: LayerCall;
  /** Holds the sizes for the compiler; nothing at run time. */
  declare readonly sizes?: S;

  constructor(shape: BatchShape, dtype: D, name: string, source: LayerCall) {
    this.shape = shape;
    this.dtype = dtype;
    this.name = name;
    this.source = source;
  }

  get rank(): number {
    return this.shape.length;
  }
}
