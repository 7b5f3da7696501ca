import type { FloatDType, Tensor } from "@millrace/autodiff";
import {
  type Activation as ActivationFunction,
  type ActivationIdentifier,
  getActivation,
} from "../../activations/activations.js";
import { Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { SameRule } from "../../types.js";
import { type Complete, type Defaults, required } from "../../util/options.js";
import { describeAll } from "../../util/serialize.js";

/**
 * Options of `Activation`.
 * @public
 */
export interface ActivationConfig<D extends FloatDType = FloatDType> extends LayerConfig {
  readonly activation: ActivationIdentifier;
  readonly dtype?: D | undefined;
}

const defaults: Defaults<Omit<ActivationConfig, keyof LayerConfig>> = { activation: required };

/**
 * An activation function as a layer.
 * @example tf.layers.activation({ activation: "tanh" })
 * @public
 */
export class Activation<const D extends FloatDType = "float32"> extends Layer<SameRule<D>> {
  static override readonly className: string = "Activation";
  protected override readonly supportsMasking: boolean = true;
  private readonly config: Complete<ActivationConfig>;
  private readonly activation: ActivationFunction;

  constructor(config: ActivationConfig<D>) {
    const all = layerOptions<ActivationConfig>("Activation", config, defaults);
    super(all);
    this.config = all;
    this.activation = getActivation(all.activation);
  }

  override call(inputs: Tensors): Tensor {
    return this.activation(one("Activation", inputs));
  }

  override getConfig(): Record<string, unknown> {
    return { ...describeAll(this.config), ...super.getConfig() };
  }
}
