import { MillraceError, type Tensor } from "@millrace/autodiff";
import { type CallOptions, type LayerConfig, layerOptions } from "../../topology/layer.js";
import { deserializeLayer } from "../../topology/registry.js";
import { isSerialized, type Serialized } from "../../util/identifiers.js";
import { type Defaults, required } from "../../util/options.js";
import { serialize } from "../../util/serialize.js";
import type { BatchShape, BatchShapes } from "../../util/shapes.js";
import { type CellStep, firstShape, RNNCell } from "./cell.js";

/**
 * Options of `stackedRNNCells`.
 * @public
 */
export interface StackedRNNCellsConfig extends LayerConfig {
  /** The first one reads what comes in, each other one the output of the one before. */
  readonly cells: readonly (RNNCell | Serialized)[];
}

const defaults: Defaults<Omit<StackedRNNCellsConfig, keyof LayerConfig>> = { cells: required };

/** A cell, or one that a configuration describes. */
export function cellOf(who: string, cell: unknown): RNNCell {
  const made = !(cell instanceof RNNCell) && isSerialized(cell) ? deserializeLayer(cell) : cell;
  if (made instanceof RNNCell) return made;
  throw new MillraceError("E_ARGUMENT", `${who}: a cell is needed, such as tf.layers.lstmCell({ units: 4 })`);
}

/**
 * Cells one after another as one.
 * @example tf.layers.stackedRNNCells({ cells: [tf.layers.gruCell({ units: 4 }), tf.layers.gruCell({ units: 2 })] })
 * @public
 */
export class StackedRNNCells extends RNNCell {
  static override readonly className: string = "StackedRNNCells";
  readonly cells: readonly RNNCell[];

  constructor(config: StackedRNNCellsConfig) {
    const all = layerOptions<StackedRNNCellsConfig>("StackedRNNCells", config, defaults);
    super(all);
    this.cells = all.cells.map((cell) => cellOf("StackedRNNCells", cell));
    if (this.cells.length === 0) throw new MillraceError("E_ARGUMENT", "StackedRNNCells: one cell at least is needed");
  }

  get stateSizes(): readonly number[] {
    return this.cells.flatMap((cell) => cell.stateSizes);
  }
  get outputSize(): number {
    return this.cells.at(-1)!.outputSize;
  }

  override build(inputShape: BatchShapes): void {
    let shape: BatchShape = firstShape(inputShape);
    for (const cell of this.cells) {
      cell.buildFor(shape);
      shape = [shape[0] ?? null, cell.outputSize];
    }
  }

  override step(x: Tensor, states: readonly Tensor[], options: CallOptions): CellStep {
    const left = [...states];
    const next: Tensor[] = [];
    let output = x;
    for (const cell of this.cells) {
      const made = cell.step(output, left.splice(0, cell.stateSizes.length), options);
      next.push(...made.states);
      output = made.output;
    }
    return { output, states: next };
  }

  override getConfig(): Record<string, unknown> {
    return { cells: this.cells.map(serialize), ...super.getConfig() };
  }
}
