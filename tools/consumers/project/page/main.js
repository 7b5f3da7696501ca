// Learns XOR in the page, and puts what came of it into #result as JSON.
import * as tf from "millrace";

async function train() {
  const xs = tf.tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]);
  const ys = tf.tensor([[0], [1], [1], [0]]);
  const weights = [
    tf.variable([
      [0.9, -0.7, 0.4, 1.1],
      [-0.8, 0.6, 0.5, 1.2],
    ]),
    tf.variable(tf.zeros([4])),
    tf.variable([[0.7], [0.9], [-0.6], [-1]]),
    tf.variable(tf.zeros([1])),
  ];
  const [w1, b1, w2, b2] = weights;
  const predict = tf.fn((x) => tf.sigmoid(tf.tanh(x.matMul(w1).add(b1)).matMul(w2).add(b2)));
  const lossOf = () => tf.mean(tf.squaredDifference(predict(xs), ys));

  const first = await lossOf().item();
  for (let step = 0; step < 300; step++) {
    tf.tidy(() => {
      const { grads } = tf.variableGrads(lossOf, weights);
      for (const v of weights) v.assignSub(tf.mul(grads[v.name], 2));
    });
  }
  const predictions = (await predict(xs).data()).map((p) => Math.round(p));
  return { backend: tf.getBackend(), first, last: await lossOf().item(), predictions: [...predictions] };
}

const show = (result) => {
  document.getElementById("result").textContent = JSON.stringify(result);
};
train().then(show, (error) => show({ error: `${error.stack}` }));
