// Requests run together, and what is too much is refused.
import { connect } from "node:net";
import * as tf from "@millrace/core";
import { Gated, until } from "./gated.js";
import { executable, metric, quietLogger, type Served, scale, serve } from "./helpers.js";

const path = "/v1/models/m:predict";
const row = (x: number): string => JSON.stringify({ instances: [[x, x, x]] });
const rows = (n: number, x = 1): string => JSON.stringify({ instances: Array.from({ length: n }, () => [x, x, x]) });
const answer = (x: number): [number, string] => [
  200,
  `{"predictions":[[${Array(3)
    .fill(`${2 * x}.0`)
    .join()}]]}`,
];
const depth = async (server: Served): Promise<number> =>
  metric(await server.metrics(), "batching_session:queue_depth", { model_name: "m" }) ?? 0;

/** A server whose engine is busy with one request until the gate opens. */
async function busy(
  options: Parameters<typeof serve>[0],
  gated: Gated,
): Promise<{ server: Served; first: Promise<[number, string]>; warm: number }> {
  const server = await serve({ ...options, batching: { numBatchThreads: 1, ...options.batching } });
  // A row of zeros, with which a model is warmed up.
  const warm = gated.runs.length;
  gated.close();
  const first = server.post(path, row(1));
  await until(() => gated.runs.length > warm);
  return { server, first, warm };
}

test("what comes while the engine is busy runs as one batch, and each gets its own rows", async () => {
  const gated = new Gated();
  const { server, first, warm } = await busy({ models: { m: gated.executable } }, gated);
  const others = Array.from({ length: 20 }, (_, i) => server.post(path, row(i)));
  await until(async () => (await depth(server)) === 20);
  gated.release();
  expect(await first).toEqual(answer(1));
  expect(await Promise.all(others)).toEqual(others.map((_, i) => answer(i)));
  expect(gated.runs.slice(warm)).toEqual([1, 20]);
  const text = await server.metrics();
  const labels = { model_name: "m", version: "1", signature_name: "serving_default" };
  expect(metric(text, "batching_session:processed_batch_size_sum", labels)).toBe(21);
  expect(metric(text, "batching_session:processed_batch_size_count", labels)).toBe(2);
  expect(metric(text, "batching_session:input_batch_size_count", labels)).toBe(21);
  expect(metric(text, "batching_session:processed_batch_size_bucket", { ...labels, le: "16" })).toBe(1);
  expect(metric(text, "request_count", { model_name: "m", status: "OK" })).toBe(21);
  expect(metric(text, "request_latency_count", { model_name: "m", entrypoint: "REST", API: "Predict" })).toBe(21);
  await server.close();
});

test("a batch has at most maxBatchSize rows, but a larger request runs whole", async () => {
  const gated = new Gated();
  const { server, first, warm } = await busy({ models: { m: gated.executable }, batching: { maxBatchSize: 8 } }, gated);
  const sizes = [3, 3, 3, 20, 1, 7];
  const others: Promise<[number, string]>[] = [];
  let queued = 0;
  for (const size of sizes) {
    others.push(server.post(path, rows(size, size)));
    queued += size;
    await until(async () => (await depth(server)) === queued);
  }
  gated.release();
  await first;
  for (const [i, size] of sizes.entries()) {
    const [status, text] = await others[i]!;
    const { predictions } = JSON.parse(text) as { predictions: number[][] };
    expect([status, predictions]).toEqual([200, Array(size).fill(Array(3).fill(2 * size))]);
  }
  expect(gated.runs.slice(warm)).toEqual([1, 6, 3, 20, 8]);
  await server.close();
});

test("requests that are read the slow way join the same batch", async () => {
  const gated = new Gated();
  const { server, first, warm } = await busy({ models: { m: gated.executable } }, gated);
  const quick = server.post(path, row(5));
  await until(async () => (await depth(server)) === 1);
  const slow = server.post(path, '{"comment": "unknown keys are read past", "instances": [[6, 6, 6]]}');
  await until(async () => (await depth(server)) === 2);
  const broken = await server.post(path, '{"instances": [[7, 7, 7], [8, 8]]}');
  gated.release();
  expect(await Promise.all([first, quick, slow])).toEqual([answer(1), answer(5), answer(6)]);
  expect(broken[0]).toBe(400);
  expect(gated.runs.slice(warm)).toEqual([1, 2]);
  await server.close();
});

test("rows of different lengths run apart", async () => {
  const sum = executable(({ x }) => ({ y: tf.sum(x!, [1]) }), { x: { shape: ["batch", "length"] } });
  const server = await serve({ models: { m: sum } });
  const bodies = Array.from({ length: 100 }, (_, i) => Array.from({ length: 1 + (i % 5) }, () => i));
  const got = await Promise.all(bodies.map((x) => server.post(path, JSON.stringify({ instances: [x] }))));
  expect(got.map(([, text]) => JSON.parse(text))).toEqual(bodies.map((x, i) => ({ predictions: [x.length * i] })));
  await server.close();
});

test("batchTimeoutMicros waits for a batch to fill while the engine is free", async () => {
  // An hour: only a full batch ends the wait.
  const server = await serve({
    models: { m: scale(2) },
    batching: { maxBatchSize: 4, batchTimeoutMicros: 3_600_000_000 },
  });
  expect(await Promise.all([1, 2, 3, 4].map((x) => server.post(path, row(x))))).toEqual([1, 2, 3, 4].map(answer));
  const text = await server.metrics();
  expect(metric(text, "batching_session:processed_batch_size_sum", { model_name: "m" })).toBe(4);
  expect(metric(text, "batching_session:processed_batch_size_count", { model_name: "m" })).toBe(1);
  await server.close();
});

test("without batching every request runs alone", async () => {
  const gated = new Gated();
  const server = await serve({ models: { m: gated.executable }, batching: false });
  const warm = gated.runs.length;
  await Promise.all([1, 2, 3].map((x) => server.post(path, rows(x))));
  expect(gated.runs.slice(warm).sort()).toEqual([1, 2, 3]);
  await server.close();
});

describe("limits", () => {
  test("a full queue is 503, and what is in it is answered", async () => {
    const gated = new Gated();
    const limits = { maxBatchSize: 1, maxEnqueuedBatches: 2 };
    const { server, first } = await busy({ models: { m: gated.executable }, batching: limits }, gated);
    const waiting = [server.post(path, row(2)), server.post(path, row(3))];
    await until(async () => (await depth(server)) === 2);
    const refused = await server.ask("POST", path, row(4));
    expect([refused.status, JSON.parse(refused.body)]).toEqual([
      503,
      {
        error:
          "The batch scheduling queue to which this task was submitted is full; currently 2 tasks enqueued and " +
          "max_enqueued_batches capacity is 2",
      },
    ]);
    gated.release();
    expect(await Promise.all([first, ...waiting])).toEqual([1, 2, 3].map(answer));
    expect(metric(await server.metrics(), "request_count", { status: "UNAVAILABLE" })).toBe(1);
    await server.close();
  });

  test("too many pending requests are 429", async () => {
    const gated = new Gated();
    const { server, first } = await busy({ models: { m: gated.executable }, limits: { pendingRequests: 2 } }, gated);
    const second = server.post(path, row(2));
    await until(async () => (await depth(server)) === 1);
    const refused = await server.ask("POST", path, row(3));
    expect([refused.status, JSON.parse(refused.body), refused.headers["retry-after"]]).toEqual([
      429,
      { error: "2 requests are pending already: try again later" },
      "1",
    ]);
    gated.release();
    expect(await Promise.all([first, second])).toEqual([answer(1), answer(2)]);
    expect(await server.post(path, row(3))).toEqual(answer(3));
    await server.close();
  });

  test("bodies that are too large, alone or together, are 429", async () => {
    const gated = new Gated();
    const limits = { bodyBytes: 1000, pendingBytes: 1100 };
    const { server, first } = await busy({ models: { m: gated.executable }, limits }, gated);
    const [status, text] = await server.post(path, rows(1000));
    expect([status, JSON.parse(text)]).toEqual([
      429,
      { error: "the body has more than the 1000 bytes that are taken" },
    ]);
    const chunked = await server.post(path, rows(1000), { "transfer-encoding": "chunked" });
    expect(chunked[0]).toBe(429);
    const spaces = " ".repeat(900);
    const second = server.post(path, `${row(2)}${spaces}`);
    await until(async () => (await depth(server)) === 1);
    expect((await server.post(path, `${row(3)}${spaces}`))[0]).toBe(429);
    gated.release();
    expect(await Promise.all([first, second])).toEqual([answer(1), answer(2)]);
    await server.close();
  });

  test("a client that leaves counts no more, and a batch that nobody waits for does not run", async () => {
    const gated = new Gated();
    const limits = { pendingRequests: 2 };
    const { server, first, warm } = await busy({ models: { m: gated.executable }, limits }, gated);
    const probe = async (): Promise<number> => (await server.post(path, "no JSON"))[0];
    const leave = async (text: string): Promise<void> => {
      const { hostname, port } = new URL(server.url);
      const socket = connect(Number(port), hostname);
      socket.write(`POST ${path} HTTP/1.1\r\nhost: m\r\ncontent-length: ${row(2).length}\r\n\r\n${text}`);
      // Both places are taken now.
      await until(async () => (await probe()) === 429);
      socket.destroy();
    };
    await leave(row(2).slice(0, 5));
    await until(async () => (await probe()) === 400);
    await leave(row(2));
    await until(async () => (await probe()) === 400);
    gated.release();
    expect(await first).toEqual(answer(1));
    expect(await server.post(path, row(3))).toEqual(answer(3));
    expect(gated.runs.slice(warm)).toEqual([1, 1]);
    await server.close();
  });

  test("a client that does not read its answer loses its place", async () => {
    const wide = executable(({ x }) => ({ y: tf.add(x!, tf.zeros([1, 1_200_000])) }), { x: { shape: ["batch", 1] } });
    const server = await serve({
      models: { m: wide },
      limits: { pendingRequests: 1, timeoutMs: 3000 },
      logger: quietLogger(),
    });
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname).on("error", () => {});
    socket.write(`POST ${path} HTTP/1.1\r\nhost: m\r\ncontent-length: 27\r\n\r\n{"instances":[[1.2345678]]}`);
    const probe = async (): Promise<number> => (await server.post(path, "no JSON"))[0];
    await until(async () => (await probe()) === 429);
    await until(async () => (await probe()) === 400);
    // It was answered, by more than the system's buffers hold.
    expect(metric(await server.metrics(), "request_count", { model_name: "m", status: "OK" })).toBe(1);
    socket.destroy();
    await server.close();
  }, 60_000);

  test("an answer that takes too long is 504", async () => {
    const gated = new Gated();
    const { server, first } = await busy({ models: { m: gated.executable }, limits: { timeoutMs: 30 } }, gated);
    const [status, text] = await first;
    expect([status, JSON.parse(text)]).toEqual([504, { error: "no answer within 30 ms" }]);
    gated.release();
    await server.close();
  });

  test("a run that fails is the server's fault, and is logged", async () => {
    const gated = new Gated();
    const logger = quietLogger();
    const { server, first } = await busy({ models: { m: gated.executable }, logger }, gated);
    gated.error = new Error("a secret");
    gated.release();
    expect(await first).toEqual([500, '{"error":"the server failed to answer; its log has the reason"}']);
    expect(logger.errors).toEqual(["serving: m version 1: Error: a secret"]);
    gated.error = undefined;
    expect(await server.post(path, row(2))).toEqual(answer(2));
    await server.close();
  });
});

test("closing finishes what was begun and refuses the rest", async () => {
  const before = tf.memory().numTensors;
  const gated = new Gated();
  const { server, first } = await busy({ models: { m: gated.executable } }, gated);
  const waiting = server.post(path, row(2));
  await until(async () => (await depth(server)) === 1);
  const closed = server.close();
  const isRefused = ([status]: [number, string]): boolean => status === 503;
  await until(() => server.post(path, row(3)).then(isRefused, () => true));
  gated.release();
  expect(await Promise.all([first, waiting])).toEqual([answer(1), answer(2)]);
  await closed;
  await expect(server.post(path, row(4))).rejects.toThrow();
  gated.executable.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test("sizes that a graph does not take are the client's error, without the server's source", async () => {
  // A length that is a multiple of 2 is a condition of the graph, found when it runs.
  const pairs = executable(({ x }) => ({ y: tf.sum(tf.reshape(x!, [-1, 2]), [1]) }), { x: { shape: ["n"] } });
  const logger = quietLogger();
  const server = await serve({ models: { m: pairs }, logger });
  expect(await server.post(path, '{"inputs": [1, 2, 3, 4]}')).toEqual([200, '{"outputs":[3.0,7.0]}']);
  const [status, text] = await server.post(path, '{"inputs": [1, 2, 3]}');
  expect(status).toBe(400);
  expect(text).not.toContain("test.ts");
  expect(logger.errors).toEqual([]);
  await server.close();
});
