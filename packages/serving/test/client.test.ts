// The client against a server that says what it was asked: columns out, typed tensors back, failures as E_REMOTE.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import * as tf from "@millrace/core";
import { createClient } from "../src/client.js";

tf.registerReferenceBackend();

interface Doubler {
  serving_default: {
    inputs: { x: ["float32", ["n", 2]] };
    outputs: { y: ["float32", ["n", 2]]; count: ["int64", []] };
  };
}

const tensorInfo = (dtype: string): unknown => ({ dtype, tensor_shape: { dim: [], unknown_rank: false } });
const metadata = {
  metadata: {
    signature_def: {
      signature_def: { serving_default: { outputs: { y: tensorInfo("DT_FLOAT"), count: tensorInfo("DT_INT64") } } },
    },
  },
};

let server: Server;
let url = "";
let asked = "";
let answer = { status: 200, body: "" };

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const isMetadata = request.url === "/v1/models/m/metadata";
      if (!isMetadata) asked = `${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`;
      response.writeHead(isMetadata ? 200 : answer.status, { "content-type": "application/json" });
      response.end(isMetadata ? JSON.stringify(metadata) : answer.body);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/models/m`;
});
afterAll(() => new Promise((done) => server.close(done)));

test("inputs go as columns, outputs come back in their dtypes", async () => {
  answer = { status: 200, body: `{"outputs": {"y": [[NaN, -Infinity], [2.5, 3]], "count": 2}}` };
  const client = createClient<Doubler>(`${url}/`);
  const { y, count } = await client.predict({
    x: tf.tensor([
      [Number.NaN, 1],
      [Number.POSITIVE_INFINITY, -0.5],
    ]),
  });
  expect(asked).toBe(
    `POST /v1/models/m:predict {"signature_name":"serving_default","inputs":{"x":[[NaN,1],[Infinity,-0.5]]}}`,
  );
  expect(y.dtype).toBe("float32");
  expect(await y.array()).toEqual([
    [Number.NaN, Number.NEGATIVE_INFINITY],
    [2.5, 3],
  ]);
  expect(await count.item()).toBe(2n);
});

test("a refusal is E_REMOTE with the server's words", async () => {
  answer = { status: 400, body: `{"error": "Missing named input: x"}` };
  const call = createClient<Doubler>(url).predict({ x: tf.zeros([1, 2]) });
  await expect(call).rejects.toMatchObject({
    code: "E_REMOTE",
    message: expect.stringMatching(/answered 400: Missing named input: x/),
  });
});

test("an answer that is no JSON, lacks an output or holds an inexact integer is E_REMOTE", async () => {
  const client = createClient<Doubler>(url);
  for (const body of [
    "",
    "<html>",
    "{}",
    `{"outputs": {"y": [[1, 2]]}}`,
    `{"outputs": {"y": [[1, 2]], "count": 1e300}}`,
  ]) {
    answer = { status: 200, body };
    await expect(client.predict({ x: tf.zeros([1, 2]) })).rejects.toMatchObject({ code: "E_REMOTE" });
  }
});

test("a server that is not there is E_REMOTE, an abort rejects with its reason", async () => {
  const nobody = createClient<Doubler>("http://127.0.0.1:9/v1/models/m");
  await expect(nobody.predict({ x: tf.zeros([1, 2]) })).rejects.toMatchObject({ code: "E_REMOTE" });
  const reason = new Error("enough");
  const call = createClient<Doubler>(url).predict({ x: tf.zeros([1, 2]) }, { signal: AbortSignal.abort(reason) });
  await expect(call).rejects.toBe(reason);
});

test("calls share the metadata, and an abort of one does not reach the other", async () => {
  answer = { status: 200, body: `{"outputs": {"y": [[1, 2]], "count": 2}}` };
  const client = createClient<Doubler>(url);
  const controller = new AbortController();
  const first = client.predict({ x: tf.zeros([1, 2]) }, { signal: controller.signal });
  const second = client.predict({ x: tf.zeros([1, 2]) });
  controller.abort(new Error("enough"));
  await expect(first).rejects.toThrow("enough");
  expect((await second).y.shape).toEqual([1, 2]);
});

test("a redirect is not followed, and half an answer is E_REMOTE", async () => {
  let asks = 0;
  const strange = createServer((request, response) => {
    asks++;
    if (request.url!.startsWith("/moved")) response.writeHead(302, { location: `${url}/metadata` }).end();
    else response.writeHead(200, { "content-length": 1000 }).write("{", () => response.destroy());
  });
  await new Promise<void>((done) => strange.listen(0, "127.0.0.1", done));
  const base = `http://127.0.0.1:${(strange.address() as AddressInfo).port}`;
  for (const path of ["moved", "half"]) {
    const call = createClient<Doubler>(`${base}/${path}`).predict({ x: tf.zeros([1, 2]) });
    await expect(call).rejects.toMatchObject({ code: "E_REMOTE" });
  }
  expect(asks).toBe(2);
  await new Promise((done) => strange.close(done));
});
