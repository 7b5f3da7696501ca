// Learns XOR in the page, once with gradients by hand and once with layers, and puts what came of it into #result as JSON.
import * as tf from "millrace";

const xs = tf.tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
const ys = tf.tensor([[0], [1], [1], [0]]);
const rounded = async (y) => Array.from(await y.data(), Math.round);

async function byHand() {
  const w1 = tf.variable([
    [0.9, -0.7, 0.4, 1.1],
    [-0.8, 0.6, 0.5, 1.2],
  ]);
  const b1 = tf.variable(tf.zeros([4]));
  const w2 = tf.variable([[0.7], [0.9], [-0.6], [-1]]);
  const b2 = tf.variable(tf.zeros([1]));
  const predict = tf.fn((x) => tf.sigmoid(tf.tanh(x.matMul(w1).add(b1)).matMul(w2).add(b2)));
  const lossOf = () => tf.mean(tf.squaredDifference(predict(xs), ys));

  const first = await lossOf().item();
  for (let step = 0; step < 300; step++)
    tf.tidy(() => {
      const { grads } = tf.variableGrads(lossOf);
      for (const v of [w1, b1, w2, b2]) v.assignSub(tf.mul(grads[v.name], 2));
    });
  return { first, last: await lossOf().item(), predictions: await rounded(predict(xs)) };
}

async function withLayers() {
  const model = tf.sequential();
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 7 });
  model.add(tf.layers.dense({ units: 8, activation: "tanh", kernelInitializer, inputShape: [2] }));
  model.add(tf.layers.dense({ units: 1, activation: "sigmoid", kernelInitializer }));
  model.compile({ optimizer: tf.optimizers.adam({ learningRate: 0.1 }), loss: "meanSquaredError" });
  const { history } = await model.fit(xs, ys, { epochs: 120, verbose: 0 });
  // What it learned goes into a file and comes back.
  const again = await tf.loadModel(new Blob([await model.toBytes()]));
  return { first: history.loss[0], last: history.loss.at(-1), predictions: await rounded(again.predict(xs)) };
}

const show = (result) => {
  document.getElementById("result").textContent = JSON.stringify(result);
};

async function train() {
  return { backend: tf.getBackend(), runs: { byHand: await byHand(), withLayers: await withLayers() } };
}
train().then(show, (error) => show({ error: `${error.stack}` }));
