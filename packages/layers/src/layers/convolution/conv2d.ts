import { add, conv2d, type FloatDType, MillraceError, type Pair, type Tensor, type Variable } from "@millrace/autodiff";
import { type Activation, type ActivationIdentifier, getActivation } from "../../activations/activations.js";
import type { InitializerIdentifier } from "../../initializers/initializer.js";
import type { RegularizerIdentifier } from "../../regularizers/regularizers.js";
import { Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { Conv2DRule } from "../../types.js";
import { type Complete, checkWhole, type Defaults, required } from "../../util/options.js";
import { describeAll } from "../../util/serialize.js";
import { type BatchShape, type BatchShapes, knownSize, single } from "../../util/shapes.js";
import { bothOf, type Padding, requireChannelsLast, windowCount } from "../../util/windows.js";

/**
 * Options of `Conv2D`.
 * @public
 */
export interface Conv2DConfig<
  Filters extends number = number,
  Kernel extends Pair = Pair,
  Strides extends Pair = Pair,
  P extends Padding = Padding,
  Dilations extends Pair = Pair,
  D extends FloatDType = FloatDType,
> extends LayerConfig {
  /** How many channels the result has. */
  readonly filters: Filters;
  /** Height and width of the window, one number for both. */
  readonly kernelSize: Kernel;
  readonly strides?: Strides;
  /** "same" keeps size / stride places, "valid" takes whole windows only. */
  readonly padding?: P;
  readonly dataFormat?: "channelsLast" | "channelsFirst";
  readonly dilationRate?: Dilations;
  readonly activation?: ActivationIdentifier | null;
  readonly useBias?: boolean;
  readonly kernelInitializer?: InitializerIdentifier;
  readonly biasInitializer?: InitializerIdentifier;
  readonly kernelRegularizer?: RegularizerIdentifier | null;
  readonly biasRegularizer?: RegularizerIdentifier | null;
  readonly dtype?: D | undefined;
}

const defaults: Defaults<Omit<Conv2DConfig, keyof LayerConfig>> = {
  filters: required,
  kernelSize: required,
  strides: 1,
  padding: "valid",
  dataFormat: "channelsLast",
  dilationRate: 1,
  activation: null,
  useBias: true,
  kernelInitializer: "glorotUniform",
  biasInitializer: "zeros",
  kernelRegularizer: null,
  biasRegularizer: null,
};

/**
 * Filters slid over images: [batch, h, w, channels] gives [batch, h', w', filters].
 * @example tf.layers.conv2d({ filters: 32, kernelSize: 3, activation: "relu" })
 * @public
 */
export class Conv2D<
  const Filters extends number = number,
  const Kernel extends Pair = Pair,
  const Strides extends Pair = 1,
  const P extends Padding = "valid",
  const Dilations extends Pair = 1,
  const D extends FloatDType = "float32",
> extends Layer<Conv2DRule<Filters, Kernel, Strides, P, Dilations, D>> {
  static override readonly className: string = "Conv2D";
  private readonly config: Complete<Conv2DConfig>;
  private readonly activation: Activation;
  private kernel: Variable | null = null;
  private bias: Variable | null = null;

  constructor(config: Conv2DConfig<Filters, Kernel, Strides, P, Dilations, D>) {
    const all = layerOptions<Conv2DConfig>("Conv2D", config, defaults);
    super(all);
    checkWhole("Conv2D", "filters", all.filters);
    requireChannelsLast("Conv2D", all.dataFormat);
    for (const key of ["kernelSize", "strides", "dilationRate"] as const) {
      for (const size of bothOf(all[key])) checkWhole("Conv2D", key, size);
    }
    this.config = all;
    this.activation = getActivation(all.activation);
    this.inputSpec = { rank: 4 };
  }

  override build(inputShape: BatchShapes): void {
    const { filters, kernelSize, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer } =
      this.config;
    const channels = knownSize("Conv2D", single("Conv2D", inputShape), -1);
    this.kernel = this.addWeight({
      name: "kernel",
      shape: [...bothOf(kernelSize), channels, filters],
      initializer: kernelInitializer,
      regularizer: kernelRegularizer,
    });
    if (useBias) {
      this.bias = this.addWeight({
        name: "bias",
        shape: [filters],
        initializer: biasInitializer,
        regularizer: biasRegularizer,
      });
    }
    this.inputSpec = { rank: 4, axes: { "-1": channels } };
  }

  override call(inputs: Tensors): Tensor {
    const { strides, padding, dilationRate } = this.config;
    const y: Tensor = conv2d(one("Conv2D", inputs), this.kernel!, strides, padding, "NHWC", dilationRate);
    return this.activation(this.bias ? add(y, this.bias) : y);
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShape {
    const [n = null, h = null, w = null] = single("Conv2D", inputShape);
    const { filters, kernelSize, strides, padding, dilationRate } = this.config;
    const [kernel, step, gap] = [bothOf(kernelSize), bothOf(strides), bothOf(dilationRate)];
    const sizes = [h, w].map((size, i) => windowCount(size, (kernel[i]! - 1) * gap[i]! + 1, step[i]!, padding));
    if (sizes.some((size) => size !== null && size <= 0)) {
      throw new MillraceError("E_SHAPE", `Conv2D: a window of ${kernel.join(" x ")} exceeds the input of ${h} x ${w}`, {
        layer: this.name,
      });
    }
    return [n, ...sizes, filters];
  }

  override computeOutputDType(): FloatDType {
    return this.dtype;
  }

  override getConfig(): Record<string, unknown> {
    return { ...describeAll(this.config), ...super.getConfig() };
  }
}
