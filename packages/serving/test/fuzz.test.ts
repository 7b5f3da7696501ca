// Requests that are broken in every way: each is answered, and with an error of the contract. MILLRACE_FUZZ says how many.
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import * as tf from "@millrace/core";
import { createServer, type Server } from "../src/index.js";
import { executable, quietLogger, Served, scale } from "./helpers.js";
import { random } from "./random.js";

const count = Number(process.env.MILLRACE_FUZZ ?? 2000);
const atATime = 16;
const next = random(Number(process.env.MILLRACE_FUZZ_SEED ?? 7));
const pick = <T>(items: readonly T[]): T => items[next(items.length)]!;

let server: Server;
let served: Served;
const logger = quietLogger();
beforeAll(async () => {
  server = await createServer({
    models: {
      scale: scale(2),
      ragged: executable(({ x }) => ({ y: tf.sum(x!, [1]) }), { x: { shape: ["batch", "length"] } }),
      ints: executable(({ x }) => ({ y: tf.add(x!, 1) }), { x: { shape: ["batch", 2], dtype: "int32" } }),
      two: executable(({ a, b }) => ({ sum: tf.add(a!, b!) }), {
        a: { shape: ["batch", 2] },
        b: { shape: ["batch", 2] },
      }),
    },
    rest: { port: 0 },
    grpc: { port: 0 },
    limits: { bodyBytes: 20_000 },
    logger,
  });
  served = new Served(server.urls.rest!, () => server.close());
});
afterAll(() => served.close());

/** Runs `one` for each number, some at a time. */
async function each(total: number, one: () => Promise<void>): Promise<void> {
  let left = total;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}

/** Bytes with some of them changed, left out, doubled or replaced. */
function mutate(bytes: Buffer, words: readonly string[]): Buffer {
  let made = bytes;
  for (let n = 1 + next(4); n > 0; n--) {
    const at = next(made.length + 1);
    const end = Math.min(made.length, at + next(12));
    const [head, cut, tail] = [made.subarray(0, at), made.subarray(at, end), made.subarray(end)];
    switch (next(6)) {
      case 0:
        made = Buffer.concat([head, tail]);
        break;
      case 1:
        made = Buffer.concat([head, cut, cut, tail]);
        break;
      case 2:
        made = Buffer.concat([head, Buffer.from([next(256)]), tail]);
        break;
      case 3:
        made = head;
        break;
      case 4: {
        const changed = Buffer.from(made);
        if (at < changed.length) changed[at]! ^= 1 << next(8);
        made = changed;
        break;
      }
      default:
        made = Buffer.concat([head, Buffer.from(pick(words)), tail]);
    }
  }
  return made;
}

const seeds = [
  '{"instances": [[1, 2, 3], [4.5, -6e-1, 7]]}',
  '{"signature_name": "serving_default", "instances": [{"x": [1, 2, 3]}]}',
  '{"inputs": {"x": [[1, 2, 3]]}}',
  '{"inputs": {"a": [[1, 2]], "b": [[3, 4]]}}',
  '{"instances": [{"a": [1, 2], "b": [3, 4]}, {"b": [3, 4], "a": [1, 2]}]}',
  '{"instances": [[1, 2], [3, 4]]}',
  '{"instances": [{"b64": "aGVsbG8="}]}',
];
const jsonWords = [
  "NaN", "-Infinity", "1e999", "-0", "1e-400", "9223372036854775808", "0.1234567890123456789012345", "[", "]", "{", "}", "[[[[",
  '"', "\\u00", "null", "true", '{"b64": ""}', "__proto__", '"__proto__": {"x": 1},', "[]", "{}", ",", ":", "\u0000", "é", "[1]",
  '"constructor"', "9".repeat(400), "[".repeat(200), " ".repeat(100), '"instances": ', '"inputs": ', '"signature_name": ',
]; // biome-ignore format: a list of words
const paths = [
  "scale",
  "ragged",
  "ints",
  "two",
  "none",
  "scale/versions/1",
  "scale/versions/99999999999999999999",
  "%E0%A4%A",
];

const known = new Set([200, 400, 404, 413, 429, 431, 501]);

test(`${count} mutated REST bodies`, async () => {
  const heap = process.memoryUsage().heapUsed;
  const seen = new Map<number, number>();
  await each(count, async () => {
    const body = mutate(Buffer.from(pick(seeds)), jsonWords);
    const path = `/v1/models/${pick(paths)}:predict`;
    const [status, text] = await served.post(path, body);
    seen.set(status, (seen.get(status) ?? 0) + 1);
    if (!known.has(status)) throw new Error(`${path} ${JSON.stringify(body.toString("latin1"))}: ${status} ${text}`);
    if (status === 200) return;
    const { error, ...others } = JSON.parse(text) as { error?: unknown };
    if (typeof error !== "string" || Object.keys(others).length > 0) throw new Error(`${path}: ${text}`);
  });
  // Both kinds were met, and the server is as it was.
  expect(seen.get(200)).toBeGreaterThan(0);
  expect(seen.get(400)).toBeGreaterThan(0);
  expect(await served.post("/v1/models/scale:predict", seeds[0]!)).toEqual([
    200,
    '{"predictions":[[2.0,4.0,6.0],[9.0,-1.2,14.0]]}',
  ]);
  expect(process.memoryUsage().heapUsed - heap).toBeLessThan(500e6);
  expect(logger.errors).toEqual([]);
});

test(`${count} mutated gRPC messages`, async () => {
  const { messages, longOf } = await import("../src/grpc/contract.js");
  const tensor = (shape: number[], values: object): object => ({
    tensor_shape: { dim: shape.map((size) => ({ size: longOf(size) })) },
    ...values,
  });
  const request = (name: string, inputs: object): Buffer =>
    messages.predictRequest.encode({ model_spec: { name, signature_name: "serving_default" }, inputs } as never);
  const requests = [
    request("scale", { x: tensor([1, 3], { dtype: 1, float_val: [1, 2, 3] }) }),
    request("scale", { x: tensor([1, 3], { dtype: 1, tensor_content: new Uint8Array(12) }) }),
    request("ints", { x: tensor([2, 2], { dtype: 3, int_val: [1, 2, 3, 4] }) }),
    request("two", { a: tensor([1, 2], { dtype: 1, float_val: [1] }), b: tensor([1, 2], { dtype: 1 }) }),
    request("ragged", { x: tensor([1, 5], { dtype: 1, float_val: [1] }) }),
  ];
  const client = new Client(server.urls.grpc!, credentials.createInsecure());
  const same = (x: Buffer): Buffer => x;
  const ask = (bytes: Buffer): Promise<[number, string]> =>
    new Promise((resolve) => {
      const path = "/tensorflow.serving.PredictionService/Predict";
      client.makeUnaryRequest(path, same, same, bytes, (error: ServiceError | null) =>
        resolve(error ? [error.code, error.details] : [0, ""]),
      );
    });
  const seen = new Map<number, number>();
  await each(count, async () => {
    const bytes = mutate(pick(requests), ["\u007f\u007f", "\u0000", "\u0012\u0003", "__proto__", "\b\u0001"]);
    const [code, details] = await ask(bytes);
    seen.set(code, (seen.get(code) ?? 0) + 1);
    if (![0, 3, 5, 8, 9].includes(code)) throw new Error(`${bytes.toString("hex")}: ${code} ${details}`);
  });
  expect(seen.get(0)).toBeGreaterThan(0);
  expect(seen.get(3)).toBeGreaterThan(0);
  expect(await ask(requests[0]!)).toEqual([0, ""]);
  expect(logger.errors).toEqual([]);
  client.close();
});

test("paths and headers of any kind", async () => {
  const words = [
    "v1",
    "models",
    "scale",
    "versions",
    "1",
    "labels",
    "x",
    ":predict",
    "metadata",
    "%00",
    "%zz",
    "..",
    "?",
    "é",
    "%2F",
  ];
  for (let i = 0; i < 300; i++) {
    const path = `/${Array.from({ length: next(8) }, () => pick(words)).join("/")}`;
    const method = pick(["GET", "POST", "PUT", "DELETE", "HEAD"]);
    const { status, body } = await served.ask(method, encodeURI(path).replaceAll("%25", "%"));
    if (![200, 400, 404].includes(status)) throw new Error(`${method} ${path}: ${status} ${body}`);
  }
  expect((await served.ask("GET", "/v1/models/scale", undefined, { big: "x".repeat(20_000) })).status).toBe(431);
});
