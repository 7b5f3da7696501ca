// The losses of single samples: labels and predictions in, one number a sample out (the last axis goes).

import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { classNumbers, sameShape } from "./shapes.js";

/** How near to 0 and 1 a probability may come before its logarithm is taken. */
const epsilon = 1e-7;

/** mean (t - p)² */
export function meanSquaredError(yTrue: Tensor, yPred: Tensor): Tensor {
  const [t, p] = sameShape("meanSquaredError", yTrue, yPred);
  return overLastAxis(tf.squaredDifference(p, t));
}

/** mean |t - p| */
export function meanAbsoluteError(yTrue: Tensor, yPred: Tensor): Tensor {
  const [t, p] = sameShape("meanAbsoluteError", yTrue, yPred);
  return overLastAxis(tf.abs(tf.sub(p, t)));
}

/** 100 mean |t - p| / |t| */
export function meanAbsolutePercentageError(yTrue: Tensor, yPred: Tensor): Tensor {
  const [t, p] = sameShape("meanAbsolutePercentageError", yTrue, yPred);
  return tf.mul(overLastAxis(tf.abs(tf.div(tf.sub(t, p), tf.maximum(tf.abs(t), epsilon)))), 100);
}

/** mean of e²/2 where |e| = |t - p| is at most delta, else delta |e| - delta²/2 */
export function huber(yTrue: Tensor, yPred: Tensor, delta: number): Tensor {
  const [t, p] = sameShape("huber", yTrue, yPred);
  const error = tf.sub(p, t);
  const distance = tf.abs(error);
  const near = tf.mul(tf.square(error), 0.5);
  const far = tf.sub(tf.mul(distance, delta), 0.5 * delta * delta);
  return overLastAxis(tf.where(tf.lessEqual(distance, delta), near, far));
}

/** mean max(1 - t p, 0) with labels -1 and 1; 0 counts as -1 where all labels are 0 or 1 */
export function hinge(yTrue: Tensor, yPred: Tensor): Tensor {
  const [t, p] = sameShape("hinge", yTrue, yPred);
  const isBinary = tf.all(tf.logicalOr(tf.equal(t, 0), tf.equal(t, 1)));
  const signed = tf.where(isBinary, tf.sub(tf.mul(t, 2), 1), t);
  return overLastAxis(tf.maximum(tf.sub(1, tf.mul(signed, p)), 0));
}

/** -mean t log p + (1 - t) log (1 - p) */
export function binaryCrossentropy(yTrue: Tensor, yPred: Tensor, fromLogits: boolean, labelSmoothing: number): Tensor {
  const [labels, p] = sameShape("binaryCrossentropy", yTrue, yPred);
  const t: Tensor = labelSmoothing === 0 ? labels : tf.add(tf.mul(labels, 1 - labelSmoothing), labelSmoothing / 2);
  if (fromLogits) {
    // log(1 + exp(x)) - t x, in a form whose exponential is at most 1
    const tail = tf.log1p(tf.exp(tf.neg(tf.abs(p))));
    return overLastAxis(tf.add(tf.sub(tf.relu(p), tf.mul(p, t)), tail));
  }
  const q = tf.clipByValue(p, epsilon, 1 - epsilon);
  const positive = tf.mul(t, tf.log(q));
  const negative = tf.mul(tf.sub(1, t), tf.log(tf.sub(1, q)));
  return tf.neg(overLastAxis(tf.add(positive, negative)));
}

/** -Σ t log p along the last axis, with one-hot labels or probabilities t */
export function categoricalCrossentropy(
  yTrue: Tensor,
  yPred: Tensor,
  fromLogits: boolean,
  labelSmoothing: number,
): Tensor {
  const [labels, p] = sameShape("categoricalCrossentropy", yTrue, yPred);
  const classes = p.shape.at(-1)!;
  const t: Tensor =
    labelSmoothing === 0 ? labels : tf.add(tf.mul(labels, 1 - labelSmoothing), labelSmoothing / classes);
  return tf.neg(tf.sum(tf.mul(t, logProbabilities(p, fromLogits)), -1));
}

/** -log p of the class that the label numbers, along the last axis; NaN where there is no such class. */
export function sparseCategoricalCrossentropy(yTrue: Tensor, yPred: Tensor, fromLogits: boolean): Tensor {
  const labels = classNumbers("sparseCategoricalCrossentropy", yTrue, yPred);
  const logs = logProbabilities(yPred, fromLogits);
  const isClass: Tensor = tf.cast(tf.oneHot(labels, yPred.shape.at(-1)!), "bool");
  // A select, not a product: 0 times the infinite logarithm of an impossible class would be NaN.
  const picked = tf.neg(tf.sum(tf.where(isClass, logs, 0), -1));
  return tf.where(tf.any(isClass, -1), picked, Number.NaN);
}

/** Predictions as logarithms of probabilities, which are divided by their sum first, as Keras does. */
function logProbabilities(p: Tensor, fromLogits: boolean): Tensor {
  if (fromLogits) return tf.logSoftmax(p);
  return tf.log(tf.clipByValue(tf.div(p, tf.sum(p, -1, true)), epsilon, 1 - epsilon));
}

/** The mean of each sample; a vector has one number a sample already. */
function overLastAxis(x: Tensor): Tensor {
  return x.rank === 0 ? x : tf.mean(x, -1);
}
