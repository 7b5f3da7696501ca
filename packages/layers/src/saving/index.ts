// Saving and loading models, as users call it. What does the work is loaded when it is first needed.
import { getFiles, MillraceError } from "@millrace/autodiff";
import type { Model } from "../training/model.js";
import { complete, type Defaults } from "../util/options.js";
import { type Signal, throwIfAborted } from "../util/platform.js";
import { type LoadLimits, limitsOf } from "./checks.js";
import type { TrainableFormat } from "./formats.js";
import { requireBuilt, snapshotOf } from "./snapshot.js";
import type { ModelSource } from "./sources.js";

export type { LoadLimits } from "./checks.js";
export type { TrainableFormat } from "./formats.js";
export type { ByteSource, ModelSource } from "./sources.js";

/**
 * Options of `loadModel`.
 * @public
 */
export interface LoadModelOptions {
  /** What the file must be; told by its content unless said. */
  readonly format?: TrainableFormat | null;
  /** Classes and functions of one's own by the names that the file has for them: `{ Scale, "my_package>Scale": Scale }`. */
  readonly customObjects?: Readonly<Record<string, unknown>>;
  /** Whether a file that holds code is refused. That code is never run: with false, customObjects may stand in its place. */
  readonly safeMode?: boolean;
  /** Whether the model is compiled as it was when it was saved, its optimizer's state included; true unless said. */
  readonly compile?: boolean;
  readonly signal?: Signal | null;
  /** Is told which part is done, from 0 to 1. */
  readonly onProgress?: ((fraction: number) => void) | null;
  readonly limits?: LoadLimits;
}
const loadDefaults: Defaults<LoadModelOptions> = {
  format: null,
  customObjects: {},
  safeMode: true,
  compile: true,
  signal: null,
  onProgress: null,
  limits: {},
};

/**
 * Options of `save` and `saveWeights`.
 * @public
 */
export interface SaveOptions {
  /** Whether a file that is there is replaced; true unless said. Else it stays, and the promise rejects with E_FILE. */
  readonly overwrite?: boolean;
  readonly signal?: Signal | null;
}
const saveDefaults: Defaults<SaveOptions> = { overwrite: true, signal: null };

/**
 * Options of `loadWeights`.
 * @public
 */
export interface LoadWeightsOptions {
  readonly signal?: Signal | null;
  /** Is told which part is done, from 0 to 1. */
  readonly onProgress?: ((fraction: number) => void) | null;
  readonly limits?: LoadLimits;
}
const weightsDefaults: Defaults<LoadWeightsOptions> = { signal: null, onProgress: null, limits: {} };

/**
 * A model that is trained further, from a file that `model.save` or Keras 3 wrote (.keras). No code in a file is run: its
 * classes are those of Millrace, or given in customObjects. Everything in it is checked.
 * @param source a path, an address, or bytes
 * @returns the model, compiled where it was
 * @throws E_FORMAT where the file is damaged, lies or exceeds a limit; E_FILE where it cannot be read; E_VERSION where it
 * needs a class that customObjects does not give; E_UNIMPLEMENTED for what is not built; E_ARGUMENT where it is a graph,
 * which tf.loadExecutable reads
 * @example const model = await tf.loadModel("digits.keras");
 * @public
 */
export async function loadModel(source: ModelSource, options: LoadModelOptions = {}): Promise<Model> {
  const { format, limits: given, signal, ...rest } = complete("loadModel", options, loadDefaults);
  const limits = limitsOf(given);
  const { formats, kerasFile, sources } = await machinery();
  const opened = await sources.openSource(source, Object.values(formats.kerasFiles), limits, signal);
  const files =
    "bytes" in opened ? formats.openModel(opened.bytes, format, limits) : formats.openDirectory(opened.directory);
  return kerasFile.readKeras(files, { ...rest, limits, signal });
}

/** Writes a model as it is now to a file, whole or not at all. */
export async function saveModel(model: Model, path: string, options: SaveOptions): Promise<void> {
  await write("save", path, ".keras", options, (signal) => modelBytes(model, signal));
}

/** The bytes of the file of a model as it is now. */
export async function modelBytes(model: Model, signal: Signal | null = null): Promise<Uint8Array> {
  const values = snapshotOf(model);
  return (await machinery()).kerasFile.writeKeras(model, values, signal);
}

/** Writes a model's weights as they are now to a file, whole or not at all. */
export async function saveWeights(model: Model, path: string, options: SaveOptions): Promise<void> {
  await write("saveWeights", path, ".weights.h5", options, async (signal) => {
    const values = snapshotOf(model);
    return (await machinery()).kerasFile.writeWeights(model, values, signal);
  });
}

/** Reads weights into a model, all or none. */
export async function loadWeights(model: Model, source: ModelSource, options: LoadWeightsOptions): Promise<void> {
  const { limits, signal, onProgress } = complete("loadWeights", options, weightsDefaults);
  requireBuilt("loadWeights", model);
  const { kerasFile, sources } = await machinery();
  const opened = await sources.openSource(source, [], limitsOf(limits), signal);
  if ("bytes" in opened) return kerasFile.readWeights(model, opened.bytes, { signal, onProgress });
  throw new MillraceError("E_ARGUMENT", "loadWeights: takes a file, and got a directory");
}

/**
 * A tensor in a file of weights.
 * @public
 */
export interface SavedWeight {
  /** Names of groups and the tensor's own, with "/" between them. */
  readonly path: string;
  readonly shape: readonly number[];
}

/**
 * What a file of weights holds (.weights.h5, or another HDF5 file of Keras's); its numbers are not read.
 * @throws E_FORMAT where the file is damaged, lies or exceeds a limit; E_FILE where it cannot be read; E_UNIMPLEMENTED for
 * what is not built
 * @example const weights = await tf.inspectWeights("digits.weights.h5");
 * @public
 */
export async function inspectWeights(
  source: ModelSource,
  options: Pick<LoadWeightsOptions, "signal" | "limits"> = {},
): Promise<readonly SavedWeight[]> {
  const { limits, signal } = complete("inspectWeights", options, { signal: null, limits: {} });
  const { hdf5, sources } = await machinery();
  const opened = await sources.openSource(source, [], limitsOf(limits), signal);
  if ("bytes" in opened) return hdf5.listDatasets(hdf5.openHdf5(opened.bytes));
  throw new MillraceError("E_ARGUMENT", "inspectWeights: takes a file, and got a directory");
}

async function write(
  who: string,
  path: string,
  ending: string,
  options: SaveOptions,
  make: (signal: Signal | null) => Promise<Uint8Array>,
): Promise<void> {
  const { overwrite, signal } = complete(who, options, saveDefaults);
  if (typeof path !== "string" || !path.endsWith(ending)) {
    throw new MillraceError("E_ARGUMENT", `${who}: needs a path that ends in ${ending}, got ${String(path)}`);
  }
  const files = getFiles();
  throwIfAborted(signal);
  const bytes = await make(signal);
  await files.write(path, bytes, { overwrite, signal });
}

/** Start-up does not pay for it. */
const machinery = (): Promise<typeof import("./machinery.js")> => import("./machinery.js");
