// Losses of numbers: distances of labels and predictions.
import type { Tensor } from "@millrace/autodiff";
import * as compute from "./functions.js";
import { Loss, type LossConfig, lossOptions } from "./loss.js";

/**
 * The mean of (label - prediction)².
 * @public
 */
export class MeanSquaredError extends Loss {
  static override readonly className: string = "MeanSquaredError";
  constructor(config: LossConfig = {}) {
    super("mean_squared_error", lossOptions("MeanSquaredError", config, {}));
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return compute.meanSquaredError(yTrue, yPred);
  }
}

/**
 * The mean of |label - prediction|.
 * @public
 */
export class MeanAbsoluteError extends Loss {
  static override readonly className: string = "MeanAbsoluteError";
  constructor(config: LossConfig = {}) {
    super("mean_absolute_error", lossOptions("MeanAbsoluteError", config, {}));
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return compute.meanAbsoluteError(yTrue, yPred);
  }
}

/**
 * 100 times the mean of |label - prediction| / |label|.
 * @public
 */
export class MeanAbsolutePercentageError extends Loss {
  static override readonly className: string = "MeanAbsolutePercentageError";
  constructor(config: LossConfig = {}) {
    super("mean_absolute_percentage_error", lossOptions("MeanAbsolutePercentageError", config, {}));
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return compute.meanAbsolutePercentageError(yTrue, yPred);
  }
}

/**
 * Options of `Huber`.
 * @public
 */
export interface HuberConfig extends LossConfig {
  /** Up to which distance the loss is a square. */
  readonly delta?: number;
}

/**
 * Squared for small distances, linear for large ones.
 * @public
 */
export class Huber extends Loss {
  static override readonly className: string = "Huber";
  private readonly delta: number;
  constructor(config: HuberConfig = {}) {
    const all = lossOptions<HuberConfig>("Huber", config, { delta: 1 });
    super("huber_loss", all);
    this.delta = all.delta;
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return compute.huber(yTrue, yPred, this.delta);
  }
}

/**
 * The mean of max(1 - label · prediction, 0), with labels -1 and 1.
 * @public
 */
export class Hinge extends Loss {
  static override readonly className: string = "Hinge";
  constructor(config: LossConfig = {}) {
    super("hinge", lossOptions("Hinge", config, {}));
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return compute.hinge(yTrue, yPred);
  }
}
