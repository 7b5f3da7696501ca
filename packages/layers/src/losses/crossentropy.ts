// Losses of probabilities. Logits, numbers before sigmoid or softmax, are sounder: pass `fromLogits: true` and no activation.
import { MillraceError, type Tensor } from "@millrace/autodiff";
import { checkRange } from "../util/options.js";
import * as compute from "./functions.js";
import { Loss, type LossConfig, lossOptions } from "./loss.js";

/**
 * Options of `SparseCategoricalCrossentropy`.
 * @public
 */
export interface LogitsConfig extends LossConfig {
  /** Whether predictions are logits rather than probabilities. */
  readonly fromLogits?: boolean;
}

/**
 * Options of `BinaryCrossentropy` and `CategoricalCrossentropy`.
 * @public
 */
export interface CrossentropyConfig extends LogitsConfig {
  /** How much of each label is spread over all classes. */
  readonly labelSmoothing?: number;
  /** The axis of classes: the last. */
  readonly axis?: number;
}

const defaults = { fromLogits: false, labelSmoothing: 0, axis: -1 };

/** What the two with smoothed labels share. */
abstract class Smoothed extends Loss {
  protected readonly fromLogits: boolean;
  protected readonly labelSmoothing: number;
  constructor(className: string, name: string, config: CrossentropyConfig) {
    const all = lossOptions<CrossentropyConfig>(className, config, defaults);
    super(name, all);
    checkRange(className, "labelSmoothing", all.labelSmoothing, 0, 1);
    if (all.axis !== -1)
      throw new MillraceError("E_UNIMPLEMENTED", `${className}: the axis of classes must be the last`);
    this.fromLogits = all.fromLogits;
    this.labelSmoothing = all.labelSmoothing;
  }
}

/**
 * For labels 0 and 1, each prediction by itself.
 * @public
 */
export class BinaryCrossentropy extends Smoothed {
  static override readonly className: string = "BinaryCrossentropy";
  constructor(config: CrossentropyConfig = {}) {
    super("BinaryCrossentropy", "binary_crossentropy", config);
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return compute.binaryCrossentropy(yTrue, yPred, this.fromLogits, this.labelSmoothing);
  }
}

/**
 * For one-hot labels.
 * @public
 */
export class CategoricalCrossentropy extends Smoothed {
  static override readonly className: string = "CategoricalCrossentropy";
  constructor(config: CrossentropyConfig = {}) {
    super("CategoricalCrossentropy", "categorical_crossentropy", config);
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return compute.categoricalCrossentropy(yTrue, yPred, this.fromLogits, this.labelSmoothing);
  }
}

/**
 * For class numbers.
 * @public
 */
export class SparseCategoricalCrossentropy extends Loss {
  static override readonly className: string = "SparseCategoricalCrossentropy";
  private readonly fromLogits: boolean;
  constructor(config: LogitsConfig = {}) {
    const all = lossOptions<LogitsConfig>("SparseCategoricalCrossentropy", config, { fromLogits: false });
    super("sparse_categorical_crossentropy", all);
    this.fromLogits = all.fromLogits;
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return compute.sparseCategoricalCrossentropy(yTrue, yPred, this.fromLogits);
  }
}
