import {
  elu,
  type FloatDType,
  greaterEqual,
  leakyRelu,
  minimum,
  mul,
  relu,
  sub,
  type Tensor,
  where,
} from "@millrace/autodiff";
import { Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { SameRule } from "../../types.js";
import { type Complete, checkRange, type Defaults } from "../../util/options.js";

/**
 * Options of `ReLU`.
 * @public
 */
export interface ReLUConfig<D extends FloatDType = FloatDType> extends LayerConfig {
  /** The greatest result; none unless said. */
  readonly maxValue?: number | null;
  /** The slope below the threshold. */
  readonly negativeSlope?: number;
  /** Where the layer begins to pass values. */
  readonly threshold?: number;
  readonly dtype?: D | undefined;
}

const reluDefaults: Defaults<Omit<ReLUConfig, keyof LayerConfig>> = { maxValue: null, negativeSlope: 0, threshold: 0 };

/**
 * max(x, 0); more generally x from `threshold` to `maxValue`, and negativeSlope (x - threshold) below.
 * @example tf.layers.reLU({ maxValue: 6 })
 * @public
 */
export class ReLU<const D extends FloatDType = "float32"> extends Layer<SameRule<D>> {
  static override readonly className: string = "ReLU";
  protected override readonly supportsMasking: boolean = true;
  private readonly config: Complete<ReLUConfig>;

  constructor(config: ReLUConfig<D> = {}) {
    const all = layerOptions<ReLUConfig>("ReLU", config, reluDefaults);
    super(all);
    checkRange("ReLU", "negativeSlope", all.negativeSlope, 0, Number.MAX_VALUE);
    checkRange("ReLU", "threshold", all.threshold, 0, Number.MAX_VALUE);
    if (all.maxValue !== null) checkRange("ReLU", "maxValue", all.maxValue, 0, Number.MAX_VALUE);
    this.config = all;
  }

  override call(inputs: Tensors): Tensor {
    const { maxValue, negativeSlope, threshold } = this.config;
    const x = one("ReLU", inputs);
    const passed: Tensor =
      threshold !== 0
        ? where(greaterEqual(x, threshold), x, mul(sub(x, threshold), negativeSlope))
        : negativeSlope === 0
          ? relu(x)
          : leakyRelu(x, negativeSlope);
    return maxValue === null ? passed : minimum(passed, maxValue);
  }

  override getConfig(): Record<string, unknown> {
    return { ...this.config, ...super.getConfig() };
  }
}

/**
 * Options of `LeakyReLU`.
 * @public
 */
export interface LeakyReLUConfig<D extends FloatDType = FloatDType> extends LayerConfig {
  readonly negativeSlope?: number;
  readonly dtype?: D | undefined;
}

const leakyDefaults: Defaults<Omit<LeakyReLUConfig, keyof LayerConfig>> = { negativeSlope: 0.3 };

/**
 * x, or negativeSlope x where x is negative.
 * @example tf.layers.leakyReLU({ negativeSlope: 0.1 })
 * @public
 */
export class LeakyReLU<const D extends FloatDType = "float32"> extends Layer<SameRule<D>> {
  static override readonly className: string = "LeakyReLU";
  protected override readonly supportsMasking: boolean = true;
  private readonly config: Complete<LeakyReLUConfig>;

  constructor(config: LeakyReLUConfig<D> = {}) {
    const all = layerOptions<LeakyReLUConfig>("LeakyReLU", config, leakyDefaults);
    super(all);
    this.config = all;
  }

  override call(inputs: Tensors): Tensor {
    return leakyRelu(one("LeakyReLU", inputs), this.config.negativeSlope);
  }

  override getConfig(): Record<string, unknown> {
    return { ...this.config, ...super.getConfig() };
  }
}

/**
 * Options of `ELU`.
 * @public
 */
export interface ELUConfig<D extends FloatDType = FloatDType> extends LayerConfig {
  readonly alpha?: number;
  readonly dtype?: D | undefined;
}

const eluDefaults: Defaults<Omit<ELUConfig, keyof LayerConfig>> = { alpha: 1 };

/**
 * x, or alpha (exp(x) - 1) where x is negative.
 * @example tf.layers.elu({})
 * @public
 */
export class ELU<const D extends FloatDType = "float32"> extends Layer<SameRule<D>> {
  static override readonly className: string = "ELU";
  protected override readonly supportsMasking: boolean = true;
  private readonly config: Complete<ELUConfig>;

  constructor(config: ELUConfig<D> = {}) {
    const all = layerOptions<ELUConfig>("ELU", config, eluDefaults);
    super(all);
    this.config = all;
  }

  override call(inputs: Tensors): Tensor {
    const x = one("ELU", inputs);
    const y = elu(x);
    return this.config.alpha === 1 ? y : where(greaterEqual(x, 0), y, mul(y, this.config.alpha));
  }

  override getConfig(): Record<string, unknown> {
    return { ...this.config, ...super.getConfig() };
  }
}
