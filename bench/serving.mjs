// node bench/serving.mjs [--rounds N] [--seconds N] [MODELS…]: REST predictions a second, with batches and with batches of
// one, in turn on the same cores as the load (autocannon, 64 connections); then more than the server takes on.
// MODELS: cnn (the quickstart's), small (an MLP of 64 inputs), large (an MLP 784-4096-4096-10: 80 MB of weights).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import os from "node:os";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const args = process.argv.slice(2);
const option = (name, fallback) => (args.includes(name) ? Number(args.splice(args.indexOf(name), 2)[1]) : fallback);
const rounds = option("--rounds", 3);
const seconds = option("--seconds", 4);

const inputs = { cnn: [28, 28, 1], small: [64], large: [784] };
/** Predictions a second to reach, and how many times as many as with batches of one. */
const goals = { cnn: [1500, 0.95], small: [4000, 0.95], large: [0, 2] };
const servers = { batches: {}, "batches of one": { batching: false } };

if (args[0] === "--serve") await serve(JSON.parse(args[1]));
else await measure(args.length > 0 ? args : Object.keys(inputs));

/** The process that is measured: its URL is its first line. */
async function serve(options) {
  const tf = await import("millrace");
  const { conv2d, dense, flatten, maxPooling2d } = tf.layers;
  const mlp = (first, ...units) =>
    units.map((n, i) =>
      dense({
        units: n,
        ...(i < units.length - 1 ? { activation: "relu" } : {}),
        ...(i === 0 ? { inputShape: [first] } : {}),
      }),
    );
  const layers = {
    cnn: [
      conv2d({ filters: 32, kernelSize: 3, activation: "relu", inputShape: inputs.cnn }),
      maxPooling2d({ poolSize: 2 }),
      conv2d({ filters: 64, kernelSize: 3, activation: "relu" }),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      ...[dense({ units: 128, activation: "relu" }), dense({ units: 10 })],
    ],
    small: mlp(64, 128, 64, 10),
    large: mlp(784, 4096, 4096, 10),
  };
  const models = Object.fromEntries(
    Object.entries(layers).map(([name, list]) => {
      const model = tf.sequential(list);
      return [name, new tf.Executable(model.toConcreteFunctions())];
    }),
  );
  const server = await tf.createServer({ models, rest: { port: 0 }, ...options });
  console.log(server.urls.rest);
  process.once("SIGTERM", () => server.close().then(() => process.exit(0)));
}

async function start(options) {
  const file = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [file, "--serve", JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [url] = await once(createInterface(child.stdout), "line");
  return { child, url };
}

/** A request of one row, with the digits that a picture of 8 bits has. */
function bodyOf(shape) {
  const level = (axis) =>
    axis === shape.length
      ? Math.round((255 * Math.random()) | 0) / 255
      : Array.from({ length: shape[axis] }, () => level(axis + 1));
  return JSON.stringify({ instances: [level(0)] });
}

async function measure(models) {
  const autocannon = createRequire(new URL("../packages/serving/package.json", import.meta.url))("autocannon");
  const running = {};
  for (const [name, options] of Object.entries(servers)) running[name] = await start(options);
  const ask = (name, model, more = {}) =>
    autocannon({
      url: `${running[name].url}/v1/models/${model}:predict`,
      method: "POST",
      body: bodyOf(inputs[model]),
      connections: 64,
      duration: seconds,
      ...more,
    });
  console.log(`${os.cpus()[0].model.trim()}, ${os.availableParallelism()} cores, Node ${process.versions.node}`);
  for (const model of models) {
    const found = { batches: [], "batches of one": [] };
    for (const name of Object.keys(servers)) await ask(name, model, { duration: 1 });
    for (let round = 0; round < rounds; round++) {
      for (const name of Object.keys(servers)) found[name].push(await ask(name, model));
    }
    const rates = Object.fromEntries(Object.entries(found).map(([name, list]) => [name, median(list.map(rateOf))]));
    // Each round's own: other work on the machine comes and goes.
    const ratio = median(found.batches.map((x, i) => rateOf(x) / rateOf(found["batches of one"][i])));
    const [least, times] = goals[model];
    console.log(`\n${model}: load ${os.loadavg()[0].toFixed(1)}`);
    for (const [name, list] of Object.entries(found)) {
      const { latency } = list[list.length >> 1];
      const each = list.map((x) => Math.round(rateOf(x))).join(", ");
      console.log(
        `  ${name}: ${Math.round(rates[name])} predictions/s (${each}); p50 ${latency.p50} ms, p99 ${latency.p99} ms`,
      );
    }
    console.log(`  rows a batch: ${await batchSize(running.batches.url, model)}`);
    console.log(
      `  ${ratio.toFixed(2)} times as many as with batches of one (at least ${times}${least ? `; ${least}/s` : ""})`,
    );
    // More at a time than the server takes on: 2,000, where 1,024 may be pending.
    const over = await ask("batches", model, { connections: 2000, duration: 2 * seconds, timeout: 30 });
    const statuses = Object.entries(over.statusCodeStats).map(([status, { count }]) => `${count} × ${status}`);
    console.log(`  2,000 at a time: ${statuses.join(", ")}; ${over.errors} errors, ${over.timeouts} without answer`);
  }
  for (const { child } of Object.values(running)) child.kill("SIGTERM");
}

function rateOf({ requests, duration, "2xx": ok }) {
  return ok / (duration || requests.total);
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** The mean of what the server counted. */
async function batchSize(url, model) {
  const text = await (await fetch(`${url}/monitoring/prometheus/metrics`)).text();
  const of = (what) =>
    Number(
      text
        .split("\n")
        .find(
          (l) =>
            l.startsWith(`:tensorflow:serving:batching_session:processed_batch_size_${what}{`) &&
            l.includes(`"${model}"`),
        )
        ?.split(" ")
        .at(-1),
    );
  return (of("sum") / of("count")).toFixed(1);
}
