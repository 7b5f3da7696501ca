// tf.metrics: the classes by Keras's names, and a function that makes each.
import {
  BinaryCrossentropy as BinaryCrossentropyLoss,
  CategoricalCrossentropy as CategoricalCrossentropyLoss,
  type CrossentropyConfig,
  type LogitsConfig,
  SparseCategoricalCrossentropy as SparseCategoricalCrossentropyLoss,
} from "../losses/crossentropy.js";
import * as compute from "../losses/functions.js";
import { Registry, type Serialized } from "../util/identifiers.js";
import {
  Accuracy,
  BinaryAccuracy,
  type BinaryAccuracyConfig,
  CategoricalAccuracy,
  SparseCategoricalAccuracy,
} from "./accuracy.js";
import { Mean, MeanMetricWrapper, Metric, type MetricConfig, type MetricFunction } from "./metric.js";

export {
  Accuracy,
  BinaryAccuracy,
  type BinaryAccuracyConfig,
  CategoricalAccuracy,
  Mean,
  MeanMetricWrapper,
  Metric,
  type MetricConfig,
  type MetricFunction,
  SparseCategoricalAccuracy,
};

/**
 * A metric: its name in any spelling ("accuracy", "mse"), its serialized form, the object, or a function.
 * @public
 */
export type MetricIdentifier = string | Serialized | Metric | MetricFunction;

/**
 * The mean of (label - prediction)².
 * @public
 */
export class MeanSquaredError extends MeanMetricWrapper {
  static override readonly className: string = "MeanSquaredError";
  constructor(config: MetricConfig = {}) {
    super(compute.meanSquaredError, config.name ?? "mean_squared_error");
  }
}

/**
 * The mean of |label - prediction|.
 * @public
 */
export class MeanAbsoluteError extends MeanMetricWrapper {
  static override readonly className: string = "MeanAbsoluteError";
  constructor(config: MetricConfig = {}) {
    super(compute.meanAbsoluteError, config.name ?? "mean_absolute_error");
  }
}

/**
 * The mean loss of the same name, as a metric.
 * @public
 */
export class BinaryCrossentropy extends MeanMetricWrapper {
  static override readonly className: string = "BinaryCrossentropy";
  private readonly config: Record<string, unknown>;
  constructor(config: CrossentropyConfig = {}) {
    const loss = new BinaryCrossentropyLoss(config);
    super((yTrue, yPred) => loss.call(yTrue, yPred), loss.name);
    const { fromLogits = false, labelSmoothing = 0 } = config;
    this.config = { fromLogits, labelSmoothing };
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), ...this.config };
  }
}

/**
 * The mean loss of the same name, as a metric.
 * @public
 */
export class CategoricalCrossentropy extends MeanMetricWrapper {
  static override readonly className: string = "CategoricalCrossentropy";
  private readonly config: Record<string, unknown>;
  constructor(config: CrossentropyConfig = {}) {
    const loss = new CategoricalCrossentropyLoss(config);
    super((yTrue, yPred) => loss.call(yTrue, yPred), loss.name);
    const { fromLogits = false, labelSmoothing = 0 } = config;
    this.config = { fromLogits, labelSmoothing };
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), ...this.config };
  }
}

/**
 * The mean loss of the same name, as a metric.
 * @public
 */
export class SparseCategoricalCrossentropy extends MeanMetricWrapper {
  static override readonly className: string = "SparseCategoricalCrossentropy";
  private readonly config: Record<string, unknown>;
  constructor(config: LogitsConfig = {}) {
    const loss = new SparseCategoricalCrossentropyLoss(config);
    super((yTrue, yPred) => loss.call(yTrue, yPred), loss.name);
    const { fromLogits = false } = config;
    this.config = { fromLogits };
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), ...this.config };
  }
}

const registry: Registry<Metric> = new Registry("metric");
registry.register("Accuracy", (config: MetricConfig) => new Accuracy(config), ["acc"]);
registry.register("BinaryAccuracy", (config: BinaryAccuracyConfig) => new BinaryAccuracy(config));
registry.register("CategoricalAccuracy", (config: MetricConfig) => new CategoricalAccuracy(config));
registry.register("SparseCategoricalAccuracy", (config: MetricConfig) => new SparseCategoricalAccuracy(config));
registry.register("MeanSquaredError", (config: MetricConfig) => new MeanSquaredError(config), ["mse"]);
registry.register("MeanAbsoluteError", (config: MetricConfig) => new MeanAbsoluteError(config), ["mae"]);
registry.register("BinaryCrossentropy", (config: CrossentropyConfig) => new BinaryCrossentropy(config), ["bce"]);
registry.register("CategoricalCrossentropy", (config: CrossentropyConfig) => new CategoricalCrossentropy(config));
registry.register("SparseCategoricalCrossentropy", (config: LogitsConfig) => new SparseCategoricalCrossentropy(config));
registry.register("Mean", (config: MetricConfig) => new Mean(config));

/**
 * The metric that an identifier stands for. Throws E_ARGUMENT for an unknown name.
 * @public
 */
export function get(identifier: MetricIdentifier): Metric {
  if (typeof identifier !== "function") return registry.get(identifier);
  return new MeanMetricWrapper(identifier, identifier.name === "" ? "metric" : identifier.name);
}

/**
 * Makes an {@link Accuracy}.
 * @example tf.metrics.accuracy()
 * @public
 */
export const accuracy = (config?: MetricConfig): Accuracy => new Accuracy(config);
/**
 * Makes a {@link BinaryAccuracy}.
 * @example tf.metrics.binaryAccuracy({ threshold: 0.7 })
 * @public
 */
export const binaryAccuracy = (config?: BinaryAccuracyConfig): BinaryAccuracy => new BinaryAccuracy(config);
/**
 * Makes a {@link CategoricalAccuracy}.
 * @example tf.metrics.categoricalAccuracy()
 * @public
 */
export const categoricalAccuracy = (config?: MetricConfig): CategoricalAccuracy => new CategoricalAccuracy(config);
/**
 * Makes a {@link SparseCategoricalAccuracy}.
 * @example tf.metrics.sparseCategoricalAccuracy()
 * @public
 */
export const sparseCategoricalAccuracy = (config?: MetricConfig): SparseCategoricalAccuracy =>
  new SparseCategoricalAccuracy(config);
/**
 * Makes a {@link MeanSquaredError}.
 * @example tf.metrics.meanSquaredError()
 * @public
 */
export const meanSquaredError = (config?: MetricConfig): MeanSquaredError => new MeanSquaredError(config);
/**
 * Makes a {@link MeanAbsoluteError}.
 * @example tf.metrics.meanAbsoluteError()
 * @public
 */
export const meanAbsoluteError = (config?: MetricConfig): MeanAbsoluteError => new MeanAbsoluteError(config);
/**
 * Makes a {@link BinaryCrossentropy}.
 * @example tf.metrics.binaryCrossentropy({ fromLogits: true })
 * @public
 */
export const binaryCrossentropy = (config?: CrossentropyConfig): BinaryCrossentropy => new BinaryCrossentropy(config);
/**
 * Makes a {@link CategoricalCrossentropy}.
 * @example tf.metrics.categoricalCrossentropy({ fromLogits: true })
 * @public
 */
export const categoricalCrossentropy = (config?: CrossentropyConfig): CategoricalCrossentropy =>
  new CategoricalCrossentropy(config);
/**
 * Makes a {@link SparseCategoricalCrossentropy}.
 * @example tf.metrics.sparseCategoricalCrossentropy({ fromLogits: true })
 * @public
 */
export const sparseCategoricalCrossentropy = (config?: LogitsConfig): SparseCategoricalCrossentropy =>
  new SparseCategoricalCrossentropy(config);
/**
 * Makes a {@link Mean}.
 * @example tf.metrics.mean()
 * @public
 */
export const mean = (config?: MetricConfig): Mean => new Mean(config);
