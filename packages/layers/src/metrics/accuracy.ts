// How often predictions are right, in the three forms that labels come in.
import * as tf from "@millrace/autodiff";
import { classNumbers, sameShape } from "../losses/shapes.js";
import { complete, type Defaults } from "../util/options.js";
import type { BatchShape } from "../util/shapes.js";
import { MeanMetricWrapper, type MetricConfig } from "./metric.js";

/**
 * Options of `BinaryAccuracy`.
 * @public
 */
export interface BinaryAccuracyConfig extends MetricConfig {
  /** Over which prediction the answer is 1. */
  readonly threshold?: number;
}

const binaryDefaults: Defaults<BinaryAccuracyConfig> = { name: "binary_accuracy", threshold: 0.5 };

/**
 * How often a prediction over the threshold meets a label 1, and one below a label 0.
 * @public
 */
export class BinaryAccuracy extends MeanMetricWrapper {
  static override readonly className: string = "BinaryAccuracy";
  private readonly threshold: number;
  constructor(config: BinaryAccuracyConfig = {}) {
    const all = complete<BinaryAccuracyConfig>("BinaryAccuracy", config, binaryDefaults);
    super((yTrue, yPred) => {
      const [t, p] = sameShape("binaryAccuracy", yTrue, yPred);
      return tf.mean(tf.cast(tf.equal(t, tf.cast(tf.greater(p, all.threshold), t.dtype)), "float32"), -1);
    }, all.name!);
    this.threshold = all.threshold;
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), threshold: this.threshold };
  }
}

/**
 * How often the greatest prediction is that of the one-hot label's class.
 * @public
 */
export class CategoricalAccuracy extends MeanMetricWrapper {
  static override readonly className: string = "CategoricalAccuracy";
  constructor(config: MetricConfig = {}) {
    super((yTrue, yPred) => {
      const [t, p] = sameShape("categoricalAccuracy", yTrue, yPred);
      return tf.cast(tf.equal(tf.argMax(t, -1), tf.argMax(p, -1)), "float32");
    }, config.name ?? "categorical_accuracy");
  }
}

/**
 * How often the greatest prediction is that of the class that the label numbers.
 * @public
 */
export class SparseCategoricalAccuracy extends MeanMetricWrapper {
  static override readonly className: string = "SparseCategoricalAccuracy";
  constructor(config: MetricConfig = {}) {
    super((yTrue, yPred) => {
      const labels = classNumbers("sparseCategoricalAccuracy", yTrue, yPred);
      return tf.cast(tf.equal(labels, tf.argMax(yPred, -1)), "float32");
    }, config.name ?? "sparse_categorical_accuracy");
  }
}

/**
 * How often predictions equal labels.
 * @public
 */
export class Accuracy extends MeanMetricWrapper {
  static override readonly className: string = "Accuracy";
  constructor(config: MetricConfig = {}) {
    super((yTrue, yPred) => {
      const [t, p] = sameShape("accuracy", yTrue, yPred);
      return tf.mean(tf.cast(tf.equal(t, p), "float32"), -1);
    }, config.name ?? "accuracy");
  }
}

/** What "accuracy" means for labels and predictions of these shapes, as Keras decides it. */
export function accuracyFor(yTrue: BatchShape, yPred: BatchShape, name: string): MeanMetricWrapper {
  if (yPred.at(-1) === 1) return new BinaryAccuracy({ name });
  const isSparse = yTrue.length < yPred.length || yTrue.at(-1) === 1;
  return isSparse ? new SparseCategoricalAccuracy({ name }) : new CategoricalAccuracy({ name });
}
