import type { FloatDType, Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import type { CallOptions } from "../../topology/layer.js";
import type { RecurrentRule } from "../../types.js";
import { LSTMCell, type LSTMCellConfig, lstmDefaults } from "./lstm-cell.js";
import type { Recurred, RecurrentConfig } from "./rnn.js";
import { fromKernel, isFusable, kernelOptions, UnitsLayer } from "./units-layer.js";

/**
 * Options of `LSTM`.
 * @public
 */
export interface LSTMConfig<
  Units extends number = number,
  Sequences extends boolean = boolean,
  D extends FloatDType = FloatDType,
  State extends boolean = boolean,
> extends LSTMCellConfig,
    RecurrentConfig<Sequences, State> {
  /** The size of the state. */
  readonly units: Units;
  readonly dtype?: D | undefined;
}

/**
 * Long short-term memory, Hochreiter and Schmidhuber (1997): [batch, time, features] gives the last state [batch, units],
 * or with `returnSequences` [batch, time, units]. Given a list [x, h, c] it starts from these states. With Keras's default
 * activations, tanh and sigmoid, it is one kernel; with others it goes step by step.
 * @example tf.layers.lstm({ units: 32 })
 * @public
 */
export class LSTM<
  const Units extends number = number,
  const Sequences extends boolean = false,
  const D extends FloatDType = "float32",
  const State extends boolean = false,
> extends UnitsLayer<LSTMConfig, RecurrentRule<"lstm", Units, Sequences, D, State extends true ? 2 : 0>> {
  static override readonly className: string = "LSTM";
  readonly cell: LSTMCell;

  constructor(config: LSTMConfig<Units, Sequences, D, State>) {
    super("LSTM", config, lstmDefaults);
    this.cell = new LSTMCell(this.cellConfig());
  }

  protected override recur(x: Tensor, start: readonly Tensor[] | null, options: CallOptions): Recurred {
    const { cell } = this;
    if (!isFusable(cell, cell.gate)) return super.recur(x, start, options);
    const { goBackwards } = this.recurrence;
    const initialState = start as readonly [Tensor, Tensor] | null;
    const { sequence, state } = tf.lstm(x, cell.kernel!, cell.recurrentKernel!, {
      ...kernelOptions(cell, goBackwards, options),
      ...(initialState ? { initialState } : {}),
    });
    return fromKernel(sequence, state, goBackwards);
  }
}
