import type { FloatDType } from "@millrace/autodiff";
import type { RecurrentRule } from "../../types.js";
import type { RecurrentConfig } from "./rnn.js";
import { SimpleRNNCell } from "./simple-rnn-cell.js";
import { type UnitsConfig, unitsDefaults } from "./units-cell.js";
import { UnitsLayer } from "./units-layer.js";

/**
 * Options of `SimpleRNN`.
 * @public
 */
export interface SimpleRNNConfig<
  Units extends number = number,
  Sequences extends boolean = boolean,
  D extends FloatDType = FloatDType,
  State extends boolean = boolean,
> extends UnitsConfig,
    RecurrentConfig<Sequences, State> {
  /** The size of the state. */
  readonly units: Units;
  readonly dtype?: D | undefined;
}

/**
 * A recurrence h = activation(x · kernel + h · recurrentKernel + bias): [batch, time, features] gives the last h
 * [batch, units], or with `returnSequences` [batch, time, units]. Given a list [x, h] it starts from this state.
 * @example tf.layers.simpleRNN({ units: 32 })
 * @public
 */
export class SimpleRNN<
  const Units extends number = number,
  const Sequences extends boolean = false,
  const D extends FloatDType = "float32",
  const State extends boolean = false,
> extends UnitsLayer<SimpleRNNConfig, RecurrentRule<"simpleRNN", Units, Sequences, D, State extends true ? 1 : 0>> {
  static override readonly className: string = "SimpleRNN";
  readonly cell: SimpleRNNCell;

  constructor(config: SimpleRNNConfig<Units, Sequences, D, State>) {
    super("SimpleRNN", config, unitsDefaults);
    this.cell = new SimpleRNNCell(this.cellConfig());
  }
}
