import type { FloatDType, Shape, Tensor, Variable } from "@millrace/autodiff";
import { add, matMul } from "@millrace/autodiff";
import { type Activation, type ActivationIdentifier, getActivation } from "../../activations/activations.js";
import type { InitializerIdentifier } from "../../initializers/initializer.js";
import type { RegularizerIdentifier } from "../../regularizers/regularizers.js";
import { type LayerConfig, layerOptions } from "../../topology/layer.js";
import { type Complete, checkWhole, type Defaults, required } from "../../util/options.js";
import { describeAll } from "../../util/serialize.js";
import { type BatchShapes, knownSize } from "../../util/shapes.js";
import { firstShape, RNNCell } from "./cell.js";

/**
 * What the cells `simpleRNNCell`, `gruCell` and `lstmCell` take.
 * @public
 */
export interface UnitsConfig extends LayerConfig {
  /** The size of the state. */
  readonly units: number;
  readonly activation?: ActivationIdentifier | null;
  readonly useBias?: boolean;
  readonly kernelInitializer?: InitializerIdentifier;
  readonly recurrentInitializer?: InitializerIdentifier;
  readonly biasInitializer?: InitializerIdentifier;
  readonly kernelRegularizer?: RegularizerIdentifier | null;
  readonly recurrentRegularizer?: RegularizerIdentifier | null;
  readonly biasRegularizer?: RegularizerIdentifier | null;
}

export const unitsDefaults: Defaults<Omit<UnitsConfig, keyof LayerConfig>> = {
  units: required,
  activation: "tanh",
  useBias: true,
  kernelInitializer: "glorotUniform",
  recurrentInitializer: "orthogonal",
  biasInitializer: "zeros",
  kernelRegularizer: null,
  recurrentRegularizer: null,
  biasRegularizer: null,
};

/** A cell with `units` states of each kind, and weights for its gates side by side. */
export abstract class UnitsCell<C extends UnitsConfig> extends RNNCell {
  protected readonly config: Complete<C>;
  readonly activation: Activation;
  kernel: Variable | null = null;
  recurrentKernel: Variable | null = null;
  bias: Variable | null = null;
  private readonly gates: number;

  constructor(className: string, config: C, defaults: Defaults<Omit<C, keyof LayerConfig>>, gates: number) {
    const all = layerOptions<C>(className, config, defaults);
    super(all);
    checkWhole(className, "units", all.units);
    this.config = all;
    this.gates = gates;
    this.activation = getActivation(all.activation);
  }

  get stateSizes(): readonly number[] {
    return [this.config.units];
  }
  get outputSize(): number {
    return this.config.units;
  }

  protected get biasShape(): Shape {
    return [this.gates * this.config.units];
  }
  protected get biasInitializer(): InitializerIdentifier {
    return this.config.biasInitializer;
  }

  override build(inputShape: BatchShapes): void {
    const { gates, config } = this;
    const features = knownSize(this.className, firstShape(inputShape), -1);
    this.kernel = this.addWeight({
      name: "kernel",
      shape: [features, gates * config.units],
      initializer: config.kernelInitializer,
      regularizer: config.kernelRegularizer,
    });
    this.recurrentKernel = this.addWeight({
      name: "recurrent_kernel",
      shape: [config.units, gates * config.units],
      initializer: config.recurrentInitializer,
      regularizer: config.recurrentRegularizer,
    });
    if (!config.useBias) return;
    this.bias = this.addWeight({
      name: "bias",
      shape: this.biasShape,
      initializer: this.biasInitializer,
      regularizer: config.biasRegularizer,
    });
  }

  override computeOutputDType(): FloatDType {
    return this.dtype;
  }

  override getConfig(): Record<string, unknown> {
    return { ...describeAll(this.config), ...super.getConfig() };
  }
}

/** x · kernel + bias */
export function projected(x: Tensor, kernel: Tensor, bias: Tensor | null): Tensor {
  const product: Tensor = matMul(x, kernel);
  return bias ? add(product, bias) : product;
}
