import {
  add,
  concat,
  type FloatDType,
  matMul,
  mul,
  ones,
  type Shape,
  split,
  type Tensor,
  tidy,
} from "@millrace/autodiff";
import { type Activation, type ActivationIdentifier, getActivation } from "../../activations/activations.js";
import { Initializer, type InitializerIdentifier } from "../../initializers/initializer.js";
import { getInitializer } from "../../initializers/registry.js";
import type { LayerConfig } from "../../topology/layer.js";
import type { Defaults } from "../../util/options.js";
import type { CellStep } from "./cell.js";
import { projected, UnitsCell, type UnitsConfig, unitsDefaults } from "./units-cell.js";

/**
 * Options of `lstmCell`.
 * @public
 */
export interface LSTMCellConfig extends UnitsConfig {
  /** What the gates go through. */
  readonly recurrentActivation?: ActivationIdentifier | null;
  /** Whether the forget gate's bias starts at 1: Józefowicz and others (2015). */
  readonly unitForgetBias?: boolean;
}

export const lstmDefaults: Defaults<Omit<LSTMCellConfig, keyof LayerConfig>> = {
  ...unitsDefaults,
  recurrentActivation: "sigmoid",
  unitForgetBias: true,
};

/** A bias of four gates of which the second, the forget gate's, is 1. */
class ForgetBias extends Initializer {
  private readonly units: number;
  private readonly others: Initializer;
  constructor(units: number, others: Initializer) {
    super();
    this.units = units;
    this.others = others;
  }
  override apply(_shape: Shape, dtype: FloatDType = "float32"): Tensor {
    const { units } = this;
    return tidy(() => {
      const parts = [this.others.apply([units], dtype), ones([units], dtype), this.others.apply([2 * units], dtype)];
      return concat(parts as readonly Tensor[]);
    });
  }
}

/**
 * One step of `lstm`: with x · kernel + h · recurrentKernel + bias in four parts i, f, g, o it is c = f·c + i·g, h = o·tanh(c).
 * @example tf.layers.lstmCell({ units: 4 })
 * @public
 */
export class LSTMCell extends UnitsCell<LSTMCellConfig> {
  static override readonly className: string = "LSTMCell";
  readonly gate: Activation;

  constructor(config: LSTMCellConfig) {
    super("LSTMCell", config, lstmDefaults, 4);
    this.gate = getActivation(this.config.recurrentActivation);
  }

  override get stateSizes(): readonly number[] {
    return [this.config.units, this.config.units];
  }

  protected override get biasInitializer(): InitializerIdentifier {
    const { units, unitForgetBias, biasInitializer } = this.config;
    return unitForgetBias ? new ForgetBias(units, getInitializer(biasInitializer)) : biasInitializer;
  }

  override step(x: Tensor, [h, c]: readonly Tensor[]): CellStep {
    const sums: Tensor = add(projected(x, this.kernel!, this.bias), matMul(h!, this.recurrentKernel!));
    const [i, f, g, o] = split(sums, 4, -1) as readonly Tensor[];
    const kept: Tensor = mul(this.gate(f!), c!);
    const next: Tensor = add(kept, mul(this.gate(i!), this.activation(g!)));
    const output: Tensor = mul(this.gate(o!), this.activation(next));
    return { output, states: [output, next] };
  }
}
