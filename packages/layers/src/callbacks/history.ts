import { Callback, type Logs } from "./callback.js";

/**
 * What `fit` resolves to: the numbers of every epoch.
 * @public
 */
export class History extends Callback {
  /** Which epochs were trained. */
  epoch: number[] = [];
  /** The numbers of each epoch by name: `history.history.val_accuracy.at(-1)`. */
  history: Record<string, number[]> = {};

  override onTrainBegin(): void {
    this.epoch = [];
    this.history = {};
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    this.epoch.push(epoch);
    for (const [name, value] of Object.entries(logs)) {
      this.history[name] ??= [];
      this.history[name].push(value);
    }
  }
}
