// Asks a server for digits, each in a request of its own: over REST, in rows and in columns, and over gRPC.
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { bytesOf } from "./numbers.mjs";

const pixels = 784;
/** Requests that are under way at a time. */
const connections = 64;

/**
 * Asks for every digit twice, over REST and over gRPC, many at a time.
 * @returns the probabilities by protocol, and the sizes of the batches that the server made of the requests
 */
export async function askServer({ rest, grpc: address }, { xs, count }) {
  const url = `${rest}/v1/models/digits`;
  const grpcClient = clientOf(address);
  try {
    return {
      // Half of the digits as rows, half as columns.
      rest: await askAll(xs, count, (image, i) => (i % 2 === 0 ? askRow(url, image) : askColumn(url, image))),
      grpc: await askAll(xs, count, (image) => askGrpc(grpcClient, image)),
      batches: batchesIn(await (await fetch(`${rest}/monitoring/prometheus/metrics`)).text()),
    };
  } finally {
    grpcClient.close();
  }
}

async function askAll(xs, count, ask) {
  const probabilities = new Float32Array(count * 10);
  let next = 0;
  const connection = async () => {
    while (next < count) {
      const i = next++;
      probabilities.set(await ask(xs.subarray(i * pixels, (i + 1) * pixels), i), i * 10);
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  return probabilities;
}

/** The row form: a list of instances. */
async function askRow(url, image) {
  const { predictions } = await post(url, { instances: [nested(image)] });
  return predictions[0];
}

/** The column form: a tensor for each input. */
async function askColumn(url, image) {
  const { outputs } = await post(url, { signature_name: "serving_default", inputs: { input: [nested(image)] } });
  return outputs[0];
}

async function post(url, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}:predict`, { method: "POST", headers, body: JSON.stringify(body) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(`the server answered ${answer.status}: ${said.error}`);
  return said;
}

/** A 28 × 28 × 1 array of arrays. */
function nested(image) {
  return Array.from({ length: 28 }, (_, y) => Array.from({ length: 28 }, (_, x) => [image[y * 28 + x]]));
}

function clientOf(address) {
  const contract = loadSync(fileURLToPath(new URL("predict.proto", import.meta.url)), { keepCase: true });
  const { PredictionService } = grpc.loadPackageDefinition(contract).tensorflow.serving;
  return new PredictionService(address, grpc.credentials.createInsecure());
}

function askGrpc(client, image) {
  const shape = { dim: [1, 28, 28, 1].map((size) => ({ size })) };
  const input = { dtype: 1, tensor_shape: shape, tensor_content: bytesOf(image) };
  return new Promise((resolve, reject) => {
    client.Predict({ model_spec: { name: "digits" }, inputs: { input } }, (error, answer) => {
      if (error) reject(error);
      else resolve(answer.outputs.output.float_val);
    });
  });
}

/** The server's histogram of batch sizes: how many batches had at most `upTo` rows and more than the bucket before. */
export function batchesIn(metrics) {
  const name = ":tensorflow:serving:batching_session:processed_batch_size";
  const buckets = [...metrics.matchAll(new RegExp(`^${name}_bucket\\{le="(\\d+)".*\\} (\\d+)$`, "gm"))];
  const upTo = buckets.map(([, le, total]) => ({ upTo: Number(le), total: Number(total) }));
  const valueOf = (suffix) => Number(new RegExp(`^${name}_${suffix}\\{.*\\} (\\d+)$`, "m").exec(metrics)?.[1]);
  const [rows, count] = [valueOf("sum"), valueOf("count")];
  return {
    count,
    mean: rows / count,
    sizes: upTo.map(({ upTo, total }, i, all) => ({ upTo, count: total - (all[i - 1]?.total ?? 0) })),
  };
}
