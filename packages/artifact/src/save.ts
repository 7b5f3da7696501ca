import { getFiles, isMillraceError, MillraceError, type NamedFunction, type Signal, type Tensor } from "@millrace/core";
import {
  artifactFile,
  bytesOf,
  type FunctionToWrite,
  type Json,
  readArtifact,
  type TensorData,
  weightsFile,
  writeArtifact,
} from "@millrace/core/graph";
import { throwIfAborted, withDefaults } from "@millrace/core/support";

/** How an artifact is saved. */
export interface SaveArtifactOptions {
  /** What is kept beside the graphs, such as the names of classes: anything that JSON holds. */
  readonly metadata?: { readonly [name: string]: Json };
  /** Whether a directory that is there is replaced; true unless said. Else it stays, and the promise rejects with E_FILE. */
  readonly overwrite?: boolean;
  readonly signal?: Signal | null;
}

/**
 * Saves functions with their weights as a directory, which `loadArtifact` runs anywhere. It is written whole or not at all:
 * what was there stays until everything is on the disk.
 *
 * @param functions those of a model (`model.toConcreteFunctions()`) or of `nameFunction`; their weights are saved as they are
 * at this moment, shared ones once
 * @throws E_ARGUMENT where there is no function or two have one name, E_FILE where the directory cannot be written,
 * or holds other files than those of an artifact, which would be lost
 * @example
 *     const half = nameFunction("serving_default", ({ x }) => tf.mul(x!, 0.5), { x: { shape: ["batch", 4] } });
 *     await saveArtifact("half", [half], { metadata: { unit: "m" } });
 * @public
 */
export async function saveArtifact(
  directory: string,
  functions: readonly NamedFunction[],
  options: SaveArtifactOptions = {},
): Promise<void> {
  const { overwrite, signal, ...rest } = withDefaults("saveArtifact", options, saveDefaults);
  const files = await artifactFiles(functions, rest.metadata, signal);
  await getFiles().writeDirectory(directory, files, { overwrite, signal });
}

const saveDefaults = { metadata: {}, overwrite: true, signal: null };

/**
 * The files of an artifact by name, in memory.
 * @example const files = await artifactFiles(model.toConcreteFunctions());
 * @public
 */
export async function artifactFiles(
  functions: readonly NamedFunction[],
  metadata: { readonly [name: string]: Json } = {},
  signal: Signal | null = null,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const names = nameTensors(functions);
  const named = functions.map((f): FunctionToWrite => ({ ...f, weights: f.weights.map((w) => names.get(w.value)!) }));
  // Every read is asked for before any is awaited: the values are those of this moment.
  const reads = [...names].map(async ([tensor, name]): Promise<[string, TensorData]> => {
    const { dtype, shape } = tensor;
    return [name, { dtype, shape, bytes: bytesOf(await tensor.data()) }];
  });
  const tensors = new Map(await Promise.all(reads));
  throwIfAborted(signal);
  const files = writeArtifact(named, tensors, metadata);
  holdReadable(files);
  return files;
}

/** A name for every tensor among the weights: its own, or with a number where another has it. */
function nameTensors(functions: readonly NamedFunction[]): Map<Tensor, string> {
  const names = new Map<Tensor, string>();
  const taken = new Set(["__metadata__", "__proto__"]);
  for (const { name: base, value } of functions.flatMap((f) => f.weights)) {
    if (names.has(value)) continue;
    let name = base;
    for (let n = 1; taken.has(name); n++) name = `${base}_${n}`;
    taken.add(name);
    names.set(value, name);
  }
  return names;
}

/** What is saved can be loaded: found out now, not when it is needed. */
function holdReadable(files: ReadonlyMap<string, Uint8Array>): void {
  const none = Number.POSITIVE_INFINITY;
  try {
    readArtifact(files.get(artifactFile)!, files.get(weightsFile)!, {
      limits: { jsonBytes: none, weightBytes: none, nodes: none, tensors: none },
    });
  } catch (cause) {
    if (!isMillraceError(cause)) throw cause;
    throw new MillraceError("E_ARGUMENT", `saveArtifact: what would be saved could not be loaded: ${cause.message}`, {
      cause,
    });
  }
}
