// Trains a network on 8,000 handwritten digits and checks it on 2,000 others. With the native backend it is a
// convolutional network; where cargo did not build one, a smaller job runs on the reference backend.
import * as tf from "millrace";
import { loadDigits } from "./digits.mjs";
import { Stages, showConfusion, showDigits } from "./show.mjs";

const stages = new Stages();
const native = stages.run("start the backend", () => startBackend());
console.log(
  native ? "backend: cpu (native)" : "backend: reference, since the native addon is not built: a smaller job",
);

const job = native ? convolutional() : dense();
const digits = stages.run("load the digits", () => loadDigits(job.train, job.test));
console.log(`${digits.train.count} digits to learn from, ${digits.test.count} held out`);

tf.setRandomSeed(17);
const model = stages.run("build the model", () => {
  const made = tf.sequential({ layers: job.layers() });
  made.compile({
    optimizer: tf.optimizers.adam({ learningRate: job.learningRate }),
    loss: tf.losses.sparseCategoricalCrossentropy({ fromLogits: true }),
    metrics: ["accuracy"],
  });
  return made;
});
model.summary({ printFn: console.log });

await stages.runAsync("train", async () => {
  const { xs, ys } = asTensors(digits.train);
  const batches = tf.data.fromTensorSlices({ xs, ys }).shuffle(4096, { seed: 1 }).batch(job.batch).prefetch(2);
  tf.dispose([xs, ys]);
  await model.fit(batches, { epochs: job.epochs, validationData: held(digits.test) });
});

const { accuracy, predicted } = await stages.runAsync("predict", async () => {
  const { xs, ys } = asTensors(digits.test);
  const labels = await tf.argMax(model.predict(xs), -1).data();
  const right = digits.test.ys.reduce((n, label, i) => n + (labels[i] === label ? 1 : 0), 0);
  tf.dispose([xs, ys]);
  return { accuracy: right / digits.test.count, predicted: labels };
});

showDigits(digits.test, predicted);
showConfusion(digits.test.ys, predicted);
stages.print();
if (accuracy < job.least) {
  console.error(`the accuracy ${accuracy.toFixed(4)} is under ${job.least}`);
  process.exitCode = 1;
}
console.log(`quickstart: accuracy ${accuracy.toFixed(4)}`);

/** True where the native backend runs. */
function startBackend() {
  try {
    tf.device("cpu:0", () => tf.scalar(1).dispose());
    return true;
  } catch (error) {
    if (!tf.isMillraceError(error)) throw error;
    tf.scalar(1).dispose(); // the reference backend is next in line
    return false;
  }
}

function convolutional() {
  const { conv2d, dense, dropout, flatten, maxPooling2d } = tf.layers;
  return {
    train: 8000,
    test: 2000,
    batch: 64,
    epochs: 12,
    learningRate: 1e-3,
    least: 0.975,
    layers: () => [
      conv2d({ filters: 32, kernelSize: 3, activation: "relu", inputShape: [28, 28, 1] }),
      maxPooling2d({ poolSize: 2 }),
      conv2d({ filters: 64, kernelSize: 3, activation: "relu" }),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dropout({ rate: 0.4 }),
      dense({ units: 128, activation: "relu" }),
      dense({ units: 10 }),
    ],
  };
}

function dense() {
  const { dense: full, flatten } = tf.layers;
  return {
    train: 2000,
    test: 1000,
    batch: 50,
    epochs: 4,
    learningRate: 3e-3,
    least: 0.85,
    layers: () => [flatten({ inputShape: [28, 28, 1] }), full({ units: 64, activation: "relu" }), full({ units: 10 })],
  };
}

function asTensors({ xs, ys, count }) {
  return { xs: tf.tensor(xs, [count, 28, 28, 1]), ys: tf.tensor(ys, [count], "int32") };
}

function held(part) {
  const { xs, ys } = asTensors(part);
  return [xs, ys];
}
