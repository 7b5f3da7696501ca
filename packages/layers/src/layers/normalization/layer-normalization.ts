import type { FloatDType, Tensor, Variable } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import type { InitializerIdentifier } from "../../initializers/initializer.js";
import type { RegularizerIdentifier } from "../../regularizers/regularizers.js";
import { Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { FloatRule } from "../../types.js";
import type { Complete, Defaults } from "../../util/options.js";
import { describeAll } from "../../util/serialize.js";
import { axisIn, type BatchShapes, knownSize, single } from "../../util/shapes.js";

/**
 * Options of `LayerNormalization`.
 * @public
 */
export interface LayerNormalizationConfig<D extends FloatDType = FloatDType> extends LayerConfig {
  /** The axes that are normalised together; the last unless said. */
  readonly axis?: number | readonly number[];
  /** Added to the variance. */
  readonly epsilon?: number;
  /** Whether a trained offset is added. */
  readonly center?: boolean;
  /** Whether the result is scaled by a trained factor. */
  readonly scale?: boolean;
  readonly betaInitializer?: InitializerIdentifier;
  readonly gammaInitializer?: InitializerIdentifier;
  readonly betaRegularizer?: RegularizerIdentifier | null;
  readonly gammaRegularizer?: RegularizerIdentifier | null;
  readonly dtype?: D | undefined;
}

const defaults: Defaults<Omit<LayerNormalizationConfig, keyof LayerConfig>> = {
  axis: -1,
  epsilon: 1e-3,
  center: true,
  scale: true,
  betaInitializer: "zeros",
  gammaInitializer: "ones",
  betaRegularizer: null,
  gammaRegularizer: null,
};

/**
 * gamma (x - mean) / √(variance + epsilon) + beta, with mean and variance of each sample over the given axes.
 * @example tf.layers.layerNormalization()
 * @public
 */
export class LayerNormalization<const D extends FloatDType = "float32"> extends Layer<FloatRule<D>> {
  static override readonly className: string = "LayerNormalization";
  protected override readonly supportsMasking: boolean = true;
  private readonly config: Complete<LayerNormalizationConfig>;
  private axes: readonly number[] = [];
  private gamma: Variable | null = null;
  private beta: Variable | null = null;

  constructor(config: LayerNormalizationConfig<D> = {}) {
    const all = layerOptions<LayerNormalizationConfig>("LayerNormalization", config, defaults);
    super(all);
    this.config = all;
  }

  override build(inputShape: BatchShapes): void {
    const { axis, center, scale, ...config } = this.config;
    const full = single("LayerNormalization", inputShape);
    const list = typeof axis === "number" ? [axis] : axis;
    this.axes = list.map((a) => axisIn("LayerNormalization", a, full.length)).sort((a, b) => a - b);
    const shape = this.axes.map((a) => knownSize("LayerNormalization", full, a));
    if (scale) {
      const regularizer = config.gammaRegularizer;
      this.gamma = this.addWeight({ name: "gamma", shape, initializer: config.gammaInitializer, regularizer });
    }
    if (center) {
      const regularizer = config.betaRegularizer;
      this.beta = this.addWeight({ name: "beta", shape, initializer: config.betaInitializer, regularizer });
    }
    const axes = Object.fromEntries(this.axes.map((a, i) => [a, shape[i]!]));
    this.inputSpec = { rank: full.length, axes };
  }

  override call(inputs: Tensors): Tensor {
    const x = one("LayerNormalization", inputs);
    if (this.axes.length === 1 && this.axes[0] === x.rank - 1) {
      return tf.layerNorm(x, this.gamma ?? undefined, this.beta ?? undefined, { epsilon: this.config.epsilon });
    }
    const { mean, variance }: { mean: Tensor; variance: Tensor } = tf.moments(x, this.axes, true);
    const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, this.config.epsilon)));
    const scaled = this.gamma ? tf.mul(normal, this.along(this.gamma, x.rank)) : normal;
    return this.beta ? tf.add(scaled, this.along(this.beta, x.rank)) : scaled;
  }

  /** A weight with size 1 on the axes that it does not have. */
  private along(weight: Tensor, rank: number): Tensor {
    const first = this.axes[0]!;
    const isLast = this.axes.length === rank - first;
    if (isLast) return weight;
    const sizes = Array.from({ length: rank - first }, (_, i) => weight.shape[this.axes.indexOf(first + i)] ?? 1);
    return tf.reshape(weight, sizes);
  }

  override computeOutputDType(): FloatDType {
    return this.dtype;
  }

  override getConfig(): Record<string, unknown> {
    return { ...describeAll(this.config), ...super.getConfig() };
  }
}
