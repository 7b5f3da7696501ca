import { avgPool, type FloatDType, MillraceError, maxPool, type Pair, type Tensor } from "@millrace/autodiff";
import { Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { Pool2DRule } from "../../types.js";
import { type Complete, checkWhole, type Defaults } from "../../util/options.js";
import { type BatchShape, type BatchShapes, single } from "../../util/shapes.js";
import { bothOf, type Padding, requireChannelsLast, windowCount } from "../../util/windows.js";

/**
 * Options of `MaxPooling2D` and `AveragePooling2D`.
 * @public
 */
export interface Pooling2DConfig<
  Size extends Pair = Pair,
  Strides extends Pair | null = Pair | null,
  P extends Padding = Padding,
  D extends FloatDType = FloatDType,
> extends LayerConfig {
  /** Height and width of the window, one number for both; 2 unless said. */
  readonly poolSize?: Size;
  /** The steps between windows; the window's size unless said. */
  readonly strides?: Strides;
  readonly padding?: P;
  readonly dataFormat?: "channelsLast" | "channelsFirst";
  readonly dtype?: D | undefined;
}

const defaults: Defaults<Omit<Pooling2DConfig, keyof LayerConfig>> = {
  poolSize: 2,
  strides: null,
  padding: "valid",
  dataFormat: "channelsLast",
};

/** What the two poolings share. */
abstract class Pooling2D<
  Name extends string,
  Size extends Pair,
  Strides extends Pair | null,
  P extends Padding,
  D extends FloatDType,
> extends Layer<Pool2DRule<Name, Size, Strides, P, D>> {
  private readonly config: Complete<Pooling2DConfig>;

  constructor(className: string, config: Pooling2DConfig) {
    const all = layerOptions<Pooling2DConfig>(className, config, defaults);
    super(all);
    requireChannelsLast(className, all.dataFormat);
    for (const size of [...bothOf(all.poolSize), ...bothOf(all.strides ?? 1)]) {
      checkWhole(className, "poolSize and strides", size);
    }
    this.config = all;
    this.inputSpec = { rank: 4 };
  }

  /** Pools one batch of images. */
  protected abstract pool(x: Tensor, size: Pair, strides: Pair, padding: Padding): Tensor;

  override call(inputs: Tensors): Tensor {
    const { poolSize, strides, padding } = this.config;
    return this.pool(one(this.className, inputs), poolSize, strides ?? poolSize, padding);
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShape {
    const [n = null, h = null, w = null, c = null] = single(this.className, inputShape);
    const { poolSize, strides, padding } = this.config;
    const [window, step] = [bothOf(poolSize), bothOf(strides ?? poolSize)];
    const sizes = [h, w].map((size, i) => windowCount(size, window[i]!, step[i]!, padding));
    if (sizes.some((size) => size !== null && size <= 0)) {
      const what = `a window of ${window.join(" x ")} exceeds the input of ${h} x ${w}`;
      throw new MillraceError("E_SHAPE", `${this.className}: ${what}`, { layer: this.name });
    }
    return [n, ...sizes, c];
  }

  override getConfig(): Record<string, unknown> {
    return { ...this.config, ...super.getConfig() };
  }
}

/**
 * The greatest of each window of each channel.
 * @example tf.layers.maxPooling2d({ poolSize: 2 })
 * @public
 */
export class MaxPooling2D<
  const Size extends Pair = 2,
  const Strides extends Pair | null = null,
  const P extends Padding = "valid",
  const D extends FloatDType = "float32",
> extends Pooling2D<"maxPooling2d", Size, Strides, P, D> {
  static override readonly className: string = "MaxPooling2D";
  constructor(config: Pooling2DConfig<Size, Strides, P, D> = {}) {
    super("MaxPooling2D", config);
  }
  protected override pool(x: Tensor, size: Pair, strides: Pair, padding: Padding): Tensor {
    return maxPool(x, size, strides, padding);
  }
}

/**
 * The mean of each window of each channel; padding is not counted.
 * @example tf.layers.averagePooling2d({ poolSize: 2 })
 * @public
 */
export class AveragePooling2D<
  const Size extends Pair = 2,
  const Strides extends Pair | null = null,
  const P extends Padding = "valid",
  const D extends FloatDType = "float32",
> extends Pooling2D<"averagePooling2d", Size, Strides, P, D> {
  static override readonly className: string = "AveragePooling2D";
  constructor(config: Pooling2DConfig<Size, Strides, P, D> = {}) {
    super("AveragePooling2D", config);
  }
  protected override pool(x: Tensor, size: Pair, strides: Pair, padding: Padding): Tensor {
    return avgPool(x, size, strides, padding);
  }
}
