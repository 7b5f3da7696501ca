import {
  Executable,
  isMillraceError,
  MillraceError,
  type NamedFunction,
  type Signal,
  type Tensor,
  tensor,
} from "@millrace/core";
import {
  type ArtifactHead,
  artifactFile,
  completeLimits,
  dataStart,
  lengthBytes,
  mapTensor,
  type ReadLimits,
  readGraphs,
  readHead,
  readTensorEntries,
  type SavedArtifact,
  type TensorEntry,
  viewAs,
  weightsFile,
} from "@millrace/core/graph";
import { throwIfAborted, withDefaults } from "@millrace/core/support";
import { type ArtifactSource, type LocalFiles, openSource, type SourceFiles } from "./source.js";

/** How an artifact is loaded. */
export interface LoadArtifactOptions {
  readonly signal?: Signal | null;
  /** Called with the part of the weights that is loaded: 0 to 1. */
  readonly onProgress?: (fraction: number) => void;
  /** Bounds on what is read; what exceeds one is E_FORMAT. */
  readonly limits?: Partial<ReadLimits>;
}

/**
 * Loads a saved graph to run it. Everything is checked before it is believed, and nothing in a file is run as code. From a
 * path weights are mapped, where the backend can, else read.
 *
 * @param source the path or URL of the directory, or its files' bytes by name
 * @returns the functions that were saved, with weights of their own: `dispose` frees them
 * @throws E_FILE where a file is missing, E_FORMAT where one is not what it must be, with the place, E_VERSION where a newer
 * release or a package of ops is needed, naming it
 * @example
 *     const executable = await loadArtifact("half");
 *     const { output } = executable.run({ x: tf.ones([2, 4]) });
 * @public
 */
export async function loadArtifact(source: ArtifactSource, options: LoadArtifactOptions = {}): Promise<Executable> {
  const { signal, onProgress, limits } = withDefaults("loadArtifact", options, loadDefaults);
  const files = await openSource(source, signal);
  for (let attempt = 1; ; attempt++) {
    const before = await versionOf(files);
    const loaded = load(files, completeLimits(limits), signal, onProgress ?? (() => {}));
    const error = await loaded.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    // Files that were replaced meanwhile may be of two artifacts.
    if ((await versionOf(files).catch(() => null)) === before) return loaded;
    if (error === undefined) (await loaded).dispose();
    if (attempt === mostAttempts || signal?.aborted)
      throw new MillraceError("E_FILE", `${files.label}: it was replaced while it was loaded`, { cause: error });
  }
}

const loadDefaults = { signal: null, onProgress: undefined, limits: {} };
const mostAttempts = 3;

/** Another text where the files of an artifact were replaced, which those of a server or in memory never say. */
async function versionOf({ local }: SourceFiles): Promise<string> {
  if (!local) return "";
  const stats = [await local.stat(artifactFile), await local.stat(weightsFile)];
  return stats.map((stat) => stat.version).join();
}

async function load(
  files: SourceFiles,
  limits: ReadLimits,
  signal: Signal | null,
  onProgress: (fraction: number) => void,
): Promise<Executable> {
  const saved = await readSaved(files, limits);
  const tensors = await loadTensors(saved, signal, onProgress);
  const functions = saved.artifact.functions.map(({ weights, ...f }): NamedFunction => {
    return { ...f, weights: weights.map((name) => ({ name, value: tensors.get(name)! })) };
  });
  return new Executable(functions, saved.artifact.metadata);
}

/** An artifact that was read, and where its weights are. */
export interface OpenedArtifact {
  readonly artifact: SavedArtifact;
  readonly jsonBytes: number;
  readonly weightBytes: number;
  readonly local: LocalFiles | null;
  bytesOf(entry: TensorEntry): Uint8Array | Promise<Uint8Array>;
}

/** Reads all but the weights, where they need not be read. */
export async function readSaved(files: SourceFiles, limits: ReadLimits): Promise<OpenedArtifact> {
  const json = await files.read(artifactFile, limits.jsonBytes);
  const head = readHead(json, limits);
  return files.local
    ? readLocal(files.local, head, json.length, limits)
    : readWhole(await files.read(weightsFile, limits.weightBytes), head, json.length, limits);
}

function readWhole(weights: Uint8Array, head: ArtifactHead, jsonBytes: number, limits: ReadLimits): OpenedArtifact {
  const start = dataStart(weights, weights.length, limits);
  const tensors = readTensorEntries(weights.subarray(lengthBytes, start), weights.length, limits);
  const bytesOf = (entry: TensorEntry): Uint8Array => weights.subarray(entry.start, entry.end);
  const artifact = readGraphs(head, tensors, bytesOf, { limits });
  return { artifact, jsonBytes, weightBytes: weights.length, local: null, bytesOf };
}

async function readLocal(
  local: LocalFiles,
  head: ArtifactHead,
  jsonBytes: number,
  limits: ReadLimits,
): Promise<OpenedArtifact> {
  const { bytes: weightBytes } = await local.stat(weightsFile);
  const start = dataStart(await local.part(weightsFile, 0, lengthBytes), weightBytes, limits);
  const tensors = readTensorEntries(await local.part(weightsFile, lengthBytes, start), weightBytes, limits);
  const bytesOf = async (entry: TensorEntry): Promise<Uint8Array> => {
    const bytes = await local.part(weightsFile, entry.start, entry.end);
    if (bytes.length === entry.end - entry.start) return bytes;
    throw new MillraceError("E_FORMAT", `${weightsFile}: it became shorter while it was read`);
  };
  const constants = new Map<string, Uint8Array>();
  for (const name of head.constants) {
    const entry = tensors.get(name);
    if (entry) constants.set(name, await bytesOf(entry));
  }
  const artifact = readGraphs(head, tensors, (_, name) => constants.get(name)!, { limits });
  return { artifact, jsonBytes, weightBytes, local, bytesOf };
}

/** The weights of all functions as tensors, each once. What was made is freed where one fails. */
async function loadTensors(
  { artifact, local, bytesOf }: OpenedArtifact,
  signal: Signal | null,
  onProgress: (fraction: number) => void,
): Promise<ReadonlyMap<string, Tensor>> {
  const names = [...new Set(artifact.functions.flatMap((f) => f.weights))];
  const sizes = names.map((name) => artifact.tensors.get(name)!).map(({ start, end }) => end - start);
  const total = sizes.reduce((n, bytes) => n + bytes, 0);
  const made = new Map<string, Tensor>();
  let done = 0;
  try {
    for (const [i, name] of names.entries()) {
      throwIfAborted(signal);
      const entry = artifact.tensors.get(name)!;
      made.set(name, mapped(local, entry) ?? uploaded(name, entry, await bytesOf(entry)));
      done += sizes[i]!;
      onProgress(total === 0 ? 1 : done / total);
    }
    throwIfAborted(signal);
    return made;
  } catch (error) {
    for (const value of made.values()) value.dispose();
    throw error;
  }
}

/** A tensor that lies in the file. Bools are read, since not every byte is one. */
function mapped(local: LocalFiles | null, entry: TensorEntry): Tensor | undefined {
  if (!local || entry.dtype === "bool" || entry.start === entry.end) return undefined;
  try {
    return mapTensor(local.pathOf(weightsFile), entry.start, entry);
  } catch (error) {
    // A file that cannot be mapped, as on some network drives, can still be read.
    if (isMillraceError(error, "E_FILE")) return undefined;
    throw error;
  }
}

function uploaded(name: string, { dtype, shape }: TensorEntry, bytes: Uint8Array): Tensor {
  if (dtype === "bool" && bytes.some((x) => x > 1))
    throw new MillraceError("E_FORMAT", `${weightsFile}: ${name} holds a bool that is neither 0 nor 1`);
  return tensor(viewAs(dtype, bytes), shape, dtype);
}
