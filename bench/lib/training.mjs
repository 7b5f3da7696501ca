// Training steps of our side: the models of cases d, e and i, and the ways to train one.
import * as tf from "millrace";
import { timed } from "./measure.mjs";

const { conv2d, dense, flatten, lstm, maxPooling2d } = tf.layers;
const relu = "relu";

/** What a case trains; `steps` make an epoch, which is one call of the timed task. */
export const trainings = {
  d: {
    name: "d.mlp train b128",
    ...{ batch: 128, steps: 50, shape: [784] },
    layers: () => [
      dense({ units: 512, activation: relu, inputShape: [784] }),
      dense({ units: 256, activation: relu }),
      dense({ units: 10 }),
    ],
  },
  e: {
    name: "e.cnn train b64",
    ...{ batch: 64, steps: 12, shape: [28, 28, 1] },
    layers: () => [
      conv2d({ filters: 32, kernelSize: 3, activation: relu, inputShape: [28, 28, 1] }),
      conv2d({ filters: 64, kernelSize: 3, activation: relu }),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dense({ units: 128, activation: relu }),
      dense({ units: 10 }),
    ],
  },
  i: {
    name: "i.lstm128 train s64 b64",
    ...{ batch: 64, steps: 10, shape: [64, 64] },
    layers: () => [lstm({ units: 128, inputShape: [64, 64] }), dense({ units: 10 })],
  },
};

const compiled = () => ({
  optimizer: tf.optimizers.adam({ learningRate: 1e-3 }),
  loss: tf.losses.sparseCategoricalCrossentropy({ fromLogits: true }),
});

/** Gradients by tf.variableGrads and an optimizer's step; returns the loss. */
export function stepOf(model, { optimizer, loss } = compiled()) {
  optimizer.build(model.trainableWeights);
  return (x, y) => {
    const { value, grads } = tf.variableGrads(() => loss.apply(y, model.apply(x, { training: true })));
    optimizer.applyGradients(grads);
    return value;
  };
}

/** The same with a tape, and no function around it. */
export function tapeStepOf(model, { optimizer, loss } = compiled()) {
  const weights = model.trainableWeights;
  optimizer.build(weights);
  return (x, y) => {
    const tape = new tf.GradientTape();
    const value = tape.run(() => loss.apply(y, model.apply(x, { training: true })));
    const grads = tape.gradient(value, weights);
    optimizer.applyGradients(grads.map((grad, i) => [grad, weights[i]]));
    tf.dispose(grads);
    return value;
  };
}

const batchesOf = ({ batch, steps, shape }) =>
  Array.from({ length: steps }, () => [tf.randomUniform([batch, ...shape]), tf.randomUniformInt([batch], 0, 10)]);

const rates = ({ name, steps }) => ({ name, unit: "steps/s", rate: (s) => steps / s, warmUps: 1 });

/** Reads a loss, which waits for its step, and refuses one that is no number. */
export async function checkLoss(loss) {
  const value = await loss.item();
  if (!Number.isFinite(value)) throw new Error(`the loss is ${value}`);
  loss.dispose();
}

/** Epochs of steps; `makes` turns a model into the function that is one step. The last loss of an epoch is read. */
export function loop(training, makes) {
  const step = makes(tf.sequential({ layers: training.layers() }));
  const batches = batchesOf(training);
  const run = async () => {
    let last;
    for (const [x, y] of batches) {
      last?.dispose();
      last = step(x, y);
    }
    await checkLoss(last);
  };
  return timed({ ...rates(training), run });
}

/** model.fit on the same batches. */
export function fitLoop(training) {
  const model = tf.sequential({ layers: training.layers() });
  model.compile(compiled());
  const batches = batchesOf(training);
  return timed({ ...rates(training), run: () => model.fit(() => batches, { epochs: 1, verbose: 0 }) });
}

/** A case's systems: a loop of one's own around tf.fn, and fit. */
export const systemsOf = (id) => ({
  "millrace tf.fn": { [id]: () => loop(trainings[id], (model) => tf.fn(stepOf(model))) },
  "millrace fit": { [id]: () => fitLoop(trainings[id]) },
});
