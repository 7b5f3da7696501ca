import { type FloatDType, max, mean, type Tensor } from "@millrace/autodiff";
import { Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { GlobalPool2DRule } from "../../types.js";
import type { Complete, Defaults } from "../../util/options.js";
import { type BatchShape, type BatchShapes, single } from "../../util/shapes.js";
import { requireChannelsLast } from "../../util/windows.js";

/**
 * Options of `GlobalAveragePooling2D` and `GlobalMaxPooling2D`.
 * @public
 */
export interface GlobalPooling2DConfig<Keep extends boolean = boolean, D extends FloatDType = FloatDType>
  extends LayerConfig {
  /** Whether height and width stay as sizes 1. */
  readonly keepDims?: Keep;
  readonly dataFormat?: "channelsLast" | "channelsFirst";
  readonly dtype?: D | undefined;
}

const defaults: Defaults<Omit<GlobalPooling2DConfig, keyof LayerConfig>> = {
  keepDims: false,
  dataFormat: "channelsLast",
};

/** What the two global poolings share. */
abstract class GlobalPooling2D<Name extends string, Keep extends boolean, D extends FloatDType> extends Layer<
  GlobalPool2DRule<Name, Keep, D>
> {
  private readonly config: Complete<GlobalPooling2DConfig>;

  constructor(className: string, config: GlobalPooling2DConfig) {
    const all = layerOptions<GlobalPooling2DConfig>(className, config, defaults);
    super(all);
    requireChannelsLast(className, all.dataFormat);
    this.config = all;
    this.inputSpec = { rank: 4 };
  }

  /** Reduces height and width. */
  protected abstract reduce(x: Tensor, axes: readonly number[], keepDims: boolean): Tensor;

  override call(inputs: Tensors): Tensor {
    return this.reduce(one(this.className, inputs), [1, 2], this.config.keepDims);
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShape {
    const [n = null, , , c = null] = single(this.className, inputShape);
    return this.config.keepDims ? [n, 1, 1, c] : [n, c];
  }

  override getConfig(): Record<string, unknown> {
    return { ...this.config, ...super.getConfig() };
  }
}

/**
 * The mean of each channel: [batch, h, w, channels] gives [batch, channels].
 * @example tf.layers.globalAveragePooling2d()
 * @public
 */
export class GlobalAveragePooling2D<
  const Keep extends boolean = false,
  const D extends FloatDType = "float32",
> extends GlobalPooling2D<"globalAveragePooling2d", Keep, D> {
  static override readonly className: string = "GlobalAveragePooling2D";
  constructor(config: GlobalPooling2DConfig<Keep, D> = {}) {
    super("GlobalAveragePooling2D", config);
  }
  protected override reduce(x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
    return mean(x, axes, keepDims);
  }
}

/**
 * The greatest of each channel: [batch, h, w, channels] gives [batch, channels].
 * @example tf.layers.globalMaxPooling2d()
 * @public
 */
export class GlobalMaxPooling2D<
  const Keep extends boolean = false,
  const D extends FloatDType = "float32",
> extends GlobalPooling2D<"globalMaxPooling2d", Keep, D> {
  static override readonly className: string = "GlobalMaxPooling2D";
  constructor(config: GlobalPooling2DConfig<Keep, D> = {}) {
    super("GlobalMaxPooling2D", config);
  }
  protected override reduce(x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
    return max(x, axes, keepDims);
  }
}
