import { type FloatDType, softmax, type Tensor } from "@millrace/autodiff";
import { Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { SameRule } from "../../types.js";
import type { Complete, Defaults } from "../../util/options.js";

/**
 * Options of `Softmax`.
 * @public
 */
export interface SoftmaxConfig<D extends FloatDType = FloatDType> extends LayerConfig {
  /** Along which axis the results sum to 1; the last unless said. */
  readonly axis?: number;
  readonly dtype?: D | undefined;
}

const defaults: Defaults<Omit<SoftmaxConfig, keyof LayerConfig>> = { axis: -1 };

/**
 * exp(x) / Σ exp(x) along an axis.
 * @example tf.layers.softmax()
 * @public
 */
export class Softmax<const D extends FloatDType = "float32"> extends Layer<SameRule<D>> {
  static override readonly className: string = "Softmax";
  protected override readonly supportsMasking: boolean = true;
  private readonly config: Complete<SoftmaxConfig>;

  constructor(config: SoftmaxConfig<D> = {}) {
    const all = layerOptions<SoftmaxConfig>("Softmax", config, defaults);
    super(all);
    this.config = all;
  }

  override call(inputs: Tensors): Tensor {
    return softmax(one("Softmax", inputs), this.config.axis);
  }

  override getConfig(): Record<string, unknown> {
    return { ...this.config, ...super.getConfig() };
  }
}
