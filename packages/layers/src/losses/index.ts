// tf.losses: the classes by Keras's names, and a function that makes each.
import type { Tensor } from "@millrace/autodiff";
import { Registry, type Serialized } from "../util/identifiers.js";
import {
  BinaryCrossentropy,
  CategoricalCrossentropy,
  type CrossentropyConfig,
  type LogitsConfig,
  SparseCategoricalCrossentropy,
} from "./crossentropy.js";
import { computesOnly, Loss, type LossConfig } from "./loss.js";
import {
  Hinge,
  Huber,
  type HuberConfig,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
} from "./regression.js";

export {
  BinaryCrossentropy,
  CategoricalCrossentropy,
  type CrossentropyConfig,
  Hinge,
  Huber,
  type HuberConfig,
  type LogitsConfig,
  Loss,
  type LossConfig,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  SparseCategoricalCrossentropy,
};

/**
 * A function of labels and predictions that gives the loss of each sample.
 * @public
 */
export type LossFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

/**
 * A loss: its name in any spelling ("meanSquaredError", "mse"), its serialized form, the object, or a function.
 * @public
 */
export type LossIdentifier = string | Serialized | Loss | LossFunction;

const registry: Registry<Loss> = new Registry("loss");
registry.register("MeanSquaredError", (config: LossConfig) => new MeanSquaredError(config), ["mse"]);
registry.register("MeanAbsoluteError", (config: LossConfig) => new MeanAbsoluteError(config), ["mae"]);
registry.register("MeanAbsolutePercentageError", (config: LossConfig) => new MeanAbsolutePercentageError(config), [
  "mape",
]);
registry.register("Huber", (config: HuberConfig) => new Huber(config), ["huberLoss"]);
registry.register("Hinge", (config: LossConfig) => new Hinge(config));
registry.register("BinaryCrossentropy", (config: CrossentropyConfig) => new BinaryCrossentropy(config), ["bce"]);
registry.register("CategoricalCrossentropy", (config: CrossentropyConfig) => new CategoricalCrossentropy(config));
registry.register("SparseCategoricalCrossentropy", (config: LogitsConfig) => new SparseCategoricalCrossentropy(config));

computesOnly(MeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError, Huber, Hinge);
computesOnly(BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy);

/** A loss from a function. */
class FunctionLoss extends Loss {
  static override readonly className: string = "FunctionLoss";
  private readonly f: LossFunction;
  constructor(f: LossFunction) {
    super(f.name === "" ? "loss" : f.name, {});
    this.f = f;
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return this.f(yTrue, yPred);
  }
}

/**
 * The loss that an identifier stands for. Throws E_ARGUMENT for an unknown name.
 * @public
 */
export function get(identifier: LossIdentifier): Loss {
  return typeof identifier === "function" ? new FunctionLoss(identifier) : registry.get(identifier);
}

/**
 * Makes a {@link MeanSquaredError}.
 * @example tf.losses.meanSquaredError()
 * @public
 */
export const meanSquaredError = (config?: LossConfig): MeanSquaredError => new MeanSquaredError(config);
/**
 * Makes a {@link MeanAbsoluteError}.
 * @example tf.losses.meanAbsoluteError()
 * @public
 */
export const meanAbsoluteError = (config?: LossConfig): MeanAbsoluteError => new MeanAbsoluteError(config);
/**
 * Makes a {@link MeanAbsolutePercentageError}.
 * @example tf.losses.meanAbsolutePercentageError()
 * @public
 */
export const meanAbsolutePercentageError = (config?: LossConfig): MeanAbsolutePercentageError =>
  new MeanAbsolutePercentageError(config);
/**
 * Makes a {@link Huber}.
 * @example tf.losses.huber({ delta: 0.5 })
 * @public
 */
export const huber = (config?: HuberConfig): Huber => new Huber(config);
/**
 * Makes a {@link Hinge}.
 * @example tf.losses.hinge()
 * @public
 */
export const hinge = (config?: LossConfig): Hinge => new Hinge(config);
/**
 * Makes a {@link BinaryCrossentropy}.
 * @example tf.losses.binaryCrossentropy({ fromLogits: true })
 * @public
 */
export const binaryCrossentropy = (config?: CrossentropyConfig): BinaryCrossentropy => new BinaryCrossentropy(config);
/**
 * Makes a {@link CategoricalCrossentropy}.
 * @example tf.losses.categoricalCrossentropy({ fromLogits: true })
 * @public
 */
export const categoricalCrossentropy = (config?: CrossentropyConfig): CategoricalCrossentropy =>
  new CategoricalCrossentropy(config);
/**
 * Makes a {@link SparseCategoricalCrossentropy}.
 * @example tf.losses.sparseCategoricalCrossentropy({ fromLogits: true })
 * @public
 */
export const sparseCategoricalCrossentropy = (config?: LogitsConfig): SparseCategoricalCrossentropy =>
  new SparseCategoricalCrossentropy(config);
