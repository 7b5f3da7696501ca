// Configuration files and options: what is wrong is told by name.
import { resolve } from "node:path";
import { createServer, parseServingConfig } from "../src/index.js";
import { scale } from "./helpers.js";

const parse = (config: unknown): unknown => parseServingConfig(JSON.stringify(config), { directory: "/models" });
const models = (...config: object[]): object => ({ model_config_list: { config } });
const one = { name: "m", base_path: "m" };

test("model_config_list becomes options of createServer", () => {
  expect(
    parse({
      ...models(
        one,
        { ...one, name: "n", base_path: "/elsewhere", model_platform: "tensorflow", version_labels: { stable: "3" } },
        { ...one, name: "all", model_version_policy: { all: {} } },
        { ...one, name: "two", model_version_policy: { latest: { num_versions: 2 } } },
        { ...one, name: "some", model_version_policy: { specific: { versions: [1, "2"] } } },
      ),
      batching_parameters: {
        max_batch_size: 8,
        batch_timeout_micros: 0,
        max_enqueued_batches: 4,
        num_batch_threads: 1,
      },
    }),
  ).toEqual({
    models: [
      { name: "m", path: resolve("/models/m"), versions: { latest: 1 }, labels: {} },
      { name: "n", path: "/elsewhere", versions: { latest: 1 }, labels: { stable: 3 } },
      { name: "all", path: resolve("/models/m"), versions: "all", labels: {} },
      { name: "two", path: resolve("/models/m"), versions: { latest: 2 }, labels: {} },
      { name: "some", path: resolve("/models/m"), versions: { specific: [1, 2] }, labels: {} },
    ],
    batching: { maxBatchSize: 8, batchTimeoutMicros: 0, maxEnqueuedBatches: 4, numBatchThreads: 1 },
  });
});

test.each([
  [{}, "model_config_list: takes an object"],
  [{ model_config_lst: {} }, 'there is no option "model_config_lst" (did you mean "model_config_list"?)'],
  [models(), "model_config_list.config is a list of models"],
  [models({ name: "m" }), "model_config_list.config[0].base_path is text"],
  [models({ ...one, nme: 1 }), 'model_config_list.config[0]: there is no option "nme"'],
  [models({ ...one, model_platform: "caffe" }), 'model_platform is "millrace" or "tensorflow", got "caffe"'],
  [models({ ...one, model_version_policy: { latest: {}, all: {} } }), "has one of latest, all and specific"],
  [
    models({ ...one, model_version_policy: { latest: { num_versions: 0 } } }),
    "num_versions: a whole number from 1 on, got 0",
  ],
  [models({ ...one, model_version_policy: { specific: { versions: [] } } }), "specific.versions is a list of numbers"],
  [models({ ...one, version_labels: { a: "x" } }), 'version_labels.a: a whole number from 0 on, got "x"'],
  [{ ...models(one), batching_parameters: { max_batch_size: 0 } }, "max_batch_size: a whole number from 1 on, got 0"],
])("a configuration of %j is refused", (config, message) => {
  expect(() => parse(config)).toThrow(
    expect.objectContaining({ code: "E_FORMAT", message: expect.stringContaining(message) }),
  );
});

test("what is not built is named, and text that is no JSON is refused", () => {
  expect(() => parse({ ...models(one), batching_parameters: { allowed_batch_sizes: [1] } })).toThrow(
    expect.objectContaining({ code: "E_UNIMPLEMENTED" }),
  );
  expect(() => parse(models({ ...one, logging_config: {} }))).toThrow(
    expect.objectContaining({ code: "E_UNIMPLEMENTED" }),
  );
  expect(() => parseServingConfig("{", { directory: "." })).toThrow(expect.objectContaining({ code: "E_FORMAT" }));
});

const good = { models: { m: scale(1) }, rest: { port: 0 }, pollMs: 0 } as const;
test.each([
  [{ ...good, port: 1 }, 'createServer: there is no option "port"'],
  [{ rest: { port: 0 } }, 'createServer: the option "models" is missing'],
  [{ ...good, models: { "a/b": scale(1) } }, 'a model\'s name is text without "/" and ":", got "a/b"'],
  [
    {
      ...good,
      models: [
        { name: "a", path: "x" },
        { name: "a", path: "y" },
      ],
    },
    'two models are called "a"',
  ],
  [{ ...good, models: { m: {} } }, 'model "m" has either a path or an executable'],
  [{ ...good, models: { m: { path: "x", verions: "all" } } }, '(did you mean "versions"?)'],
  [{ ...good, models: { m: { path: "x", versions: "newest" } } }, 'versions of model "m"'],
  [{ ...good, models: { m: { executable: {} } } }, 'model "m": executable is no Executable'],
  [{ ...good, batching: { maxBatchSize: 0 } }, "maxBatchSize is a whole number from 1 on, got 0"],
  [{ ...good, batching: { max_batch_size: 1 } }, '(did you mean "maxBatchSize"?)'],
  [{ ...good, limits: { bodyBytes: 1.5 } }, "bodyBytes is a whole number from 1 on, got 1.5"],
  [{ ...good, pollMs: -1 }, "pollMs is a whole number from 0 on, got -1"],
  [{ ...good, rest: { prt: 1 } }, '(did you mean "port"?)'],
])("options %# are refused", async (options, message) => {
  // boundary: what callers without types may pass
  await expect(createServer(options as never)).rejects.toMatchObject({
    code: "E_ARGUMENT",
    message: expect.stringContaining(message),
  });
});
