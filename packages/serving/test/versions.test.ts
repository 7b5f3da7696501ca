// Versions come and go while requests are answered.
import { renameSync } from "node:fs";
import * as tf from "@millrace/core";
import autocannon from "autocannon";
import { createServer } from "../src/index.js";
import { Gated, until } from "./gated.js";
import { load, metric, quietLogger, Served, Versions } from "./helpers.js";

const predict = "/v1/models/m:predict";
const body = '{"instances": [[1, 1, 1]]}';
const factorOf = (answer: [number, string]): unknown =>
  answer[0] === 200 ? (JSON.parse(answer[1]) as { predictions: number[][] }).predictions[0]![0] : answer;
const states = async (server: Served): Promise<string[]> => {
  const [, text] = await server.get("/v1/models/m");
  const { model_version_status } = JSON.parse(text) as { model_version_status: { version: string; state: string }[] };
  return model_version_status.map(({ version, state }) => `${version} ${state}`);
};

let versions: Versions;
beforeEach(() => {
  versions = new Versions();
});
afterEach(() => versions.end());

/** A server whose versions change when the test says so. */
async function serveVersions(
  options: Omit<Parameters<typeof createServer>[0], "models"> & { readonly models?: object } = {},
): Promise<{ server: Served; reload: () => Promise<void>; close: () => Promise<void> }> {
  const running = await createServer({
    models: { m: versions.path },
    rest: { port: 0 },
    pollMs: 0,
    load,
    ...options,
  } as Parameters<typeof createServer>[0]);
  const server = new Served(running.urls.rest!, () => running.close());
  return { server, reload: () => running.reload(), close: () => server.close() };
}

test("the newest version serves, and its memory is given back when a newer one takes over", async () => {
  versions.add(1, "3");
  const before = tf.memory();
  const { server, reload, close } = await serveVersions();
  const loaded = tf.memory().numTensors;
  expect(loaded).toBe(before.numTensors + 1);
  expect(factorOf(await server.post(predict, body))).toBe(3);
  versions.add(10, "5");
  versions.add(9, "4");
  versions.add(Number.MAX_SAFE_INTEGER, "x");
  versions.remove(Number.MAX_SAFE_INTEGER);
  await reload();
  expect(factorOf(await server.post(predict, body))).toBe(5);
  expect(await states(server)).toEqual(["10 AVAILABLE", "1 END"]);
  expect(tf.memory().numTensors).toBe(loaded);
  expect(await server.post("/v1/models/m/versions/1:predict", body)).toEqual([
    404,
    '{"error":"Servable not found for request: Specific(m, 1)"}',
  ]);
  await close();
  expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
});

test("policies: all, the latest n, and those that are named; labels", async () => {
  for (const n of [1, 2, 3]) versions.add(n, `${n}`);
  const paths = ["/versions/1", "/versions/2", "/versions/3", "", "/labels/canary"];
  const served = async (model: object): Promise<unknown[]> => {
    const { server, close } = await serveVersions({ models: { m: { path: versions.path, ...model } } });
    const got = await Promise.all(paths.map((p) => server.post(`/v1/models/m${p}:predict`, body)));
    await close();
    return got.map((a) => (a[0] === 200 ? factorOf(a) : a[0]));
  };
  expect(await served({ versions: "all", labels: { canary: 2 } })).toEqual([1, 2, 3, 3, 2]);
  expect(await served({ versions: { latest: 2 } })).toEqual([404, 2, 3, 3, 400]);
  expect(await served({ versions: { specific: [1, 2] } })).toEqual([1, 2, 404, 2, 400]);
  expect(await served({})).toEqual([404, 404, 3, 3, 400]);
  await expect(served({ labels: { stable: 1 } })).rejects.toMatchObject({
    code: "E_ARGUMENT",
    message: expect.stringContaining('the label "stable" of model "m" names version 1, which is not loaded'),
  });
});

test("requests in flight end on the version that they began on, which is unloaded after them", async () => {
  versions.add(1, "3");
  const gated = new Gated();
  const { server, reload, close } = await serveVersions({
    load: async (directory) => (directory.endsWith("/1") ? gated.executable : load(directory)),
  });
  const warm = gated.runs.length;
  gated.close();
  const old = server.post(predict, body);
  await until(() => gated.runs.length > warm);
  versions.add(2, "7");
  await reload();
  expect(await states(server)).toEqual(["2 AVAILABLE", "1 UNLOADING"]);
  expect(factorOf(await server.post(predict, body))).toBe(7);
  const loaded = tf.memory().numTensors;
  gated.release();
  expect(factorOf(await old)).toBe(2);
  await until(async () => (await states(server))[1] === "1 END");
  expect(tf.memory().numTensors).toBeLessThan(loaded);
  await close();
});

test("a broken version is reported, tried again, and the old one goes on until it is repaired", async () => {
  versions.add(1, "3");
  const logger = quietLogger();
  let attempts = 0;
  const { server, reload, close } = await serveVersions({
    logger,
    loadRetries: 2,
    load: (directory) => {
      attempts++;
      return load(directory);
    },
  });
  versions.add(2, "broken");
  for (let i = 0; i < 10; i++) await reload();
  // Once and two retries, beside version 1.
  expect(attempts).toBe(4);
  expect(logger.errors).toEqual([expect.stringContaining("loading m version 2: E_FORMAT")]);
  expect(factorOf(await server.post(predict, body))).toBe(3);
  const [, text] = await server.get("/v1/models/m/versions/2");
  expect(JSON.parse(text)).toEqual({
    model_version_status: [
      {
        version: "2",
        state: "END",
        status: { error_code: "INVALID_ARGUMENT", error_message: expect.stringContaining("no factor") },
      },
    ],
  });
  versions.write(2, "11.5");
  await reload();
  expect(factorOf(await server.post(predict, body))).toBe(11.5);
  expect(await states(server)).toEqual(["2 AVAILABLE", "1 END"]);
  await close();
});

test("a model whose versions all went goes on with the newest that it had", async () => {
  versions.add(1, "3");
  const { server, reload, close } = await serveVersions();
  versions.remove(1);
  await reload();
  expect(factorOf(await server.post(predict, body))).toBe(3);
  await close();
});

test("what cannot be served at the start is an error, and nothing stays open", async () => {
  const before = tf.memory().numTensors;
  const start = (models: Record<string, string>): Promise<unknown> =>
    createServer({ models, rest: { port: 0 }, pollMs: 0, load, logger: quietLogger() });
  await expect(start({ m: `${versions.path}/none` })).rejects.toMatchObject({ code: "E_FILE" });
  versions.add(1, "broken");
  await expect(start({ m: versions.path })).rejects.toMatchObject({ code: "E_FORMAT" });
  versions.add(2, "4");
  const taken = await createServer({ models: { m: versions.path }, rest: { port: 0 }, pollMs: 0, load });
  const port = Number(new URL(taken.urls.rest!).port);
  await expect(createServer({ models: { m: versions.path }, rest: { port }, pollMs: 0, load })).rejects.toMatchObject({
    code: "E_ARGUMENT",
    message: expect.stringContaining("EADDRINUSE"),
  });
  await taken.close();
  expect(tf.memory().numTensors).toBe(before);
});

test("several models are served and looked after apart", async () => {
  const other = new Versions();
  versions.add(1, "3");
  other.add(4, "5");
  const { server, reload, close } = await serveVersions({ models: { m: versions.path, n: other.path } });
  other.add(5, "6");
  await reload();
  expect(factorOf(await server.post(predict, body))).toBe(3);
  expect(factorOf(await server.post("/v1/models/n:predict", body))).toBe(6);
  await close();
  other.end();
});

test("a signal that is aborted closes the server", async () => {
  versions.add(1, "3");
  const control = new AbortController();
  const { server } = await serveVersions({ signal: control.signal });
  expect(factorOf(await server.post(predict, body))).toBe(3);
  control.abort();
  await until(() =>
    server.post(predict, body).then(
      ([status]) => status === 503,
      () => true,
    ),
  );
  await server.close();
  await expect(serveVersions({ signal: AbortSignal.abort("too late") })).rejects.toBe("too late");
});

/** autocannon, with its events. */
function loadOf(options: autocannon.Options): { promise: Promise<autocannon.Result>; instance: autocannon.Instance } {
  let instance: autocannon.Instance | undefined;
  const promise = new Promise<autocannon.Result>((resolve, reject) => {
    instance = autocannon(options, (error, ended) => (error ? reject(error) : resolve(ended)));
  });
  return { promise, instance: instance! };
}

test("no request fails while versions are loaded and unloaded under load", async () => {
  versions.add(1, "1");
  const before = tf.memory().numTensors;
  const { server, reload, close } = await serveVersions({ grpc: false });
  const amount = 3000;
  const seen = new Set<number>();
  let version = 1;
  let next = Promise.resolve();
  const { promise: result, instance: run } = loadOf({
    url: server.url + predict,
    method: "POST",
    body,
    connections: 16,
    amount,
    setupClient: (client) =>
      client.on("body", (text) => {
        seen.add((JSON.parse(text.toString()) as { predictions: number[][] }).predictions[0]![0]!);
      }),
  });
  let answered = 0;
  run.on("response", () => {
    if (++answered % 300 !== 0) return;
    const made = ++version;
    next = next.then(() => {
      versions.add(made, `${made}`);
      return reload();
    });
  });
  const ended = await result;
  await next;
  expect(ended).toMatchObject({ errors: 0, timeouts: 0, non2xx: 0, "2xx": amount });
  expect(version).toBe(11);
  expect(seen.size).toBeGreaterThan(5);
  expect(await states(server)).toEqual(["11 AVAILABLE", ...[10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((n) => `${n} END`)]);
  expect(factorOf(await server.post(predict, body))).toBe(11);
  const text = await server.metrics();
  // What is gone is no longer counted.
  expect(metric(text, "batching_session:processed_batch_size_count", { version: "5" })).toBeUndefined();
  expect(metric(text, "batching_session:processed_batch_size_count", { version: "11" })).toBeGreaterThan(0);
  await close();
  expect(tf.memory().numTensors).toBe(before);
});

test("directories are looked at by themselves, and what stays wrong is reported once", async () => {
  versions.add(1, "3");
  const logger = quietLogger();
  const { server, close } = await serveVersions({ pollMs: 1, logger });
  versions.add(2, "5");
  await until(async () => factorOf(await server.post(predict, body)) === 5);
  renameSync(versions.path, `${versions.path}-away`);
  await until(() => logger.errors.length > 0);
  for (let i = 0; i < 20; i++) expect(factorOf(await server.post(predict, body))).toBe(5);
  renameSync(`${versions.path}-away`, versions.path);
  versions.add(3, "7");
  await until(async () => factorOf(await server.post(predict, body)) === 7);
  expect(logger.errors).toEqual([expect.stringContaining("looking for versions: E_FILE")]);
  await close();
});
