// What a file is, told by its content, and who reads it.
import { MillraceError } from "@millrace/autodiff";
import { formatNames, formatOfFile, isTrainable, mainFileOf, type TrainableFormat } from "@millrace/autodiff/support";
import { type Archive, openArchive } from "./archive.js";
import { badFile, isJson, type Limits, parseJson } from "./checks.js";

export type { TrainableFormat } from "@millrace/autodiff/support";

/** The files of a model by name; each is read when it is asked for. */
export interface ModelFiles {
  readonly names: readonly string[];
  read(name: string): Uint8Array;
}

/** The files of Keras's format. */
export const kerasFiles = { config: "config.json", metadata: "metadata.json", weights: "model.weights.h5" } as const;

/**
 * The files in a model of Keras's format. Throws E_UNIMPLEMENTED for formats that are not read yet, E_ARGUMENT for graphs,
 * naming tf.loadExecutable, and E_FORMAT for anything else.
 * @param wanted the format that the caller says it is
 */
export function openModel(bytes: Uint8Array, wanted: TrainableFormat | null, limits: Limits): ModelFiles {
  if (bytes.length === 0) throw badFile("the file is empty");
  const format = formatOfFile(bytes);
  if (format === undefined) throw unknown(bytes, limits);
  if (!isTrainable(format)) throw executable(formatNames[format]);
  const archive = format === "keras" ? openKeras(bytes, limits) : null;
  if (wanted !== null && format !== wanted) {
    throw badFile(`the file is ${formatNames[format]}, not of the format ${JSON.stringify(wanted)}`);
  }
  if (archive) return archive;
  const what = `loadModel: ${formatNames[format]} is not read yet; save it as .keras with Keras 3`;
  throw new MillraceError("E_UNIMPLEMENTED", what);
}

/** Throws where the directory holds no model of Keras's format. */
export function openDirectory(files: ModelFiles): ModelFiles {
  if (files.names.includes(kerasFiles.config)) return files;
  const main = mainFileOf(files.names);
  if (main === "saved_model.pb") throw executable(formatNames["saved-model"]);
  if (main === "artifact.json") throw executable(formatNames.millrace);
  if (main !== undefined) throw badFile(`name the file ${main}, not its directory`);
  throw badFile(`the directory holds no ${kerasFiles.config}`);
}

function openKeras(bytes: Uint8Array, limits: Limits): Archive {
  const files = openArchive(bytes, limits);
  if (files.has(kerasFiles.config)) return files;
  if (files.names.some((name) => name.endsWith("saved_model.pb"))) throw executable("a packed SavedModel");
  throw badFile(`the archive holds no ${kerasFiles.config}: it is no model of Keras`);
}

function unknown(bytes: Uint8Array, limits: Limits): MillraceError {
  const first = bytes.find((byte) => byte > 32);
  if (first !== "{".charCodeAt(0)) {
    return badFile("the file is no model: neither .keras nor .h5 nor a model.json of TensorFlow.js");
  }
  const json = parseJson("the file", bytes, limits);
  if (isJson(json.config) && "class_name" in json) {
    return badFile("the file is a configuration without weights: config.json of an unpacked .keras");
  }
  return badFile("the file is JSON, and no model");
}

function executable(what: string): MillraceError {
  return new MillraceError(
    "E_ARGUMENT",
    `loadModel: this is ${what}, a graph that is run and not trained: tf.loadExecutable`,
  );
}
