import { dropout, type FloatDType, type Shape, type Tensor } from "@millrace/autodiff";
import { type CallOptions, Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { SameRule } from "../../types.js";
import { type Complete, checkRange, type Defaults, required } from "../../util/options.js";

/**
 * Options of `Dropout`.
 * @public
 */
export interface DropoutConfig<D extends FloatDType = FloatDType> extends LayerConfig {
  /** The probability that an element becomes 0, below 1. */
  readonly rate: number;
  /** The shape in which chance decides, broadcast to the input: sizes of 1 drop together; null is the input's size. */
  readonly noiseShape?: readonly (number | null)[] | null;
  readonly dtype?: D | undefined;
}

const defaults: Defaults<Omit<DropoutConfig, keyof LayerConfig>> = { rate: required, noiseShape: null };

/**
 * In training, sets elements to 0 at random and divides the others by 1 - rate. `tf.setRandomSeed` makes it repeat.
 * @example tf.layers.dropout({ rate: 0.5 })
 * @public
 */
export class Dropout<const D extends FloatDType = "float32"> extends Layer<SameRule<D>> {
  static override readonly className: string = "Dropout";
  protected override readonly supportsMasking: boolean = true;
  private readonly config: Complete<DropoutConfig>;

  constructor(config: DropoutConfig<D>) {
    const all = layerOptions<DropoutConfig>("Dropout", config, defaults);
    super(all);
    checkRange("Dropout", "rate", all.rate, 0, 1 - Number.EPSILON);
    this.config = all;
  }

  override call(inputs: Tensors, { training }: CallOptions): Tensor {
    const x = one("Dropout", inputs);
    const { rate, noiseShape } = this.config;
    if (!training || rate === 0) return x;
    const noise: Shape | undefined = noiseShape?.map((size, i) => size ?? x.shape[i]!);
    return dropout(x, rate, noise);
  }

  override getConfig(): Record<string, unknown> {
    return { ...this.config, ...super.getConfig() };
  }
}
