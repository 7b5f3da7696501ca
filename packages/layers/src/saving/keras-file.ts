// A .keras file whole: a model to bytes, and bytes to a model.
import { getLogger, isMillraceError, MillraceError, type Tensor, tidy, zeros } from "@millrace/autodiff";
import { Functional } from "../topology/functional.js";
import { Sequential } from "../topology/sequential.js";
import { startingWith } from "../topology/weights.js";
import type { Model } from "../training/model.js";
import { type Signal, throwIfAborted, yieldToEvents } from "../util/platform.js";
import { isShapeList } from "../util/shapes.js";
import { writeArchive } from "./archive.js";
import { badFile, believing, isJson, type Json, parseJson, toUtf8 } from "./checks.js";
import { kerasFiles, type ModelFiles } from "./formats.js";
import { type Hdf5Reader, openHdf5 } from "./hdf5-reader.js";
import { writeHdf5 } from "./hdf5-writer.js";
import { ConfigReader, type ReadOptions } from "./read-config.js";
import type { Snapshot } from "./snapshot.js";
import {
  type Assignment,
  assignVariables,
  findVariables,
  optimizerGroup,
  readVariables,
  weightGroups,
} from "./variables.js";
import { jsonText, writeModel } from "./write-config.js";

/** The release of Keras whose format is written. */
const kerasVersion = "3.15.1";

/** How many bytes of weights one byte of a file may stand for: float32 in a file may become float64. */
const greatestWidening = 2;

/** The bytes of a model's .keras file. */
export async function writeKeras(model: Model, values: Snapshot, signal: Signal | null): Promise<Uint8Array> {
  const { optimizer } = model;
  const learningRate = optimizer && Number((await values.get(optimizer.learningRate)!)[0]);
  const config = writeModel(model, learningRate);
  const weights = await writeWeights(model, values, signal);
  const date = new Date().toISOString().slice(0, 19).replace("T", "@");
  return writeArchive({
    [kerasFiles.metadata]: toUtf8(JSON.stringify({ keras_version: kerasVersion, date_saved: date })),
    [kerasFiles.config]: toUtf8(jsonText(config)),
    [kerasFiles.weights]: weights,
  });
}

/** The bytes of a model's .weights.h5 file. */
export async function writeWeights(model: Model, values: Snapshot, signal: Signal | null): Promise<Uint8Array> {
  const state = optimizerGroup(model);
  const groups = weightGroups(model);
  const read = await readVariables(state ? [...groups, state] : groups, values);
  throwIfAborted(signal);
  return writeHdf5(read);
}

/** What happens while a file is read. */
export interface Progress extends ReadOptions {
  /** Whether the model is compiled as it was when it was saved. */
  readonly compile: boolean;
  readonly signal: Signal | null;
  /** Is told which part of the weights is read, from 0 to 1. */
  readonly onProgress: ((fraction: number) => void) | null;
}

/** The model of a .keras file. Where it throws, what was made is given back. */
export async function readKeras(files: ModelFiles, options: Progress): Promise<Model> {
  const { limits, signal, onProgress } = options;
  const config = parseJson(kerasFiles.config, files.read(kerasFiles.config), limits);
  if (files.names.includes(kerasFiles.metadata))
    parseJson(kerasFiles.metadata, files.read(kerasFiles.metadata), limits);
  if (!files.names.includes(kerasFiles.weights) && files.names.includes("model.weights.npz")) {
    throw new MillraceError("E_UNIMPLEMENTED", "weights in model.weights.npz are not read yet; save them as HDF5");
  }
  const weights = files.read(kerasFiles.weights);
  const reader = openHdf5(weights);
  throwIfAborted(signal);
  onProgress?.(0);
  const described = new ConfigReader(options);
  const most = Math.min(limits.bytes, weights.length * greatestWidening);
  let model: Model | null = null;
  try {
    model = believing(kerasFiles.config, () => startingWith(zerosWithin(most), () => made(described, config)));
    await loadInto(model, reader, options);
    if (options.compile) restoreCompiled(model, described, config, reader);
  } catch (error) {
    described.dispose();
    model?.dispose();
    throw error;
  }
  onProgress?.(1);
  return model;
}

/** The model, with weights: one of a class of the caller's makes those of its layers when it is called. */
function made(reader: ConfigReader, config: Json): Model {
  const model = reader.readModel(config);
  if (model instanceof Functional || model instanceof Sequential || !model.builtShape) return model;
  if (model.allLayers().every((layer) => layer.built)) return model;
  tidy(() => {
    const shapes = isShapeList(model.builtShape!) ? model.builtShape : [model.builtShape!];
    const xs: Tensor[] = shapes.map((shape) => zeros(shape.map((size) => size ?? 1)));
    model.applyTensors(isShapeList(model.builtShape!) ? xs : xs[0]!, { training: false });
  });
  return model;
}

/** First values for weights that a file will give; a configuration that asks for more than the file can hold is refused. */
function zerosWithin(most: number): (shape: readonly number[], dtype: "float32" | "float64") => Tensor {
  let bytes = 0;
  return (shape, dtype) => {
    bytes += shape.reduce((n, size) => n * size, dtype === "float64" ? 8 : 4);
    if (bytes > most) throw badFile(`it asks for weights of over ${most} bytes, more than the file holds`);
    return zeros(shape, dtype);
  };
}

/** Reads a .weights.h5 file into a model, all weights or none, and the optimizer's state where the model is compiled. */
export async function readWeights(model: Model, bytes: Uint8Array, options: Listener): Promise<void> {
  const reader = openHdf5(bytes);
  await loadInto(model, reader, options);
  if (model.optimizer) restoreOptimizer(model, reader);
  options.onProgress?.(1);
}

type Listener = Pick<Progress, "signal" | "onProgress">;

/** After so many bytes events are let in: an abort is one. */
const bytesAtOnce = 2 ** 24;

/** Sets all weights of a model, once all were found. */
async function loadInto(model: Model, reader: Hdf5Reader, { signal, onProgress }: Listener): Promise<void> {
  const groups = weightGroups(model);
  const assignments: Assignment[] = [];
  let bytes = 0;
  for (const [i, group] of groups.entries()) {
    throwIfAborted(signal);
    for (const found of findVariables(reader, group)) {
      assignments.push(found);
      bytes += found.value.byteLength;
    }
    onProgress?.(i / groups.length);
    if (bytes < bytesAtOnce) continue;
    bytes = 0;
    await yieldToEvents();
  }
  throwIfAborted(signal);
  assignVariables(assignments);
}

function restoreCompiled(model: Model, config: ConfigReader, json: Json, reader: Hdf5Reader): void {
  const compiled = json.compile_config;
  if (!isJson(compiled) || Object.keys(compiled).length === 0) return;
  believing("the configuration of compile", () => model.compile(config.readCompiled(compiled, model)));
  restoreOptimizer(model, reader);
}

/** State that does not fit is left out, as Keras does: the layers that are trained may have changed since. */
function restoreOptimizer(model: Model, reader: Hdf5Reader): void {
  const group = optimizerGroup(model)!;
  const saved = reader.keys(group.path)?.length ?? 0;
  // Before its first step an optimizer of Keras has two: the count of steps and the learning rate.
  const isNew = saved === 2;
  try {
    assignVariables(findVariables(reader, isNew ? { ...group, variables: group.variables.slice(0, 2) } : group));
  } catch (error) {
    if (!isMillraceError(error, "E_FORMAT")) throw error;
    getLogger().warn(`W_OPTIMIZER_STATE: the optimizer of "${model.name}" starts anew: ${error.reason}`);
  }
}
