import { dispose, getLogger, MillraceError, type Tensor } from "@millrace/autodiff";
import { type Complete, complete, type Defaults } from "../util/options.js";
import { Callback, type Logs } from "./callback.js";

/**
 * Options of `EarlyStopping`.
 * @public
 */
export interface EarlyStoppingConfig {
  /** Which number is watched: "val_loss" unless said. */
  readonly monitor?: string;
  /** What counts as better at least. */
  readonly minDelta?: number;
  /** How many epochs without a better number are allowed. */
  readonly patience?: number;
  readonly verbose?: 0 | 1;
  /** Whether less or more is better; "auto" takes the name for it: accuracies are better when greater. */
  readonly mode?: "auto" | "min" | "max";
  /** The number to be better than from the start. */
  readonly baseline?: number | null;
  /** Whether the weights of the best epoch come back at the end. */
  readonly restoreBestWeights?: boolean;
  /** The epoch from which the number is watched. */
  readonly startFromEpoch?: number;
}

const defaults: Defaults<EarlyStoppingConfig> = {
  monitor: "val_loss",
  minDelta: 0,
  patience: 0,
  verbose: 0,
  mode: "auto",
  baseline: null,
  restoreBestWeights: false,
  startFromEpoch: 0,
};

/**
 * Ends training when a number no longer gets better.
 * @example tf.callbacks.earlyStopping({ monitor: "val_loss", patience: 3, restoreBestWeights: true })
 * @public
 */
export class EarlyStopping extends Callback {
  private readonly config: Complete<EarlyStoppingConfig>;
  private readonly sign: 1 | -1;
  private best: number | null = null;
  private wait = 0;
  private bestWeights: Tensor[] | null = null;
  /** The epoch that training ended after; -1 where it was not ended here. */
  stoppedEpoch = -1;
  /** The epoch with the best number; -1 before there is one. */
  bestEpoch = -1;

  constructor(config: EarlyStoppingConfig = {}) {
    super();
    this.config = complete("EarlyStopping", config, defaults);
    const { mode, monitor } = this.config;
    const isMore = mode === "max" || (mode === "auto" && /acc|auc|precision|recall|f1|iou/i.test(monitor));
    this.sign = isMore ? 1 : -1;
  }

  override onTrainBegin(): void {
    this.wait = 0;
    this.stoppedEpoch = -1;
    this.bestEpoch = -1;
    this.best = null;
    this.forget();
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    const { monitor, baseline, patience, restoreBestWeights, startFromEpoch } = this.config;
    const value = logs[monitor];
    if (value === undefined) {
      const known = Object.keys(logs).join(", ");
      throw new MillraceError(
        "E_ARGUMENT",
        `EarlyStopping: monitor "${monitor}" is none of ${known}; is there validation data?`,
      );
    }
    if (epoch < startFromEpoch) return;
    this.wait++;
    if (this.best === null || this.isBetter(value, this.best)) {
      this.best = value;
      this.bestEpoch = epoch;
      if (restoreBestWeights) {
        this.forget();
        this.bestWeights = this.model.getWeights();
      }
      // Patience starts anew only where the baseline is beaten too.
      if (baseline === null || this.isBetter(value, baseline)) this.wait = 0;
      return;
    }
    // The first epoch never ends training.
    if (this.wait >= patience && epoch > 0) {
      this.stoppedEpoch = epoch;
      this.model.stopTraining = true;
    }
  }

  private isBetter(value: number, than: number): boolean {
    return this.sign * (value - than) > Math.abs(this.config.minDelta);
  }

  override onTrainEnd(): void {
    if (this.stoppedEpoch >= 0 && this.config.verbose > 0) {
      getLogger().info(`early stopping after epoch ${this.stoppedEpoch + 1}; the best was ${this.bestEpoch + 1}`);
    }
    if (this.config.restoreBestWeights && this.bestWeights) this.model.setWeights(this.bestWeights);
    this.forget();
  }

  private forget(): void {
    dispose(this.bestWeights ?? []);
    this.bestWeights = null;
  }
}
