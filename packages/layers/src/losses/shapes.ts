// Labels and predictions brought to shapes that belong together.
import * as tf from "@millrace/autodiff";
import { MillraceError, type Tensor } from "@millrace/autodiff";
import { shapeOf, showShape } from "../util/shapes.js";

/** Labels and predictions of one rank: where one has a last axis of size 1 more, vectors get it, others lose it. */
export function sameRank(yTrue: Tensor, yPred: Tensor): [Tensor, Tensor] {
  if (yTrue.rank === yPred.rank + 1 && yTrue.shape.at(-1) === 1) {
    return yPred.rank === 1 ? [yTrue, tf.expandDims(yPred, -1)] : [tf.squeeze(yTrue, -1), yPred];
  }
  if (yPred.rank === yTrue.rank + 1 && yPred.shape.at(-1) === 1) {
    return yTrue.rank === 1 ? [tf.expandDims(yTrue, -1), yPred] : [yTrue, tf.squeeze(yPred, -1)];
  }
  return [yTrue, yPred];
}

/**
 * Labels and predictions of one shape, the labels in the predictions' dtype. Shapes that would broadcast are refused:
 * [n] beside [n, 1] is [n, 1], but [n, 1] beside [n, 3] is nearly always a mistake.
 */
export function sameShape(who: string, yTrue: Tensor, yPred: Tensor): [Tensor, Tensor] {
  const [labels, predictions] = sameRank(yTrue, yPred);
  const [a, b] = [shapeOf(labels), shapeOf(predictions)];
  const fits = a.length === b.length && a.every((size, i) => size === null || b[i] === null || size === b[i]);
  if (!fits) {
    const message = `${who}: labels of shape ${showShape(shapeOf(yTrue))} do not fit predictions of ${showShape(shapeOf(yPred))}`;
    throw new MillraceError("E_SHAPE", message);
  }
  return [tf.cast(labels, predictions.dtype), predictions];
}

/** Class numbers without a last axis of size 1, as int32. */
export function classNumbers(who: string, yTrue: Tensor, yPred: Tensor): Tensor {
  const labels: Tensor = yTrue.rank === yPred.rank && yTrue.shape.at(-1) === 1 ? tf.squeeze(yTrue, -1) : yTrue;
  const [a, b] = [shapeOf(labels), shapeOf(yPred).slice(0, -1)];
  const fits = a.length === b.length && a.every((size, i) => size === null || b[i] === null || size === b[i]);
  if (!fits) {
    const message = `${who}: class numbers of shape ${showShape(shapeOf(yTrue))} do not fit predictions of ${showShape(shapeOf(yPred))}`;
    throw new MillraceError("E_SHAPE", message);
  }
  return tf.cast(labels, "int32");
}

/** The number of elements: a number, or a scalar where a size is not known while tracing. */
export function countElements(x: Tensor): number | Tensor {
  const sizes = shapeOf(x);
  return sizes.includes(null) ? tf.sum(tf.onesLike(x)) : sizes.reduce<number>((n, size) => n * size!, 1);
}

/** Weights stretched along the axes of `values` that they lack; [n] weighs the rows of [n, m]. */
export function alignWeights(weights: Tensor, values: Tensor): Tensor {
  const cast: Tensor = tf.cast(weights, values.dtype);
  if (cast.rank === values.rank + 1 && cast.shape.at(-1) === 1) return tf.squeeze(cast, -1);
  if (cast.rank >= values.rank) return cast;
  return tf.reshape(cast, [...cast.shape, ...Array.from({ length: values.rank - cast.rank }, () => 1)]);
}
