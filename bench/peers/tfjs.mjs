// TensorFlow.js on its backends, and ONNX Runtime in Node.js: `node tfjs.mjs --list`, or CASE SYSTEM [--serve]; see lib/serve.mjs.
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { threads, timed } from "../lib/measure.mjs";
import { serve } from "../lib/serve.mjs";

const refs = process.env.REFS ?? "refs";
const require = createRequire(path.join(path.resolve(refs), "js/package.json"));
console.warn = () => {};

async function load(system) {
  if (system === "onnxruntime-node") return require("onnxruntime-node");
  const backend = system.replace("tfjs-", "");
  if (backend === "node") return require("@tensorflow/tfjs-node");
  const tf = require("@tensorflow/tfjs");
  if (backend === "wasm") {
    const wasm = require("@tensorflow/tfjs-backend-wasm");
    wasm.setWasmPaths(path.join(path.dirname(require.resolve("@tensorflow/tfjs-backend-wasm")), "/"));
    wasm.setThreadsCount(threads);
  }
  await tf.setBackend(backend);
  await tf.ready();
  return tf;
}

const read = (x) => {
  x.dataSync();
  x.dispose();
};

const add = (tf) => {
  const [a, b] = [tf.ones([8]), tf.ones([8])];
  const run = () => tf.add(a, b).dispose();
  return timed({ name: "a.dispatch add[8]", unit: "ns/op", low: true, rate: (s) => s * 1e9, run });
};

const product = (n) => (tf) => {
  const [a, b] = [tf.randomNormal([n, n]), tf.randomNormal([n, n])];
  const run = () => read(tf.matMul(a, b));
  return timed({ name: `b.sgemm ${n}`, unit: "GFLOP/s", rate: (s) => (2 * n ** 3) / s / 1e9, run });
};
const products = (...sizes) => Object.fromEntries(sizes.map((n) => [`b.${n}`, product(n)]));

const trainings = {
  d: { name: "d.mlp train b128", batch: 128, steps: 50, shape: [784] },
  e: { name: "e.cnn train b64", batch: 64, steps: 12, shape: [28, 28, 1] },
  i: { name: "i.lstm128 train s64 b64", batch: 64, steps: 10, shape: [64, 64] },
};

function layersOf({ layers: L }, id, inputShape) {
  const relu = "relu";
  if (id === "i") return [L.lstm({ units: 128, inputShape }), L.dense({ units: 10 })];
  const head = [L.dense({ units: 10 })];
  if (id === "d") {
    return [L.dense({ units: 512, activation: relu, inputShape }), L.dense({ units: 256, activation: relu }), ...head];
  }
  return [
    L.conv2d({ filters: 32, kernelSize: 3, activation: relu, inputShape }),
    L.conv2d({ filters: 64, kernelSize: 3, activation: relu }),
    L.maxPooling2d({}),
    L.flatten(),
    L.dense({ units: 128, activation: relu }),
    ...head,
  ];
}

const train = (id) => (tf) => {
  const { name, batch, steps, shape } = trainings[id];
  const model = tf.sequential({ layers: layersOf(tf, id, shape) });
  const optimizer = tf.train.adam(1e-3);
  const xs = tf.randomUniform([batch, ...shape]);
  const ys = tf.tidy(() => tf.oneHot(tf.randomUniform([batch], 0, 10, "int32").toInt(), 10).toFloat());
  const loss = () => tf.losses.softmaxCrossEntropy(ys, model.apply(xs, { training: true }));
  const run = () => {
    for (let i = 0; i < steps; i++) read(optimizer.minimize(loss, true));
  };
  return timed({ name, unit: "steps/s", rate: (s) => steps / s, warmUps: 1, run });
};

async function onnx(ort) {
  const session = await ort.InferenceSession.create(`${refs}/models/mnv2.onnx`, { intraOpNumThreads: threads });
  const picture = Float32Array.from({ length: 224 * 224 * 3 }, () => Math.random() * 2 - 1);
  const inputs = { [session.inputNames[0]]: new ort.Tensor("float32", picture, [1, 224, 224, 3]) };
  const run = () => session.run(inputs);
  return timed({ name: "g.mobilenetv2 b1", unit: "ms", low: true, rate: (s) => s * 1e3, run });
}

const [node, wasm] = ["tfjs-node", "tfjs-wasm"];
await serve(
  {
    a: { "tfjs-cpu": { a: add }, [wasm]: { a: add }, [node]: { a: add } },
    b: { [wasm]: products(64, 256, 1024), [node]: products(64, 256, 1024, 2048) },
    ...Object.fromEntries(["d", "e", "i"].map((id) => [id, { [node]: { [id]: train(id) } }])),
    g: { "onnxruntime-node": { g: onnx } },
  },
  load,
);
process.exit();
