// Which format a file has, told by what is in it, never by its name.
import { platform } from "../types/platform.js";
import { artifactFile } from "./artifact.js";

/** The formats that models are saved in. */
export type ModelFormat =
  | "millrace"
  | "keras"
  | "h5"
  | "tfjs-layers-model"
  | "tfjs-graph-model"
  | "saved-model"
  | "tflite"
  | "onnx";

/** What messages call a file of each. */
export const formatNames: Readonly<Record<ModelFormat, string>> = {
  millrace: "an artifact",
  keras: "a .keras file",
  h5: "an HDF5 file",
  "tfjs-layers-model": "a TensorFlow.js layers model",
  "tfjs-graph-model": "a TensorFlow.js graph model",
  "saved-model": "a TensorFlow SavedModel",
  tflite: "a .tflite file",
  onnx: "an ONNX file",
};

/**
 * The formats of models that are trained further: Keras 3's, Keras 2's and TensorFlow.js's. The others hold graphs.
 * @public
 */
export type TrainableFormat = Extract<ModelFormat, "keras" | "h5" | "tfjs-layers-model">;
const trainable: readonly ModelFormat[] = ["keras", "h5", "tfjs-layers-model"] satisfies readonly TrainableFormat[];

/** Whether models of a format can be trained further. */
export function isTrainable(format: ModelFormat): format is TrainableFormat {
  return trainable.includes(format);
}

/** Bytes from a file's start that `formatOfFile` wants to see; a shorter file is seen whole. */
export const formatHeadBytes: number = 1 << 16;

const signatures: readonly (readonly [ModelFormat, number, string])[] = [
  ["h5", 0, "\x89HDF\r\n\x1a\n"],
  ["keras", 0, "PK\x03\x04"],
  ["tflite", 4, "TFL3"],
  // Protocol buffers without a name of their own: the version of the schema, then the first field that follows it.
  ["saved-model", 0, "\x08\x01\x12"],
];

/** The format of a file by its first bytes; undefined for one that is known to nobody here. */
export function formatOfFile(head: Uint8Array): ModelFormat | undefined {
  const found = signatures.find(([, at, magic]) => [...magic].every((c, i) => head[at + i] === c.charCodeAt(0)));
  if (found) return found[0];
  // ONNX: ir_version from 3 on, then a producer's name, a graph or a set of operators.
  if (head[0] === 0x08 && head[1]! >= 3 && head[1]! < 64 && [0x12, 0x3a, 0x42].includes(head[2]!)) return "onnx";
  return formatOfText(new platform.TextDecoder().decode(head.subarray(0, formatHeadBytes)));
}

function formatOfText(text: string): ModelFormat | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  const stated = /"format"\s*:\s*"(millrace-artifact|layers-model|graph-model)"/.exec(text)?.[1];
  if (stated === "millrace-artifact") return "millrace";
  if (stated) return `tfjs-${stated === "layers-model" ? "layers-model" : "graph-model"}`;
  // Files of the first releases of TensorFlow.js do not say.
  if (!/"modelTopology"\s*:/.test(text)) return undefined;
  return /"(?:model_config|keras_version|class_name)"\s*:/.test(text) ? "tfjs-layers-model" : "tfjs-graph-model";
}

/** The file to look at in a directory with these names: the one that says what the others are. */
export function mainFileOf(names: readonly string[]): string | undefined {
  return [artifactFile, "saved_model.pb", "model.json"].find((name) => names.includes(name));
}
