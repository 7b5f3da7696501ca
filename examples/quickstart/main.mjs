// A model's life: it learns 8,000 handwritten digits, is saved, loaded, converted and served, and answers for digits that it
// has never seen. What came of it is in a report of one file, in which one draws digits oneself.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import * as tf from "millrace";
import { referencePython } from "../../tools/lib/reference-python.mjs";
import { Checks } from "./checks.mjs";
import { askServer } from "./clients.mjs";
import { loadDigits } from "./digits.mjs";
import { chooseJob } from "./jobs.mjs";
import { accuracyOf, confusionOf, likeliest } from "./numbers.mjs";
import { writeReport } from "./report/report.mjs";
import { floatsOf, runProgram } from "./run-program.mjs";
import { showConfusion, showDigits } from "./show.mjs";
import { Stages } from "./stages.mjs";

const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));
const files = {
  keras: pathOf("out/digits.keras"),
  artifact: pathOf("out/digits/1"),
  lite: pathOf("out/digits.tflite"),
  smallLite: pathOf("out/digits-dynamic.tflite"),
};
const report = pathOf("out/report.html");
await rm(pathOf("out"), { recursive: true, force: true });
await mkdir(pathOf("out/digits"), { recursive: true });

const stages = new Stages();
const checks = new Checks();

const job = await stages.run("start the backend", chooseJob);
console.log(`backend: ${job.backend}`);
const digits = await stages.run("load the digits", () => loadDigits(job.train, job.test));
console.log(`${digits.train.count} digits to learn from, ${digits.test.count} held out`);
const [train, test] = [digits.train, digits.test].map(({ xs, ys, count }) => ({
  images: tf.tensor(xs, [count, 28, 28, 1]),
  labels: tf.tensor(ys, [count], "int32"),
}));

tf.setRandomSeed(17);
const model = tf.sequential({ layers: job.layers() });
model.compile({
  optimizer: tf.optimizers.adam({ learningRate: job.learningRate }),
  loss: "sparseCategoricalCrossentropy",
  metrics: ["accuracy"],
});
model.summary({ printFn: console.log });

const { history } = await stages.run("train", () => {
  const slices = tf.data.fromTensorSlices({ xs: train.images, ys: train.labels });
  const batches = slices.shuffle(4096, { seed: 1 }).batch(job.batch).prefetch(2);
  return model.fit(batches, { epochs: job.epochs, validationData: [test.images, test.labels] });
});

const probabilities = await stages.run("predict", () => model.predict(test.images).data());
const predicted = likeliest(probabilities);
const accuracy = accuracyOf(predicted, digits.test.ys);
const confusion = confusionOf(digits.test.ys, predicted);
showDigits(digits.test, predicted);
showConfusion(confusion);
checks.add(`the accuracy is at least ${job.least}`, accuracy >= job.least, accuracy.toFixed(4));

await stages.run("save", async () => {
  await model.save(files.keras);
  await model.export(files.artifact, { metadata: { labels: [..."0123456789"] } });
});
await stages.run("load in new processes", async () => {
  const ask = async (path) => floatsOf(await runProgram(process.execPath, [pathOf("load.mjs"), path], digits.test.xs));
  checks.sameBits("the .keras file, loaded in a new process", probabilities, await ask(files.keras));
  checks.sameBits("the exported directory, loaded in a new process", probabilities, await ask(files.artifact));
});

await stages.run("convert", async () => {
  await writeFile(files.lite, (await tf.lite.convert(model)).bytes);
  await writeFile(files.smallLite, (await tf.lite.convert(model, { quantize: "dynamic" })).bytes);
});
const python = referencePython();
if (python) {
  await stages.run("ask LiteRT", async () => {
    const ask = async (path) => floatsOf(await runProgram(python, [pathOf("litert.py"), path], digits.test.xs));
    checks.close("LiteRT on the float32 file", probabilities, await ask(files.lite), 1e-5);
    checks.sameAnswers("LiteRT on the dynamic-range file", probabilities, await ask(files.smallLite), 0.99);
  });
} else {
  console.log("\nLiteRT is not installed, so it is not asked: npm run references installs it");
}

const served = await stages.run("serve, and ask the server", async () => {
  const server = await tf.createServer({
    models: { digits: pathOf("out/digits") },
    rest: { port: 0 },
    grpc: { port: 0 },
  });
  try {
    return await askServer(server.urls, digits.test);
  } finally {
    await server.close();
  }
});
checks.close("the server over REST", probabilities, served.rest, 1e-6);
checks.close("the server over gRPC", probabilities, served.grpc, 1e-6);
const predictions = 2 * digits.test.count;
console.log(`${served.batches.count} batches of ${served.batches.mean.toFixed(1)} digits on average`);

const outcome = { digits, model, history, probabilities, predicted, accuracy, confusion, served, predictions, files };
const machine = { backend: job.backend, cpu: cpus()[0]?.model, threads: cpus().length, node: process.version };
await stages.run("write the report", () => writeReport(report, { ...outcome, checks, stages, machine }));

stages.print();
if (checks.failed > 0) process.exitCode = 1;
console.log(`quickstart: accuracy ${accuracy.toFixed(4)}, served ${predictions} predictions, report at ${report}`);
