// A model's configuration as Keras 3 writes it: { module, class_name, config, registered_name, build_config, compile_config }.
import { MillraceError } from "@millrace/autodiff";
import { InputLayer } from "../layers/core/input-layer.js";
import { get as getLoss, type LossIdentifier } from "../losses/index.js";
import { get as getMetric, type MetricIdentifier } from "../metrics/index.js";
import type { Optimizer } from "../optimizers/optimizer.js";
import { Functional } from "../topology/functional.js";
import { type GraphConfig, type GraphNode, isReference, type TensorReference } from "../topology/graph.js";
import type { Layer } from "../topology/layer.js";
import { Sequential } from "../topology/sequential.js";
import type { SymbolicTensor } from "../topology/symbolic.js";
import { Model } from "../training/model.js";
import { isSerialized, type Serialized } from "../util/identifiers.js";
import { snakeCase } from "../util/names.js";
import { classNameOf, serialize } from "../util/serialize.js";
import { type BatchShape, type BatchShapes, isShapeList } from "../util/shapes.js";
import type { Json } from "./checks.js";
import { type Family, kerasClass, modules } from "./classes.js";
import { Float, type Objects, optionKind, writeFunction } from "./options.js";

/** JSON in which floats are floats for Python too. */
export function jsonText(value: unknown): string {
  if (value instanceof Float)
    return Number.isInteger(value.value) ? value.value.toFixed(1) : JSON.stringify(value.value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}: ${jsonText(one)}`).join(", ")}}`;
}

const objects: Objects = {
  write: writeObject,
  read: unexpected,
  readFunction: unexpected,
};
function unexpected(): never {
  throw new MillraceError("E_INTERNAL", "a configuration is being written, not read");
}

/**
 * The configuration of a model.
 * @param learningRate the optimizer's learning rate now
 */
export function writeModel(model: Model, learningRate: number | null): Json {
  return writeLayer(model, { seen: new Map(), shared: 0 }, learningRate);
}

/** Layers that were written, so that one that stands in several models is known again. */
interface Written {
  readonly seen: Map<Layer, Record<string, unknown>>;
  shared: number;
}

function writeLayer(layer: Layer, written: Written, learningRate: number | null = null): Record<string, unknown> {
  const made = { ...describeLayer(layer, written, learningRate) };
  const first = written.seen.get(layer);
  if (first) {
    first.shared_object_id ??= ++written.shared;
    made.shared_object_id = first.shared_object_id;
  } else written.seen.set(layer, made);
  return made;
}

function describeLayer(layer: Layer, written: Written, learningRate: number | null): Json {
  const { className, name, trainable } = layer;
  if (isFunctional(layer)) {
    const config = { name, trainable, ...writeGraph(layer.graph(), written) };
    const compiled = writeCompiled(layer, learningRate);
    const built = { build_config: { input_shape: null }, compile_config: compiled };
    return kerasObject("keras.src.models.functional", className, config, className, built);
  }
  if (layer instanceof Sequential && className === "Sequential") return writeSequential(layer, written, learningRate);
  if (layer instanceof InputLayer && className === "InputLayer") return writeInput(layer);
  const more = layer instanceof Model ? { compile_config: writeCompiled(layer, learningRate) } : {};
  return writePlain(serialize(layer), layer.dtype, more);
}

/** A layer as it describes itself. */
function writePlain({ className, config, buildConfig }: Serialized, ownDType = "float32", more: Json = {}): Json {
  const known = kerasClass("layer", className);
  const { name, dtype, trainable, inputShape: _, ...own } = config;
  const base = { name, trainable, dtype: writeDType(String(dtype ?? ownDType)) };
  const builds = buildConfig && (known ? known.builds : true);
  const built = builds ? { build_config: { input_shape: jsonShape(buildConfig.inputShape) } } : {};
  if (known)
    return kerasObject(modules.layer, className, { ...base, ...writeOptions("layer", className, own) }, null, built);
  return kerasObject(null, className, { ...base, ...own }, className, { ...built, ...more });
}

/** A model that Keras knows the class of. */
function isFunctional(layer: Layer): layer is Functional {
  return layer instanceof Functional && layer.className === "Functional";
}

function kerasObject(
  module: string | null,
  className: string,
  config: Json,
  registeredName: string | null = null,
  more: Json = {},
): Json {
  return { module, class_name: className, config, registered_name: registeredName, ...more };
}

function writeSequential(model: Sequential, written: Written, learningRate: number | null): Json {
  const { name, trainable } = model;
  const shape = model.inputShapes?.[0];
  const stack = model.stackedLayers;
  const layers: Json[] = stack.map((layer) => writeLayer(layer, written));
  if (shape && !(stack[0] instanceof InputLayer))
    layers.unshift(writeInput(new InputLayer(inputOptions(model, shape))));
  const config = { name, trainable, dtype: writeDType(model.dtype), layers };
  const built = shape ? { build_config: { input_shape: jsonShape(shape) } } : {};
  return kerasObject("keras", "Sequential", shape ? { ...config, build_input_shape: jsonShape(shape) } : config, null, {
    ...built,
    compile_config: writeCompiled(model, learningRate),
  });
}

/** Keras says what a model takes by a layer of its own, whose name no other has. */
function inputOptions(model: Sequential, shape: BatchShape): { name: string; inputShape: BatchShape } {
  const taken = new Set(model.layers.map((layer) => layer.name));
  let name = "input_layer";
  for (let i = 1; taken.has(name); i++) name = `input_layer_${i}`;
  return { name, inputShape: shape.slice(1) };
}

function writeInput(layer: InputLayer): Json {
  const { name, batchInputShape, inputDType } = layer;
  const config = { batch_shape: jsonShape(batchInputShape!), dtype: inputDType, sparse: false, ragged: false, name };
  return kerasObject(modules.layer, "InputLayer", { ...config, optional: false });
}

function writeGraph({ layers, inputLayers, outputLayers }: GraphConfig<Layer, GraphNode>, written: Written): Json {
  const nested = new Set(layers.filter(({ layer }) => isFunctional(layer)).map(({ name }) => name));
  // Here, and nowhere else, Keras counts the drawing of a functional model as its first application.
  const end = ([name, node, tensor]: TensorReference): TensorReference => [
    name,
    node + (nested.has(name) ? 1 : 0),
    tensor,
  ];
  return {
    layers: layers.map(({ layer, name, inboundNodes }) => {
      const nodes = inboundNodes.map(({ inputs, isList, tensors }) => {
        const arguments_ = tensors.map((tensor, i) => writeTensor(tensor, inputs[i]!));
        return { args: isList ? [arguments_] : arguments_, kwargs: {} };
      });
      return Object.assign(writeLayer(layer, written), { name, inbound_nodes: nodes });
    }),
    input_layers: inputLayers.length === 1 ? inputLayers[0] : inputLayers,
    output_layers: isReference(outputLayers) ? end(outputLayers) : outputLayers.map(end),
  };
}

function writeTensor({ shape, dtype }: SymbolicTensor, reference: TensorReference): Json {
  return { class_name: "__keras_tensor__", config: { shape: jsonShape(shape), dtype, keras_history: reference } };
}

const jsonShape = (shapes: BatchShapes): unknown => (isShapeList(shapes) ? shapes.map((one) => [...one]) : [...shapes]);

/** A policy of one dtype for weights and results. */
function writeDType(name: string): Json {
  return kerasObject("keras", "DTypePolicy", { name });
}

/** Own options in Keras's names and values, and those that Keras has besides. */
function writeOptions(family: Family, className: string, own: Json): Json {
  const { fixed, ignored, renamed = {}, listed = [], sameAs = {} } = kerasClass(family, className)!;
  const written = Object.entries(own).map(([name, given]) => {
    const value = given === null && sameAs[name] !== undefined ? own[sameAs[name]] : given;
    const kind = optionKind(name);
    if (!kind) throw new MillraceError("E_INTERNAL", `${className}: the option ${name} has no form in files`);
    const made = kind.write(value, objects);
    return [renamed[name] ?? snakeCase(name), listed.includes(name) && !Array.isArray(made) ? [made] : made] as const;
  });
  return { ...fixed, ...ignored, ...Object.fromEntries(written) };
}

/** An initializer, regularizer, loss, metric or optimizer. One of a class of the caller's is written as it describes itself. */
function writeObject(family: Family, described: Serialized): Json {
  if (family === "layer") return writePlain(described);
  const { className, config } = described;
  if (kerasClass(family, className)) {
    return kerasObject(modules[family], className, writeOptions(family, className, config));
  }
  return kerasObject(null, className, config, className);
}

function writeCompiled(model: Model, learningRate: number | null): Json {
  const options = model.compileOptions;
  if (!options) return {};
  const { optimizer, loss = null, lossWeights = null, metrics = [] } = options;
  const names = model.outputNames;
  return {
    optimizer: writeOptimizer(optimizer, learningRate),
    loss: each(byPlace(loss, names), writeLoss),
    loss_weights: byPlace(lossWeights, names),
    metrics: each(listsOf(byPlace(metrics, names)), writeMetric),
    weighted_metrics: null,
    run_eagerly: false,
    steps_per_execution: 1,
    jit_compile: false,
  };
}

function writeOptimizer(optimizer: Optimizer, learningRate: number | null): Json {
  const written = writeObject("optimizer", serialize(optimizer));
  if (learningRate === null) return written;
  return { ...written, config: { ...(written.config as Json), learning_rate: new Float(learningRate) } };
}

/** A record by the names of outputs as a list in their order: Keras has other names for some. */
function byPlace(given: unknown, names: readonly string[]): unknown {
  if (!isRecord(given)) return given;
  const list = names.map((name) => given[name] ?? null);
  return list.length === 1 ? list[0] : list;
}

/** Where outputs have lists of metrics, all have. */
function listsOf(metrics: unknown): unknown {
  if (!Array.isArray(metrics)) return metrics === null ? [] : [metrics];
  if (!metrics.some((one) => Array.isArray(one) || one === null)) return metrics;
  return metrics.map((one: unknown) => (one === null ? [] : Array.isArray(one) ? one : [one]));
}

function isRecord(value: unknown): value is Json {
  if (typeof value !== "object" || value === null || Array.isArray(value) || isSerialized(value)) return false;
  return Object.getPrototypeOf(value) === Object.prototype;
}

function each(given: unknown, write: (one: unknown) => unknown): unknown {
  if (Array.isArray(given)) return given.map((one) => each(one, write));
  return given === null ? null : write(given);
}

/** Names that Keras has for losses and metrics beside those of their classes. */
const shortNames = new Set(["mse", "mae", "mape", "bce", "acc", "accuracy"]);

// boundary: compile has refused what is none
function writeLoss(given: unknown): unknown {
  if (typeof given === "function") return writeFunction("a loss", given);
  if (typeof given === "string" && shortNames.has(given)) return given;
  const loss = getLoss(given as LossIdentifier);
  return typeof given === "string" ? snakeCase(classNameOf(loss)) : writeObject("loss", serialize(loss));
}

// boundary: as for losses
function writeMetric(given: unknown): unknown {
  if (typeof given === "function") return writeFunction("a metric", given);
  if (typeof given === "string" && shortNames.has(given)) return given;
  const metric = getMetric(given as MetricIdentifier);
  return typeof given === "string" ? snakeCase(classNameOf(metric)) : writeObject("metric", serialize(metric));
}
