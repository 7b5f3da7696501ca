// What a file is, told by its content, and who reads it.
import { MillraceError } from "@millrace/autodiff";
import { isArchive, openArchive } from "./archive.js";
import { badFile, believing, isJson, type Json, type Limits, parseJson } from "./checks.js";
import { isHdf5 } from "./hdf5.js";

/**
 * The formats of models that are trained further: Keras 3's, Keras 2's and TensorFlow.js's.
 * @public
 */
export type TrainableFormat = "keras" | "h5" | "tfjs";

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
  const found = formatOf(bytes, limits);
  if (wanted !== null && found.format !== wanted) {
    throw badFile(`the file is ${found.what}, not of the format ${JSON.stringify(wanted)}`);
  }
  if (found.files) return found.files;
  throw new MillraceError(
    "E_UNIMPLEMENTED",
    `loadModel: ${found.what} is not read yet; save it as .keras with Keras 3`,
  );
}

/** Throws where the directory holds no model of Keras's format. */
export function openDirectory(files: ModelFiles): ModelFiles {
  if (files.names.includes(kerasFiles.config)) return files;
  if (files.names.includes("saved_model.pb")) throw executable("a SavedModel");
  if (files.names.includes("model.json")) throw badFile("name the file model.json, not its directory");
  if (files.names.includes("artifact.json")) throw executable("an artifact");
  throw badFile(`the directory holds no ${kerasFiles.config}`);
}

interface Found {
  readonly format: TrainableFormat;
  readonly what: string;
  readonly files?: ModelFiles;
}

function formatOf(bytes: Uint8Array, limits: Limits): Found {
  if (bytes.length === 0) throw badFile("the file is empty");
  if (isArchive(bytes)) {
    const files = openArchive(bytes, limits);
    if (files.has(kerasFiles.config)) return { format: "keras", what: "a model of Keras 3", files };
    if (files.names.some((name) => name.endsWith("saved_model.pb"))) throw executable("a packed SavedModel");
    throw badFile(`the archive holds no ${kerasFiles.config}: it is no model of Keras`);
  }
  if (isHdf5(bytes)) return { format: "h5", what: "an HDF5 file of Keras 2 (.h5)" };
  if (isTflite(bytes)) throw executable("a model of LiteRT (.tflite)");
  const first = bytes.find((byte) => byte > 32);
  if (first === "{".charCodeAt(0)) return jsonFormat(parseJson("the file", bytes, limits));
  // The first field of both is a number that says which version of the format follows.
  if (bytes[0] === 0x08 && bytes.length > 2) throw executable("a protocol buffer, as ONNX and SavedModel are");
  throw badFile("the file is no model: neither .keras nor .h5 nor a model.json of TensorFlow.js");
}

function jsonFormat(json: Json): Found {
  if (json.format === "graph-model") throw executable("a graph model of TensorFlow.js");
  if ("modelTopology" in json) return { format: "tfjs", what: "a layers model of TensorFlow.js" };
  if (json.format === "millrace-artifact") throw executable("an artifact");
  if (isJson(json.config) && "class_name" in json) {
    throw badFile("the file is a configuration without weights: config.json of an unpacked .keras");
  }
  throw badFile("the file is JSON, and no model");
}

function isTflite(bytes: Uint8Array): boolean {
  return bytes.length > 8 && believing("the file", () => String.fromCharCode(...bytes.subarray(4, 8))) === "TFL3";
}

function executable(what: string): MillraceError {
  return new MillraceError(
    "E_ARGUMENT",
    `loadModel: this is ${what}, a graph that is run and not trained: tf.loadExecutable`,
  );
}
