// Our side of the cases of ../shared/anchors: `node bench/ours.mjs a|d|e` prints JSON lines in the anchors' format.
// a: eager add of two [8]; d: MLP 784-512-256-10, batch 128; e: CNN 28×28 (conv 32, conv 64, pool, dense 128), batch 64; Adam.
import process from "node:process";
import * as tf from "millrace";

const threads = Number(process.env.THREADS ?? 2);
const now = () => Number(process.hrtime.bigint()) / 1e9;
const five = (x) => Number(x.toPrecision(5));

/** `seconds` per call; `rate` turns seconds into the unit. */
function emit(name, system, unit, seconds, rate) {
  const values = seconds.map(rate).sort((a, b) => a - b);
  const best = unit === "ns/op" ? values[0] : values[values.length - 1];
  const median = values[values.length >> 1];
  const line = { case: name, system, threads, unit, best: five(best), median: five(median), runs: values.length };
  console.log(JSON.stringify(line));
}

/** Many short samples, so that some fall in quiet moments of a shared machine. */
function samples(run, count, rounds) {
  run();
  const seconds = [];
  for (let r = 0; r < rounds; r++) {
    const start = now();
    for (let i = 0; i < count; i++) run();
    seconds.push((now() - start) / count);
  }
  return seconds;
}

function dispatch() {
  const name = "a.dispatch add[8]";
  const nanoseconds = (s) => s * 1e9;
  const [a, b] = [tf.ones([8]), tf.ones([8])];
  const eager = samples(() => tf.add(a, b), 200_000, 30);
  emit(name, "millrace eager", "ns/op", eager, nanoseconds);
  const one = tf.fn((x, y) => tf.add(x, y));
  const ones = samples(() => one(a, b), 100_000, 30);
  emit(name, "millrace tf.fn call", "ns/op", ones, nanoseconds);
  const ten = tf.fn((x, y) => [0, 1, 2, 3, 4].reduce((z) => tf.tanh(tf.add(z, y)), x));
  const tens = samples(() => ten(a, b), 50_000, 30);
  emit(name, "millrace tf.fn of ten ops", "ns/op", tens, nanoseconds);
  // Small tensors: fresh pages of memory are not what this is about.
  const shape = (i) => [2 + (i % 19), 2 + (Math.floor(i / 19) % 19), 2 + Math.floor(i / 361)];
  const sized = Array.from({ length: 6101 }, (_, i) => tf.zeros(shape(i)));
  let next = 0;
  const firsts = samples(() => tf.add(sized[next], sized[next++]), 200, 30);
  emit(name, "millrace first add of a size", "ns/op", firsts, nanoseconds);
}

const { conv2d, dense, flatten, maxPooling2d } = tf.layers;
const relu = "relu";
const cases = {
  d: {
    name: "d.mlp train b128",
    batch: 128,
    steps: 50,
    shape: [784],
    layers: () => [
      dense({ units: 512, activation: relu, inputShape: [784] }),
      dense({ units: 256, activation: relu }),
      dense({ units: 10 }),
    ],
  },
  e: {
    name: "e.cnn train b64",
    batch: 64,
    steps: 12,
    shape: [28, 28, 1],
    layers: () => [
      conv2d({ filters: 32, kernelSize: 3, activation: relu, inputShape: [28, 28, 1] }),
      conv2d({ filters: 64, kernelSize: 3, activation: relu }),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dense({ units: 128, activation: relu }),
      dense({ units: 10 }),
    ],
  },
};

/** Epochs of training steps, each step one program. */
async function train({ name, batch, steps, shape, layers }) {
  const model = tf.sequential({ layers: layers() });
  model.compile({
    optimizer: tf.optimizers.adam({ learningRate: 1e-3 }),
    loss: tf.losses.sparseCategoricalCrossentropy({ fromLogits: true }),
  });
  const batches = Array.from({ length: steps }, () => [
    tf.randomUniform([batch, ...shape]),
    tf.randomUniformInt([batch], 0, 10),
  ]);
  const optimizer = tf.optimizers.adam({ learningRate: 1e-3 });
  const loss = tf.losses.sparseCategoricalCrossentropy({ fromLogits: true });
  optimizer.build(model.trainableWeights);
  const step = tf.fn((x, y) => {
    const { value, grads } = tf.variableGrads(() => loss.apply(y, model.apply(x, { training: true })));
    optimizer.applyGradients(grads);
    return value;
  });
  const epoch = async () => {
    let last;
    for (const [x, y] of batches) {
      last?.dispose();
      last = step(x, y);
    }
    const value = await last.item();
    if (!Number.isFinite(value)) throw new Error(`the loss is ${value}`);
    last.dispose();
  };
  await epoch();
  const seconds = [];
  const end = now() + 12;
  for (let r = 0; r < 8 && (now() < end || r < 2); r++) {
    const start = now();
    await epoch();
    seconds.push(now() - start);
  }
  emit(name, "millrace tf.fn custom loop", "steps/s", seconds, (s) => steps / s);
  // model.fit on the same batches, as keras.fit.
  const source = () => batches;
  await model.fit(source, { epochs: 1, verbose: 0 });
  const fits = [];
  const fitEnd = now() + 8;
  for (let r = 0; r < 6 && (now() < fitEnd || r < 2); r++) {
    const start = now();
    await model.fit(source, { epochs: 1, verbose: 0 });
    fits.push(now() - start);
  }
  emit(name, "millrace fit", "steps/s", fits, (s) => steps / s);
}

const which = process.argv[2];
if (which === "a") dispatch();
else await train(cases[which]);
