// What is learned: a convolutional network on the native backend, a smaller one where that was not built.
import * as tf from "millrace";

/** The network and how it is trained. */
export function chooseJob() {
  return hasNativeBackend() ? convolutional() : dense();
}

function hasNativeBackend() {
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
    backend: "cpu (native)",
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
      dense({ units: 10, activation: "softmax" }),
    ],
  };
}

function dense() {
  const { dense: full, flatten } = tf.layers;
  return {
    backend: "reference, since the native addon is not built: a smaller job",
    train: 2000,
    test: 1000,
    batch: 50,
    epochs: 4,
    learningRate: 3e-3,
    least: 0.85,
    layers: () => [
      flatten({ inputShape: [28, 28, 1] }),
      full({ units: 64, activation: "relu" }),
      full({ units: 10, activation: "softmax" }),
    ],
  };
}
