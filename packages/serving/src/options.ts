import type { Executable, Logger } from "@millrace/core";
import { MillraceError } from "@millrace/core";
import { checkOptions, required, withDefaults } from "@millrace/core/support";
import type { AdmissionLimits, QueueLimits } from "./limits.js";
import type { VersionPolicy } from "./models/policy.js";
import type { Load, ModelSource } from "./models/source.js";

/** A model to serve: either a directory of versions or an executable. */
export interface ModelOptions {
  /** A directory whose subdirectories with numbers as names are its versions: `models/digits` with `1/`, `2/` … */
  readonly path?: string;
  /** Which of these versions are served: the newest one unless said. */
  readonly versions?: "latest" | VersionPolicy;
  /** Instead of `path`: what is loaded already. It stays the caller's, who disposes of it after the server is closed. */
  readonly executable?: Executable;
  /** The version that `executable` is; 1 unless said. */
  readonly version?: number;
  /** Names for versions, as in /v1/models/digits/labels/stable. A label may name a version that is loaded at the start only. */
  readonly labels?: Readonly<Record<string, number>>;
}

/** Models by name: a directory, an executable, or either with more said; also a list of records that have names. */
export type Models =
  | Readonly<Record<string, string | Executable | ModelOptions>>
  | readonly (ModelOptions & { readonly name: string })[];

/** How requests are put together into batches. */
export interface BatchingOptions {
  /** Rows of a batch, 64 unless said. A request with more runs alone. */
  readonly maxBatchSize?: number;
  /**
   * How long the first request of a batch waits for others, in microseconds, while the engine is free. 0, unless said: all
   * that has come by then joins, and while the engine is busy the next batch grows.
   */
  readonly batchTimeoutMicros?: number;
  /** Batches that may wait for their turn, 64 unless said; one more is refused with UNAVAILABLE, 503. */
  readonly maxEnqueuedBatches?: number;
  /** Batches of one model that run at a time, 1 unless said: the engine runs one after the other, and later ones grow. */
  readonly numBatchThreads?: number;
}

/** What a server takes on. What is beyond is refused with RESOURCE_EXHAUSTED, 429, unless it says otherwise. */
export interface LimitOptions extends Partial<AdmissionLimits> {
  /** Bytes of one request's body or message, 32 MiB unless said. */
  readonly bodyBytes?: number;
  /** Bytes of one request's headers, 16 KiB unless said; more is 431. */
  readonly headerBytes?: number;
  /** Milliseconds in which a request is answered, 30,000 unless said; later is DEADLINE_EXCEEDED, 504. */
  readonly timeoutMs?: number;
}

/** What the fastify plugin takes, and a server beside its addresses. */
export interface ServingOptions {
  /** What is served, by name. */
  readonly models: Models;
  /** false: every request runs alone. */
  readonly batching?: BatchingOptions | false;
  /** How much is taken on. */
  readonly limits?: LimitOptions;
  /** How often directories are looked at for new versions, in milliseconds; 1,000 unless said, 0 for never. */
  readonly pollMs?: number;
  /** How often a version that cannot be loaded is tried again while its files stay as they are; 5 unless said. */
  readonly loadRetries?: number;
  /** Makes an executable of a version's directory: `loadExecutable` unless given. */
  readonly load?: Load;
  /** Where the server reports; the engine's logger unless given. */
  readonly logger?: Logger;
}

/** Options with every default filled in. */
export interface Settings {
  readonly models: readonly ModelSource[];
  readonly queue: QueueLimits;
  readonly slots: number;
  readonly limits: Required<LimitOptions>;
  readonly pollMs: number;
  readonly loadRetries: number;
  readonly load: Load | undefined;
  readonly logger: Logger | undefined;
}

const mebibyte = 2 ** 20;
const who = "createServer";
const defaults = {
  models: required,
  batching: {},
  limits: {},
  pollMs: 1000,
  loadRetries: 5,
  load: undefined,
  logger: undefined,
} as const;

/** @throws MillraceError E_ARGUMENT */
export function settingsOf(options: ServingOptions): Settings {
  const all = withDefaults<ServingOptions, typeof defaults>(who, options, defaults);
  const isBatching = all.batching !== false;
  const given = all.batching === false ? {} : all.batching;
  const batching = withDefaults<BatchingOptions, Required<BatchingOptions>>(`${who}: batching`, given, {
    maxBatchSize: isBatching ? 64 : 1,
    batchTimeoutMicros: 0,
    maxEnqueuedBatches: isBatching ? 64 : 1024,
    numBatchThreads: 1,
  });
  const limits = withDefaults<LimitOptions, Required<LimitOptions>>(`${who}: limits`, all.limits, {
    pendingRequests: 1024,
    pendingBytes: 256 * mebibyte,
    bodyBytes: 32 * mebibyte,
    headerBytes: 16384,
    timeoutMs: 30_000,
  });
  const whole = (name: string, value: unknown, least: number): void => {
    if (Number.isSafeInteger(value) && Number(value) >= least) return;
    throw refused(`${name} is a whole number from ${least} on, got ${String(value)}`);
  };
  for (const [name, value] of Object.entries(limits)) whole(name, value, 1);
  const { maxBatchSize, batchTimeoutMicros, maxEnqueuedBatches, numBatchThreads } = batching;
  for (const [name, value] of Object.entries({ maxBatchSize, maxEnqueuedBatches, numBatchThreads }))
    whole(name, value, 1);
  for (const [name, value] of Object.entries({
    batchTimeoutMicros,
    pollMs: all.pollMs,
    loadRetries: all.loadRetries,
  })) {
    whole(name, value, 0);
  }
  return {
    models: sourcesOf(all.models),
    queue: { maxBatchSize, batchTimeoutMicros, maxEnqueuedBatches },
    slots: numBatchThreads,
    limits,
    pollMs: all.pollMs,
    loadRetries: all.loadRetries,
    load: all.load,
    logger: all.logger,
  };
}

function refused(why: string): MillraceError {
  return new MillraceError("E_ARGUMENT", `${who}: ${why}`, { op: who });
}

function sourcesOf(models: unknown): ModelSource[] {
  if (typeof models !== "object" || models === null) throw refused("models is a record or list of models");
  const named: readonly (readonly [unknown, unknown])[] = Array.isArray(models)
    ? models.map(({ name, ...model }: { readonly name?: unknown }) => [name, model])
    : Object.entries(models);
  const seen = new Set<string>();
  return named.map(([name, model]) => {
    if (typeof name !== "string" || !/^[^/:]+$/.test(name)) {
      throw refused(`a model's name is text without "/" and ":", got ${JSON.stringify(name)}`);
    }
    if (seen.has(name)) throw refused(`two models are called "${name}"`);
    seen.add(name);
    return sourceOf(name, model);
  });
}

/** Told by its methods, since it may belong to another copy of core. */
function isExecutable(x: unknown): x is Executable {
  return typeof x === "object" && x !== null && "signatures" in x && "run" in x && typeof x.run === "function";
}

function sourceOf(name: string, model: unknown): ModelSource {
  if (typeof model === "string") return sourceOf(name, { path: model });
  if (isExecutable(model)) return sourceOf(name, { executable: model });
  const where = `${who}: model "${name}"`;
  checkOptions(where, model, ["path", "versions", "executable", "version", "labels"]);
  // boundary: an object with none but these keys; what they hold is checked below
  const { path, versions, executable, version, labels = {} } = model as ModelOptions;
  for (const [label, n] of Object.entries(labels)) {
    if (!isVersion(n)) throw refused(`model "${name}": the label "${label}" is no version: ${String(n)}`);
  }
  if ((path === undefined) === (executable === undefined)) {
    throw refused(`model "${name}" has either a path or an executable`);
  }
  if (executable !== undefined) {
    if (!isExecutable(executable)) throw refused(`model "${name}": executable is no Executable`);
    if (versions !== undefined) throw refused(`model "${name}": versions are those of a path`);
    if (version !== undefined && !isVersion(version)) throw refused(`model "${name}": version ${String(version)}`);
    return { name, source: { executable, version: version ?? 1 }, labels };
  }
  if (typeof path !== "string" || path === "") throw refused(`model "${name}": path is text`);
  if (version !== undefined) throw refused(`model "${name}": version is that of an executable; use versions`);
  return { name, source: { path, policy: policyOf(name, versions ?? "latest") }, labels };
}

function policyOf(name: string, versions: unknown): VersionPolicy {
  if (versions === "latest") return { latest: 1 };
  if (versions === "all") return "all";
  if (typeof versions === "object" && versions !== null) {
    checkOptions(`${who}: versions of "${name}"`, versions, ["latest", "specific"]);
    const { latest, specific } = versions as { readonly latest?: unknown; readonly specific?: unknown };
    if (specific === undefined && isVersion(latest) && latest > 0) return { latest };
    if (latest === undefined && Array.isArray(specific) && specific.length > 0 && specific.every(isVersion)) {
      return { specific };
    }
  }
  throw refused(`versions of model "${name}": "latest", "all", { latest: number } or { specific: [numbers] }`);
}

function isVersion(x: unknown): x is number {
  return typeof x === "number" && Number.isSafeInteger(x) && x >= 0;
}
