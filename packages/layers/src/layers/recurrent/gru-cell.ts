import { add, matMul, mul, type Shape, slice, split, sub, type Tensor, unstack } from "@millrace/autodiff";
import { type Activation, type ActivationIdentifier, getActivation } from "../../activations/activations.js";
import type { LayerConfig } from "../../topology/layer.js";
import type { Defaults } from "../../util/options.js";
import type { CellStep } from "./cell.js";
import { projected, UnitsCell, type UnitsConfig, unitsDefaults } from "./units-cell.js";

/**
 * Options of `gruCell`.
 * @public
 */
export interface GRUCellConfig extends UnitsConfig {
  /** What the gates go through. */
  readonly recurrentActivation?: ActivationIdentifier | null;
  /** Whether the reset gate multiplies h · recurrentKernel (the default), or h before that product. */
  readonly resetAfter?: boolean;
}

export const gruDefaults: Defaults<Omit<GRUCellConfig, keyof LayerConfig>> = {
  ...unitsDefaults,
  recurrentActivation: "sigmoid",
  resetAfter: true,
};

/**
 * One step of `gru`: with x · kernel and h · recurrentKernel in three parts z, r, g it is g = tanh(x part + r · h part) and
 * h = z·h + (1 − z)·g. With `resetAfter` the bias is [2, 3 · units]: one for each product.
 * @example tf.layers.gruCell({ units: 4 })
 * @public
 */
export class GRUCell extends UnitsCell<GRUCellConfig> {
  static override readonly className: string = "GRUCell";
  readonly gate: Activation;

  constructor(config: GRUCellConfig) {
    super("GRUCell", config, gruDefaults, 3);
    this.gate = getActivation(this.config.recurrentActivation);
  }

  get resetAfter(): boolean {
    return this.config.resetAfter;
  }

  protected override get biasShape(): Shape {
    const columns = 3 * this.config.units;
    return this.resetAfter ? [2, columns] : [columns];
  }

  override step(x: Tensor, [h]: readonly Tensor[]): CellStep {
    const { units } = this.config;
    const [own = null, recurrent = null] =
      this.bias && this.resetAfter ? (unstack(this.bias) as Tensor[]) : [this.bias];
    const [xz, xr, xg] = split(projected(x, this.kernel!, own), 3, -1) as readonly Tensor[];
    const kernel: Tensor = this.recurrentKernel!;
    const part = (first: number, count: number): Tensor => slice(kernel, [0, first * units], [units, count * units]);
    // Reset first, the last third of the product waits for r.
    const product = this.resetAfter ? projected(h!, kernel, recurrent) : matMul(h!, part(0, 2));
    const [hz, hr, hg] = split(product, this.resetAfter ? 3 : 2, -1) as readonly Tensor[];
    const [z, r]: [Tensor, Tensor] = [this.gate(add(xz!, hz!)), this.gate(add(xr!, hr!))];
    const fromState: Tensor = hg ? mul(r, hg) : matMul(mul(r, h!) as Tensor, part(2, 1));
    const fresh: Tensor = this.activation(add(xg!, fromState));
    const output: Tensor = add(mul(z, h!), mul(sub(1, z), fresh));
    return { output, states: [output] };
  }
}
