import { add, matMul, type Tensor } from "@millrace/autodiff";
import type { CellStep } from "./cell.js";
import { projected, UnitsCell, type UnitsConfig, unitsDefaults } from "./units-cell.js";

/**
 * One step of `simpleRNN`: h = activation(x · kernel + h · recurrentKernel + bias).
 * @example tf.layers.simpleRNNCell({ units: 4 })
 * @public
 */
export class SimpleRNNCell extends UnitsCell<UnitsConfig> {
  static override readonly className: string = "SimpleRNNCell";

  constructor(config: UnitsConfig) {
    super("SimpleRNNCell", config, unitsDefaults, 1);
  }

  override step(x: Tensor, [h]: readonly Tensor[]): CellStep {
    const sums: Tensor = add(projected(x, this.kernel!, this.bias), matMul(h!, this.recurrentKernel!));
    const output = this.activation(sums);
    return { output, states: [output] };
  }
}
