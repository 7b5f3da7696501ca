import { add, type FloatDType, matMul, type Tensor, type Variable } from "@millrace/autodiff";
import { type Activation, type ActivationIdentifier, getActivation } from "../../activations/activations.js";
import type { InitializerIdentifier } from "../../initializers/initializer.js";
import type { RegularizerIdentifier } from "../../regularizers/regularizers.js";
import { Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { DenseRule } from "../../types.js";
import { type Complete, checkWhole, type Defaults, required } from "../../util/options.js";
import { describeAll } from "../../util/serialize.js";
import { type BatchShape, type BatchShapes, knownSize, single } from "../../util/shapes.js";

/**
 * Options of `Dense`.
 * @public
 */
export interface DenseConfig<Units extends number = number, D extends FloatDType = FloatDType> extends LayerConfig {
  /** The size of the result's last axis. */
  readonly units: Units;
  readonly activation?: ActivationIdentifier | null;
  readonly useBias?: boolean;
  readonly kernelInitializer?: InitializerIdentifier;
  readonly biasInitializer?: InitializerIdentifier;
  readonly kernelRegularizer?: RegularizerIdentifier | null;
  readonly biasRegularizer?: RegularizerIdentifier | null;
  readonly dtype?: D | undefined;
}

const defaults: Defaults<Omit<DenseConfig, keyof LayerConfig>> = {
  units: required,
  activation: null,
  useBias: true,
  kernelInitializer: "glorotUniform",
  biasInitializer: "zeros",
  kernelRegularizer: null,
  biasRegularizer: null,
};

/**
 * activation(x · kernel + bias), along the last axis: [..., in] gives [..., units].
 * @example tf.layers.dense({ units: 10, activation: "softmax" })
 * @public
 */
export class Dense<const Units extends number = number, const D extends FloatDType = "float32"> extends Layer<
  DenseRule<Units, D>
> {
  static override readonly className: string = "Dense";
  protected override readonly supportsMasking: boolean = true;
  private readonly config: Complete<DenseConfig>;
  private readonly activation: Activation;
  private kernel: Variable | null = null;
  private bias: Variable | null = null;

  constructor(config: DenseConfig<Units, D>) {
    const all = layerOptions<DenseConfig>("Dense", config, defaults);
    super(all);
    checkWhole("Dense", "units", all.units);
    this.config = all;
    this.activation = getActivation(all.activation);
    this.inputSpec = { minRank: 2 };
  }

  override build(inputShape: BatchShapes): void {
    const { units, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer } = this.config;
    const size = knownSize("Dense", single("Dense", inputShape), -1);
    this.kernel = this.addWeight({
      name: "kernel",
      shape: [size, units],
      initializer: kernelInitializer,
      regularizer: kernelRegularizer,
    });
    if (useBias) {
      this.bias = this.addWeight({
        name: "bias",
        shape: [units],
        initializer: biasInitializer,
        regularizer: biasRegularizer,
      });
    }
    this.inputSpec = { minRank: 2, axes: { "-1": size } };
  }

  override call(inputs: Tensors): Tensor {
    const product = matMul(one("Dense", inputs), this.kernel!);
    return this.activation(this.bias ? add(product, this.bias) : product);
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShape {
    return [...single("Dense", inputShape).slice(0, -1), this.config.units];
  }

  override computeOutputDType(): FloatDType {
    return this.dtype;
  }

  override getConfig(): Record<string, unknown> {
    return { ...describeAll(this.config), ...super.getConfig() };
  }
}
