/**
 * Saved graphs, run: loads an artifact, lowers and schedules its graphs for a backend, and runs them. Nothing else of core
 * is in it, so it is small: no tensors, no ops to call, no gradients, and no backend but the one that it is given.
 *
 *     const model = await loadArtifact((name) => readFile(`digits/${name}`), { backend });
 *     const { output } = await model.run({ input: { dtype: "float32", shape: [1, 784], data: pixels } });
 * @packageDocumentation
 */
import { type HostArray, viewAs } from "./ir/host.js";
import { remember } from "./ir/remember.js";
import type { Backend } from "./runtime/backend.js";
import { type HostArrays, HostExecutable, type HostRunOptions } from "./runtime/host-executable.js";
import type { Signature } from "./runtime/signature.js";
import { artifactFile, type Json, type ReadLimits, weightsFile } from "./saved/artifact.js";
import { readArtifact } from "./saved/read.js";
import { MillraceError } from "./types/errors.js";
import { required, withDefaults } from "./types/options.js";
import type { Signal } from "./types/signal.js";
import { throwIfAborted } from "./types/signal.js";

export type { HostArray } from "./ir/host.js";
export type { HostArrays, HostRunOptions } from "./runtime/host-executable.js";
export type { NamedAval, Signature } from "./runtime/signature.js";
export type { Json, ReadLimits } from "./saved/artifact.js";
export type { DType, TypedArray } from "./types/dtype.js";
export { isMillraceError, MillraceError } from "./types/errors.js";
export type { Signal } from "./types/signal.js";

/** The files of an artifact by name, or what reads one: `artifact.json` and `weights.safetensors`. */
export type ArtifactFiles =
  | Readonly<Record<string, Uint8Array>>
  | ReadonlyMap<string, Uint8Array>
  | ((name: string) => Uint8Array | Promise<Uint8Array>);

/** How an artifact is loaded. */
export interface LoadArtifactOptions {
  /** What runs it. It holds the weights until `dispose`; it is the caller's own, and can serve several artifacts. */
  readonly backend: Backend;
  /** Aborting rejects with its reason, and leaves nothing on the backend. */
  readonly signal?: Signal | null;
  /** Bounds on what is read; what exceeds one is E_FORMAT. */
  readonly limits?: Partial<ReadLimits>;
}

/** An artifact that was loaded. */
export interface LoadedArtifact {
  /** What can be run, by name. */
  readonly signatures: Readonly<Record<string, Signature>>;
  /** What was saved beside the graphs. */
  readonly metadata: Readonly<Record<string, Json>>;
  /**
   * Runs a signature on arrays by name.
   * @returns its outputs by name
   * @throws E_ARGUMENT where an input is missing, unknown or no array, E_SHAPE and E_DTYPE where one does not fit
   */
  run(inputs: HostArrays, options?: HostRunOptions): Promise<Record<string, HostArray>>;
  /** Gives weights and programs back to the backend. What runs is finished; a later run is E_DISPOSED. */
  dispose(): void;
}

/**
 * Loads an artifact, compiles its graphs and uploads its weights.
 * @param files their bytes by name, or a function that reads one: with fetch, from a disk, or out of the page itself
 * @throws E_FILE where a file is missing, E_FORMAT where one is not what it must be, E_VERSION where a newer release, or an
 * op from outside of core, is needed
 * @example
 *     const files = { "artifact.json": json, "weights.safetensors": weights };
 *     const model = await loadArtifact(files, { backend: new ReferenceBackend() });
 */
export async function loadArtifact(files: ArtifactFiles, options: LoadArtifactOptions): Promise<LoadedArtifact> {
  const given = withDefaults("loadArtifact", options, { backend: required, signal: null, limits: {} });
  const { backend, signal, limits } = given;
  const [json, weights] = [await fileOf(files, artifactFile, signal), await fileOf(files, weightsFile, signal)];
  const { functions, tensors, metadata } = readArtifact(json, weights, { limits });
  const arrays = new Map<string, HostArray>();
  const arrayOf = (name: string): HostArray =>
    remember(arrays, name, () => {
      const { dtype, shape, start, end } = tensors.get(name)!;
      return { dtype, shape, data: viewAs(dtype, weights.subarray(start, end)) };
    });
  const executable = new HostExecutable(
    functions.map((f) => ({ ...f, weights: f.weights.map(arrayOf) })),
    backend,
  );
  return {
    signatures: executable.signatures,
    metadata,
    run: (inputs, runOptions) => executable.run(inputs, runOptions),
    dispose: () => executable.dispose(),
  };
}

async function fileOf(files: ArtifactFiles, name: string, signal: Signal | null): Promise<Uint8Array> {
  throwIfAborted(signal);
  const bytes = typeof files === "function" ? await files(name) : inMemory(files, name);
  throwIfAborted(signal);
  // The tag and not instanceof: another realm has other constructors.
  if (Object.prototype.toString.call(bytes) === "[object Uint8Array]") return bytes!;
  throw new MillraceError("E_FILE", `loadArtifact: there is no Uint8Array for ${name}`);
}

function inMemory(files: Exclude<ArtifactFiles, (name: string) => unknown>, name: string): Uint8Array | undefined {
  if (typeof files !== "object" || files === null)
    throw new MillraceError("E_ARGUMENT", "loadArtifact: it takes files by name, or a function that reads one");
  return isMap(files) ? files.get(name) : files[name];
}

const isMap = (files: object): files is ReadonlyMap<string, Uint8Array> =>
  "get" in files && typeof files.get === "function";
