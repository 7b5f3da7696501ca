import type { FloatDType, Tensor, Variable } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import type { InitializerIdentifier } from "../../initializers/initializer.js";
import type { RegularizerIdentifier } from "../../regularizers/regularizers.js";
import { type CallOptions, Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { FloatRule } from "../../types.js";
import { type Complete, checkRange, type Defaults } from "../../util/options.js";
import { describeAll } from "../../util/serialize.js";
import { axisIn, type BatchShapes, knownSize, single } from "../../util/shapes.js";

/**
 * Options of `BatchNormalization`.
 * @public
 */
export interface BatchNormalizationConfig<D extends FloatDType = FloatDType> extends LayerConfig {
  /** The axis of features, whose elements are normalised apart. */
  readonly axis?: number;
  /** How much of the moving mean and variance stays in a step. */
  readonly momentum?: number;
  /** Added to the variance. */
  readonly epsilon?: number;
  /** Whether a trained offset is added. */
  readonly center?: boolean;
  /** Whether the result is scaled by a trained factor. */
  readonly scale?: boolean;
  readonly betaInitializer?: InitializerIdentifier;
  readonly gammaInitializer?: InitializerIdentifier;
  readonly movingMeanInitializer?: InitializerIdentifier;
  readonly movingVarianceInitializer?: InitializerIdentifier;
  readonly betaRegularizer?: RegularizerIdentifier | null;
  readonly gammaRegularizer?: RegularizerIdentifier | null;
  readonly dtype?: D | undefined;
}

const defaults: Defaults<Omit<BatchNormalizationConfig, keyof LayerConfig>> = {
  axis: -1,
  momentum: 0.99,
  epsilon: 1e-3,
  center: true,
  scale: true,
  betaInitializer: "zeros",
  gammaInitializer: "ones",
  movingMeanInitializer: "zeros",
  movingVarianceInitializer: "ones",
  betaRegularizer: null,
  gammaRegularizer: null,
};

/**
 * gamma (x - mean) / √(variance + epsilon) + beta. A training step takes mean and variance from its batch and moves the
 * layer's own towards them; otherwise, and where the layer is not trainable, the layer's own are taken.
 * @example tf.layers.batchNormalization()
 * @public
 */
export class BatchNormalization<const D extends FloatDType = "float32"> extends Layer<FloatRule<D>> {
  static override readonly className: string = "BatchNormalization";
  protected override readonly supportsMasking: boolean = true;
  private readonly config: Complete<BatchNormalizationConfig>;
  private gamma: Variable | null = null;
  private beta: Variable | null = null;
  private movingMean: Variable | null = null;
  private movingVariance: Variable | null = null;

  constructor(config: BatchNormalizationConfig<D> = {}) {
    const all = layerOptions<BatchNormalizationConfig>("BatchNormalization", config, defaults);
    super(all);
    checkRange("BatchNormalization", "momentum", all.momentum, 0, 1);
    this.config = all;
  }

  override build(inputShape: BatchShapes): void {
    const { config } = this;
    const shape = single("BatchNormalization", inputShape);
    const axis = axisIn("BatchNormalization", config.axis, shape.length);
    const size = knownSize("BatchNormalization", shape, axis);
    const own = { shape: [size] };
    if (config.scale) {
      const regularizer = config.gammaRegularizer;
      this.gamma = this.addWeight({ name: "gamma", ...own, initializer: config.gammaInitializer, regularizer });
    }
    if (config.center) {
      const regularizer = config.betaRegularizer;
      this.beta = this.addWeight({ name: "beta", ...own, initializer: config.betaInitializer, regularizer });
    }
    const moving = { ...own, trainable: false };
    this.movingMean = this.addWeight({ name: "moving_mean", ...moving, initializer: config.movingMeanInitializer });
    const initializer = config.movingVarianceInitializer;
    this.movingVariance = this.addWeight({ name: "moving_variance", ...moving, initializer });
    this.inputSpec = { rank: shape.length, axes: { [axis]: size } };
  }

  override call(inputs: Tensors, { training }: CallOptions): Tensor {
    const x = one("BatchNormalization", inputs);
    const axis = axisIn("BatchNormalization", this.config.axis, x.rank);
    const others = Array.from({ length: x.rank }, (_, i) => i).filter((i) => i !== axis);
    // The features lie along `axis`: vectors of them are stretched from there.
    const along = (v: Tensor): Tensor =>
      axis === x.rank - 1 ? v : tf.reshape(v, [v.shape[0], ...others.filter((i) => i > axis).map(() => 1)]);
    const learns = training && this.trainable;
    const { mean, variance } = learns ? this.observe(x, others) : this.moving();
    const factor = tf.rsqrt(tf.add(variance, this.config.epsilon));
    const scale: Tensor = this.gamma ? tf.mul(factor, this.gamma) : factor;
    if (!learns) {
      // What each feature is scaled and shifted by is computed once, not with every element.
      const moved = tf.mul(mean, scale);
      const shift: Tensor = this.beta ? tf.sub(this.beta, moved) : tf.neg(moved);
      return tf.add(tf.mul(x, along(scale)), along(shift));
    }
    const centred = tf.mul(tf.sub(x, along(mean)), along(scale));
    return this.beta ? tf.add(centred, along(this.beta)) : centred;
  }

  private moving(): { mean: Tensor; variance: Tensor } {
    return { mean: this.movingMean!, variance: this.movingVariance! };
  }

  /** Mean and variance of a batch, towards which the moving ones go. */
  private observe(x: Tensor, axes: readonly number[]): { mean: Tensor; variance: Tensor } {
    const { mean, variance }: { mean: Tensor; variance: Tensor } = tf.moments(x, axes);
    const rest = 1 - this.config.momentum;
    for (const [moving, now] of [
      [this.movingMean!, mean],
      [this.movingVariance!, variance],
    ] as const) {
      moving.assignAdd(tf.mul(tf.sub(tf.stopGradient(now), moving), rest));
    }
    return { mean, variance };
  }

  override computeOutputDType(): FloatDType {
    return this.dtype;
  }

  override getConfig(): Record<string, unknown> {
    return { ...describeAll(this.config), ...super.getConfig() };
  }
}
