import type { Tensor } from "@millrace/autodiff";
import { reverse } from "@millrace/autodiff";
import { sigmoid, tanh } from "../../activations/activations.js";
import { type CallOptions, type LayerConfig, layerOptions } from "../../topology/layer.js";
import type { LayerRule } from "../../types.js";
import type { Complete, Defaults } from "../../util/options.js";
import { describeAll } from "../../util/serialize.js";
import { type Recurred, Recurrent, type RecurrentConfig, recurrentDefaults } from "./rnn.js";
import type { UnitsCell, UnitsConfig } from "./units-cell.js";

/** A recurrent layer with a cell of its own, which takes the layer's options but those of the recurrence. */
export abstract class UnitsLayer<C extends UnitsConfig & RecurrentConfig, R extends LayerRule> extends Recurrent<R> {
  protected readonly config: Complete<C>;

  constructor(className: string, config: C, cellDefaults: Defaults<Omit<UnitsConfig, keyof LayerConfig>>) {
    // boundary: options of the cell and of the recurrence are all of a layer's own
    const defaults = { ...cellDefaults, ...recurrentDefaults } as unknown as Defaults<Omit<C, keyof LayerConfig>>;
    const all = layerOptions<C>(className, config, defaults);
    super(all as Complete<RecurrentConfig>);
    this.config = all;
  }

  /** The options of the cell. */
  protected cellConfig(): Complete<C> {
    const { inputShape: _, ...rest } = this.config;
    const cell = Object.fromEntries(Object.entries(rest).filter(([key]) => !Object.hasOwn(recurrentDefaults, key)));
    // boundary: what is left are options of the cell
    return { ...cell, name: `${this.name}_cell`, dtype: this.dtype } as unknown as Complete<C>;
  }

  override getConfig(): Record<string, unknown> {
    return { ...describeAll(this.config), ...super.getConfig() };
  }
}

/** Whether these are the activations that kernels know. */
export const isFusable = ({ activation }: UnitsCell<UnitsConfig>, gate: unknown): boolean =>
  activation === tanh && gate === sigmoid;

/** Results of a kernel: each step's is at its own place there, and in the order of the steps here. */
export function fromKernel(sequence: Tensor, states: readonly Tensor[], goBackwards: boolean): Recurred {
  return { sequence: goBackwards ? (reverse(sequence, 1) as Tensor) : sequence, output: states[0]!, states };
}

/** Options that kernels take. */
export function kernelOptions(
  cell: UnitsCell<UnitsConfig>,
  goBackwards: boolean,
  { mask }: CallOptions,
): { reverse: boolean; bias?: Tensor; mask?: Tensor } {
  return { reverse: goBackwards, ...(cell.bias ? { bias: cell.bias } : {}), ...(mask ? { mask } : {}) };
}
