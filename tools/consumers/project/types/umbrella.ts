// The same through the one namespace, and a model.
import * as tf from "millrace";

const w = tf.variable([[0.5], [-0.5]]);
const f = tf.fn((x: tf.Tensor) => tf.matMul(x, w));
const { value, grads } = tf.variableGrads(() => tf.mean(f(tf.ones([4, 2]))));
const loss: number = Number(await value.item());
const dataset = tf.data.range(0, 10);

const model = tf.sequential();
model.add(tf.layers.dense({ units: 1, inputShape: [2] }));
model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
const history = await model.fit(tf.ones([4, 2]), tf.zeros([4, 1]), { epochs: 1, verbose: 0 });

export { dataset, grads, history, loss };
