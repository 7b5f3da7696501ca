import { type FloatDType, reshape, type Tensor } from "@millrace/autodiff";
import { Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { FlattenRule } from "../../types.js";
import { type BatchShape, type BatchShapes, countOf, shapeOf, single } from "../../util/shapes.js";

/**
 * Options of `Flatten`.
 * @public
 */
export interface FlattenConfig<D extends FloatDType = FloatDType> extends LayerConfig {
  readonly dtype?: D | undefined;
}

/**
 * All axes but the first as one: [batch, 4, 5] gives [batch, 20].
 * @example tf.layers.flatten()
 * @public
 */
export class Flatten<const D extends FloatDType = "float32"> extends Layer<FlattenRule<D>> {
  static override readonly className: string = "Flatten";

  constructor(config: FlattenConfig<D> = {}) {
    super(layerOptions<FlattenConfig>("Flatten", config, {}));
    this.inputSpec = { minRank: 1 };
  }

  override call(inputs: Tensors): Tensor {
    const x = one("Flatten", inputs);
    const size = countOf(shapeOf(x).slice(1));
    // The size that -1 stands for is the batch's, unless another is unknown; an empty batch leaves no division to make.
    return reshape(x, size === null ? [x.shape[0], -1] : [x.shape[0], size]);
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShape {
    const [batch = null, ...rest] = single("Flatten", inputShape);
    return [batch, countOf(rest)];
  }
}
