// TensorFlow Serving's gRPC contract, as its own client for Python sees it, and as bytes.
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import * as tf from "@millrace/core";
import { referencePython } from "../../../tools/lib/reference-python.mjs";
import { createServer, type Server } from "../src/index.js";
import { Gated, until } from "./gated.js";
import { executable, quietLogger, scale } from "./helpers.js";

const python = referencePython();
const golden = fileURLToPath(new URL("../../../../shared/goldens/predict_request.pb", import.meta.url));

const identity = (dtype: tf.DType): tf.Executable =>
  executable(({ x }) => ({ y: tf.reshape(x!, [-1]) }), { x: { shape: ["batch"], dtype } });

/** One call with the bytes of a message. */
function call(client: Client, path: string, bytes: Uint8Array, deadline?: Date): Promise<Buffer> {
  const same = (x: Buffer): Buffer => x;
  return new Promise((resolve, reject) => {
    const options = deadline ? { deadline } : {};
    client.makeUnaryRequest(path, same, same, Buffer.from(bytes), options, (error, answer) =>
      error ? reject(error) : resolve(answer!),
    );
  });
}

const failure = (promise: Promise<unknown>): Promise<[number, string]> =>
  promise.then(
    () => [0, ""],
    (error: ServiceError) => [error.code, error.details],
  );

const predictPath = "/tensorflow.serving.PredictionService/Predict";
let server: Server;
let client: Client;

beforeAll(async () => {
  server = await createServer({
    models: {
      scale: { executable: scale(2), version: 7, labels: { stable: 7 } },
      two: executable(({ a, b }) => ({ sum: tf.add(a!, b!), product: tf.mul(a!, b!) }), {
        a: { shape: ["batch", 2] },
        b: { shape: ["batch", 2] },
      }),
      int32: identity("int32"),
      int64: identity("int64"),
      uint8: identity("uint8"),
      bool: identity("bool"),
      float64: identity("float64"),
      module: executable(({ x }) => ({ y: tf.sum(x!, [1]) }), { x: { shape: ["batch", 4] } }),
    },
    rest: false,
    grpc: { port: 0 },
    limits: { bodyBytes: 100_000 },
    logger: quietLogger(),
  });
  client = new Client(server.urls.grpc!, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await server.close();
});

const named = python ? test : test.skip;
named("the client of TensorFlow Serving (npm run references installs it)", async () => {
  const script = fileURLToPath(new URL("client/predict.py", import.meta.url));
  const { stdout } = await promisify(execFile)(python!, [script, server.urls.grpc!]);
  const spec = (model: string, version: number): unknown[] => [model, version, "serving_default"];
  const invalid = (details: string): object => ({ code: "INVALID_ARGUMENT", details });
  expect(JSON.parse(stdout)).toEqual({
    float: {
      spec: spec("scale", 7),
      outputs: {
        y: [
          "float32",
          [2, 3],
          [
            [2, 4, 6],
            [1, -2, Math.fround(2e30)],
          ],
        ],
      },
    },
    version: { spec: spec("scale", 7), outputs: { y: ["float32", [1, 3], [[2, 2, 2]]] } },
    label: { spec: spec("scale", 7), outputs: { y: ["float32", [1, 3], [[2, 2, 2]]] } },
    int64: { spec: spec("int64", 1), outputs: { y: ["int64", [2], [2 ** 62, -(2 ** 63)]] } },
    int32: { spec: spec("int32", 1), outputs: { y: ["int32", [2], [-7, 2 ** 31 - 1]] } },
    uint8: { spec: spec("uint8", 1), outputs: { y: ["uint8", [2], [0, 255]] } },
    bool: { spec: spec("bool", 1), outputs: { y: ["bool", [2], [true, false]] } },
    float64: { spec: spec("float64", 1), outputs: { y: ["float64", [2], [0.1, 1e300]] } },
    two: {
      spec: spec("two", 1),
      outputs: { sum: ["float32", [1, 2], [[4, 6]]], product: ["float32", [1, 2], [[3, 8]]] },
    },
    filter: { spec: spec("two", 1), outputs: { sum: ["float32", [1, 2], [[4, 6]]] } },
    fields: [
      [2, 4, 6],
      [8, 10, 12],
    ],
    "last value repeats": [
      [2, 4, 4],
      [4, 4, 4],
    ],
    "no value": [[0, 0, 0]],
    "int64 fields": [-5, 2 ** 53],
    "too many values": invalid('input "x": shape [1,3] takes 3 values, there are 4'),
    "no model": { code: "NOT_FOUND", details: "Servable not found for request: Latest(no)" },
    "no version": { code: "NOT_FOUND", details: "Servable not found for request: Specific(scale, 8)" },
    "no label": invalid("Unrecognized servable version label: no"),
    "no signature": { code: "FAILED_PRECONDITION", details: 'Serving signature key "no" not found.' },
    "missing input": invalid(
      "input size does not match signature: 1!=2 len({a}) != len({a,b}). Sent extra: {}. Missing but required: {b}.",
    ),
    "extra input": invalid(
      "input size does not match signature: 2!=1 len({x,z}) != len({x}). Sent extra: {z}. Missing but required: {}.",
    ),
    "other input": invalid("input tensor alias not found in signature: z. Inputs expected to be in the set {x}."),
    "no output": invalid("output tensor alias not found in signature: no Outputs expected to be in the set {y}."),
    dtype: invalid('input "x" of signature "serving_default": expected float, got int64'),
    strings: invalid('input "x": tensors of DataType 7 are not served'),
    shape: invalid('input "x" of signature "serving_default": expected shape [batch,3], got [1,4]'),
    metadata: {
      version: 1,
      signatures: {
        serving_default: [
          { a: [1, [-1, 2]], b: [1, [-1, 2]] },
          { sum: [1, [-1, 2]], product: [1, [-1, 2]] },
          "tensorflow/serving/predict",
        ],
      },
    },
    status: [[7, "AVAILABLE", 0, ""]],
    "no status": { code: "NOT_FOUND", details: "Could not find any versions of model no" },
  });
});

const withGolden = existsSync(golden) ? test : test.skip;
withGolden("a request that TensorFlow wrote (../shared/goldens/predict_request.pb)", async () => {
  const { messages } = await import("../src/grpc/contract.js");
  const bytes = readFileSync(golden);
  const { outputs, model_spec } = messages.predictResponse.decode(await call(client, predictPath, bytes));
  const { inputs } = messages.predictRequest.decode(bytes);
  const content = Buffer.from(inputs!.x!.tensor_content!);
  const rows = [0, 1].map((row) => [0, 1, 2, 3].reduce((sum, i) => sum + content.readFloatLE(16 * row + 4 * i), 0));
  expect(model_spec!.name).toBe("module");
  expect(outputs!.y!.float_val!).toHaveLength(2);
  for (const i of [0, 1]) expect(outputs!.y!.float_val![i]).toBeCloseTo(rows[i]!, 5);
});

test("bytes that are no message, and messages that are too long", async () => {
  const [code, details] = await failure(call(client, predictPath, Uint8Array.of(10, 255, 255, 255)));
  expect([code, details]).toEqual([3, expect.stringContaining("the message is malformed")]);
  expect(await failure(call(client, predictPath, new Uint8Array(0)))).toEqual([3, "Missing ModelSpec"]);
  expect((await failure(call(client, predictPath, new Uint8Array(200_000))))[0]).toBe(8);
  expect((await failure(call(client, "/tensorflow.serving.PredictionService/Classify", new Uint8Array(0))))[0]).toBe(
    12,
  );
});

test("a tensor whose shape lies is refused before anything is allocated", async () => {
  const { messages, longOf } = await import("../src/grpc/contract.js");
  const ask = (dims: (number | bigint)[], more: object = {}): Promise<[number, string]> => {
    const tensor_shape = { dim: dims.map((size) => ({ size: longOf(size) })) };
    const x = { dtype: 1, tensor_shape, ...more };
    return failure(
      call(client, predictPath, messages.predictRequest.encode({ model_spec: { name: "scale" }, inputs: { x } })),
    );
  };
  expect(await ask([2 ** 40, 3])).toEqual([8, 'input "x": shape [1099511627776,3] is over 100000 bytes']);
  expect(await ask([-1, 3])).toEqual([3, 'input "x": a dimension of -1']);
  expect(await ask([2n ** 62n, 2n ** 62n])).toEqual([3, `input "x": a dimension of ${2n ** 62n}`]);
  expect(await ask([1, 3], { tensor_content: new Uint8Array(11) })).toEqual([
    3,
    'input "x": shape [1,3] of float takes 12 bytes, tensor_content has 11',
  ]);
  expect(await ask([], { tensor_shape: { unknown_rank: true } })).toEqual([
    3,
    `input "x": the tensor's rank is unknown`,
  ]);
});

test("health", async () => {
  const { messages } = await import("../src/grpc/contract.js");
  const check = async (service: string): Promise<number> => {
    const bytes = messages.healthRequest.encode({ service });
    return messages.healthResponse.decode(await call(client, "/grpc.health.v1.Health/Check", bytes)).status;
  };
  expect(await check("")).toBe(1);
  expect(await check("tensorflow.serving.PredictionService")).toBe(1);
  await expect(check("other")).rejects.toMatchObject({ code: 5 });
});

test("deadlines, and closing with calls in flight", async () => {
  const { messages } = await import("../src/grpc/contract.js");
  const gated = new Gated();
  const batching = { numBatchThreads: 2 };
  const other = await createServer({ models: { m: gated.executable }, rest: false, grpc: { port: 0 }, batching });
  const caller = new Client(other.urls.grpc!, credentials.createInsecure());
  const bytes = messages.predictRequest.encode({
    model_spec: { name: "m" },
    inputs: { x: { dtype: 1, tensor_shape: { dim: [{ size: 1 }, { size: 3 }] }, float_val: [1, 2, 3] } },
  });
  gated.close();
  expect((await failure(call(caller, predictPath, bytes, new Date(Date.now() + 50))))[0]).toBe(4);
  const runs = gated.runs.length;
  const waiting = call(caller, predictPath, bytes);
  await until(() => gated.runs.length > runs);
  const closed = other.close();
  gated.release();
  expect(Array.from(messages.predictResponse.decode(await waiting).outputs!.y!.float_val!)).toEqual([2, 4, 6]);
  await closed;
  expect((await failure(call(caller, predictPath, bytes)))[0]).toBe(14);
  caller.close();
});
