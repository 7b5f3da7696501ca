import { resolve } from "node:path";
import { isMillraceError, MillraceError } from "@millrace/core";
import { checkOptions } from "@millrace/core/support";
import type { VersionPolicy } from "./models/policy.js";
import type { BatchingOptions, ModelOptions } from "./options.js";

/** What a configuration file says: part of `createServer`'s options. */
export interface ServingConfig {
  /** Of `model_config_list`. */
  readonly models: readonly (ModelOptions & { readonly name: string })[];
  /** Of `batching_parameters`, where there are any. */
  readonly batching?: BatchingOptions;
}

const modelKeys = [
  "name",
  "base_path",
  "model_platform",
  "model_version_policy",
  "version_labels",
  "logging_config",
] as const;
const batchingKeys = {
  max_batch_size: "maxBatchSize",
  batch_timeout_micros: "batchTimeoutMicros",
  max_enqueued_batches: "maxEnqueuedBatches",
  num_batch_threads: "numBatchThreads",
} as const;
const unbuiltBatchingKeys = [
  "enable_large_batch_splitting",
  "max_execution_batch_size",
  "allowed_batch_sizes",
  "pad_variable_length_inputs",
];

type JsonRecord = Readonly<Record<string, unknown>>;

/**
 * Reads TensorFlow Serving's model configuration in the JSON form of its messages: `model_config_list` with, for each
 * model, `name`, `base_path`, `model_version_policy` and `version_labels`; and beside it `batching_parameters`.
 *
 * @param text the file's content
 * @param directory what relative base paths start from: the file's own directory
 * @throws E_FORMAT where it is no such configuration, naming the place; E_UNIMPLEMENTED for a part that is not built
 * @example
 *     const config = parseServingConfig(readFileSync("models.json", "utf8"), { directory: "." });
 *     const server = await createServer({ ...config });
 */
export function parseServingConfig(text: string, { directory }: { readonly directory: string }): ServingConfig {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new MillraceError("E_FORMAT", `the configuration is no JSON: ${String(cause)}`, { cause });
  }
  const root = record("the configuration", document, ["model_config_list", "batching_parameters"]);
  const { config } = record("model_config_list", root.model_config_list, ["config"]);
  if (!Array.isArray(config) || config.length === 0) throw wrong("model_config_list.config is a list of models");
  const models = config.map((model, i) => modelOf(`model_config_list.config[${i}]`, model, directory));
  if (root.batching_parameters === undefined) return { models };
  return { models, batching: batchingOf(root.batching_parameters) };
}

function wrong(why: string): MillraceError {
  return new MillraceError("E_FORMAT", `configuration: ${why}`);
}

function unbuilt(what: string): MillraceError {
  return new MillraceError("E_UNIMPLEMENTED", `configuration: ${what} is not built yet`);
}

function record(where: string, value: unknown, keys: readonly string[]): JsonRecord {
  try {
    checkOptions(where, value, keys);
  } catch (cause) {
    // The reason alone: the line that called is one of ours.
    throw new MillraceError("E_FORMAT", isMillraceError(cause) ? cause.reason : String(cause), { cause });
  }
  // boundary: checked to be an object
  return value as JsonRecord;
}

function modelOf(where: string, value: unknown, directory: string): ModelOptions & { readonly name: string } {
  const model = record(where, value, modelKeys);
  const { name, base_path, model_platform, model_version_policy, version_labels, logging_config } = model;
  if (typeof name !== "string" || name === "") throw wrong(`${where}.name is text`);
  if (typeof base_path !== "string" || base_path === "") throw wrong(`${where}.base_path is text`);
  if (model_platform !== undefined && model_platform !== "millrace" && model_platform !== "tensorflow") {
    throw wrong(`${where}.model_platform is "millrace" or "tensorflow", got ${JSON.stringify(model_platform)}`);
  }
  if (logging_config !== undefined) throw unbuilt(`${where}.logging_config`);
  return {
    name,
    path: resolve(directory, base_path),
    versions: policyOf(`${where}.model_version_policy`, model_version_policy),
    labels: labelsOf(`${where}.version_labels`, version_labels ?? {}),
  };
}

function policyOf(where: string, value: unknown): VersionPolicy {
  const { latest, all, specific, ...others } = record(where, value ?? {}, ["latest", "all", "specific"]);
  const given = [latest, all, specific].filter((x) => x !== undefined);
  if (given.length > 1) throw wrong(`${where} has one of latest, all and specific`);
  if (all !== undefined) {
    record(`${where}.all`, all, Object.keys(others));
    return "all";
  }
  if (specific !== undefined) {
    const { versions } = record(`${where}.specific`, specific, ["versions"]);
    if (!Array.isArray(versions) || versions.length === 0)
      throw wrong(`${where}.specific.versions is a list of numbers`);
    return { specific: versions.map((x) => versionOf(`${where}.specific.versions`, x, 0)) };
  }
  const { num_versions = 1 } = record(`${where}.latest`, latest ?? {}, ["num_versions"]);
  return { latest: versionOf(`${where}.latest.num_versions`, num_versions, 1) };
}

/** 64-bit integers are numbers, or text as protobuf writes them in JSON. */
function versionOf(where: string, value: unknown, least: number): number {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= least) return number;
  throw wrong(`${where}: a whole number from ${least} on, got ${JSON.stringify(value)}`);
}

function labelsOf(where: string, value: unknown): Readonly<Record<string, number>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(`${where} is an object of versions by label`);
  }
  return Object.fromEntries(Object.entries(value).map(([label, x]) => [label, versionOf(`${where}.${label}`, x, 0)]));
}

function batchingOf(value: unknown): BatchingOptions {
  const where = "batching_parameters";
  const parameters = record(where, value, [...Object.keys(batchingKeys), ...unbuiltBatchingKeys]);
  const found = unbuiltBatchingKeys.find((key) => parameters[key] !== undefined);
  if (found !== undefined) throw unbuilt(`${where}.${found}`);
  return Object.fromEntries(
    Object.entries(batchingKeys).flatMap(([key, name]) => {
      const given = parameters[key];
      return given === undefined
        ? []
        : [[name, versionOf(`${where}.${key}`, given, key === "batch_timeout_micros" ? 0 : 1)]];
    }),
  );
}
