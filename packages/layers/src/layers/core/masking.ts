import { any, cast, type FloatDType, mul, notEqual, type Tensor } from "@millrace/autodiff";
import { Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { SameRule } from "../../types.js";
import type { Defaults } from "../../util/options.js";

/**
 * Options of `masking`.
 * @public
 */
export interface MaskingConfig<D extends FloatDType = FloatDType> extends LayerConfig {
  /** A step of which all features are this does not count. */
  readonly maskValue?: number;
  readonly dtype?: D | undefined;
}

const defaults: Defaults<Omit<MaskingConfig, keyof LayerConfig>> = { maskValue: 0 };

/**
 * Leaves steps [batch, time, features] out whose features are all `maskValue`: they become 0, and the layers after this one,
 * recurrent ones above all, skip them.
 * @example tf.layers.masking({ maskValue: -1 })
 * @public
 */
export class Masking<const D extends FloatDType = "float32"> extends Layer<SameRule<D>> {
  static override readonly className: string = "Masking";
  private readonly maskValue: number;

  constructor(config: MaskingConfig<D> = {}) {
    const all = layerOptions<MaskingConfig>("Masking", config, defaults);
    super(all);
    this.maskValue = all.maskValue;
  }

  private counting(inputs: Tensors, keepDims: boolean): Tensor {
    return any(notEqual(one("Masking", inputs), this.maskValue) as Tensor, -1, keepDims) as Tensor;
  }

  override computeMask(inputs: Tensors): Tensor {
    return this.counting(inputs, false);
  }

  override call(inputs: Tensors): Tensor {
    const x = one("Masking", inputs);
    return mul(x, cast(this.counting(x, true), x.dtype as FloatDType));
  }

  override getConfig(): Record<string, unknown> {
    return { maskValue: this.maskValue, ...super.getConfig() };
  }
}
