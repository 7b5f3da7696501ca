// The same through the one namespace.
import * as tf from "millrace";

const w = tf.variable([[0.5], [-0.5]]);
const f = tf.fn((x: tf.Tensor) => tf.matMul(x, w));
const { value, grads } = tf.variableGrads(() => tf.mean(f(tf.ones([4, 2]))));
const loss: number = Number(await value.item());
const dataset = tf.data.range(0, 10);

export { dataset, grads, loss };
