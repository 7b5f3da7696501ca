import type { FloatDType, Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import type { CallOptions } from "../../topology/layer.js";
import type { RecurrentRule } from "../../types.js";
import { GRUCell, type GRUCellConfig, gruDefaults } from "./gru-cell.js";
import type { Recurred, RecurrentConfig } from "./rnn.js";
import { fromKernel, isFusable, kernelOptions, UnitsLayer } from "./units-layer.js";

/**
 * Options of `GRU`.
 * @public
 */
export interface GRUConfig<
  Units extends number = number,
  Sequences extends boolean = boolean,
  D extends FloatDType = FloatDType,
  State extends boolean = boolean,
> extends GRUCellConfig,
    RecurrentConfig<Sequences, State> {
  /** The size of the state. */
  readonly units: Units;
  readonly dtype?: D | undefined;
}

/**
 * A gated recurrent unit, Cho and others (2014): [batch, time, features] gives the last state [batch, units], or with
 * `returnSequences` [batch, time, units]. Given a list [x, h] it starts from this state. With Keras's default activations,
 * tanh and sigmoid, and `resetAfter` it is one kernel.
 * @example tf.layers.gru({ units: 32 })
 * @public
 */
export class GRU<
  const Units extends number = number,
  const Sequences extends boolean = false,
  const D extends FloatDType = "float32",
  const State extends boolean = false,
> extends UnitsLayer<GRUConfig, RecurrentRule<"gru", Units, Sequences, D, State extends true ? 1 : 0>> {
  static override readonly className: string = "GRU";
  readonly cell: GRUCell;

  constructor(config: GRUConfig<Units, Sequences, D, State>) {
    super("GRU", config, gruDefaults);
    this.cell = new GRUCell(this.cellConfig());
  }

  protected override recur(x: Tensor, start: readonly Tensor[] | null, options: CallOptions): Recurred {
    const { cell } = this;
    if (!isFusable(cell, cell.gate)) return super.recur(x, start, options);
    const { goBackwards } = this.recurrence;
    const { sequence, state } = tf.gru(x, cell.kernel!, cell.recurrentKernel!, {
      ...kernelOptions(cell, goBackwards, options),
      resetAfter: cell.resetAfter,
      ...(start ? { initialState: start[0]! } : {}),
    });
    return fromKernel(sequence, [state], goBackwards);
  }
}
