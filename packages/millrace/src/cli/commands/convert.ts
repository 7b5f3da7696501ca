// `millrace convert`: a model as a .tflite file or a saved graph.
import { getFiles, MillraceError, type NamedFunction } from "@millrace/core";
import * as tf from "../../index.js";
import { formatAt } from "../formats.js";
import { bytesText, note, print, printJson, progressBar, table } from "../output.js";

interface ConvertOptions {
  readonly quantize?: string;
  readonly json?: boolean;
}

type Convertible = { toConcreteFunctions(): readonly NamedFunction[]; dispose(): void };

/** Reads a model and writes it in the format that the second path names. */
export async function convert(from: string, to: string, options: ConvertOptions): Promise<void> {
  const model = await load(from);
  try {
    if (/\.tflite$/i.test(to)) await toLite(model, to, options);
    else await toGraph(model, to, options);
  } finally {
    model.dispose();
  }
}

async function load(path: string): Promise<Convertible> {
  const onProgress = progressBar(`reading ${path}`);
  const format = await formatAt(path);
  return format === "keras"
    ? tf.loadModel(path, { compile: false, onProgress })
    : tf.loadExecutable(path, { format, onProgress });
}

async function toLite(model: Convertible, path: string, options: ConvertOptions): Promise<void> {
  const { bytes, report } = await tf.lite.convert(model, { quantize: quantizeOf(options.quantize) });
  await getFiles().write(path, bytes);
  if (options.json) return printJson({ path, ...report });
  const rows = report.layers.map(({ layer, outcome, operators, why }) => [layer, outcome, operators.join(" "), why]);
  print(table([["layer", "outcome", "operators", "why"], ...rows]));
  const { file, modelWeights } = report.bytes;
  note(`${path}: ${bytesText(file)}, of ${bytesText(modelWeights)} of weights`);
}

const quantizations: readonly tf.lite.LiteQuantize[] = ["dynamic", "float16", "int8", "int16x8"];

function quantizeOf(given: string | undefined): tf.lite.LiteQuantize | undefined {
  if (given === undefined) return undefined;
  const found = quantizations.find((mode) => mode === given);
  if (found) return found;
  throw new MillraceError("E_ARGUMENT", `convert: --quantize is one of ${quantizations.join(", ")}, got ${given}`);
}

async function toGraph(model: Convertible, path: string, options: ConvertOptions): Promise<void> {
  if (options.quantize !== undefined) {
    throw new MillraceError("E_ARGUMENT", `convert: --quantize is for .tflite files, and ${path} is none`);
  }
  if (/\.\w+$/.test(path)) {
    const what = "an output ends in .tflite, or is a directory for a saved graph";
    throw new MillraceError("E_ARGUMENT", `convert: ${what}; got ${path}`);
  }
  const functions = model.toConcreteFunctions();
  await tf.saveArtifact(path, functions);
  if (options.json) printJson({ path, signatures: functions.map(({ name }) => name) });
  else note(`${path}: ${functions.map(({ name }) => name).join(", ")}`);
}
