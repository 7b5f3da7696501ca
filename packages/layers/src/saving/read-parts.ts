// Parts of a configuration that stand by themselves: dtypes, inputs, and references to tensors of a graph.
import { type FloatDType, isDType, MillraceError } from "@millrace/autodiff";
import { InputLayer } from "../layers/core/input-layer.js";
import type { NodeConfig, TensorReference } from "../topology/graph.js";
import type { Layer } from "../topology/layer.js";
import type { BatchShape } from "../util/shapes.js";
import { badFile, isJson, type Json, show } from "./checks.js";
import { isKerasObject, readShapes } from "./options.js";

/** A dtype, or a policy of one. */
export function readDType(value: unknown): FloatDType {
  const name = isKerasObject(value) && isJson(value.config) ? value.config.name : value;
  if (name === "float32" || name === "float64") return name;
  throw new MillraceError("E_UNIMPLEMENTED", `layers of dtype ${show(name)} are not built`);
}

export function readInput(config: Json): Layer {
  const { name, batch_shape: shape, dtype = "float32" } = config;
  for (const option of ["sparse", "ragged", "optional"]) {
    if (config[option] === undefined || config[option] === false) continue;
    throw new MillraceError("E_UNIMPLEMENTED", `inputs that are ${option} are not built`);
  }
  const sizes = readShapes(shape) as BatchShape;
  if (sizes.length === 0 || Array.isArray(sizes[0])) throw badFile(`${show(shape)} is no shape of an input`);
  if (typeof dtype !== "string" || !isDType(dtype)) {
    throw new MillraceError("E_UNIMPLEMENTED", `inputs of dtype ${show(dtype)} are not built`);
  }
  if (name !== undefined && typeof name !== "string") throw badFile(`${show(name)} is no name`);
  return new InputLayer({ inputShape: sizes.slice(1), dtype, ...(name === undefined ? {} : { name }) });
}

/** One application of a layer: the tensors in its arguments. */
export function readNode(value: unknown): NodeConfig {
  if (!isJson(value) || !Array.isArray(value.args)) throw badFile(`${show(value)} is no application of a layer`);
  for (const [name, argument] of Object.entries(isJson(value.kwargs) ? value.kwargs : {})) {
    // Whether it is training is said anew in each call.
    if (argument === null || (name === "training" && argument === false)) continue;
    throw new MillraceError("E_UNIMPLEMENTED", `a layer that is applied with ${name}: ${show(argument)} is not built`);
  }
  const [first, ...more] = value.args as readonly unknown[];
  if (more.length > 0) {
    throw new MillraceError("E_UNIMPLEMENTED", "a layer that is applied to several arguments is not built");
  }
  if (Array.isArray(first)) return { inputs: first.map(readTensor), isList: true };
  return { inputs: [readTensor(first)], isList: false };
}

function readTensor(value: unknown): TensorReference {
  if (isKerasObject(value) && value.class_name === "__keras_tensor__" && isJson(value.config)) {
    return readReference(value.config.keras_history);
  }
  throw new MillraceError("E_UNIMPLEMENTED", `a layer that is applied to ${show(value)} is not built`);
}

function readReference(value: unknown): TensorReference {
  if (Array.isArray(value) && value.length === 3) {
    const [name, node, tensor] = value as readonly unknown[];
    if (typeof name === "string" && Number.isSafeInteger(node) && Number.isSafeInteger(tensor)) {
      return [name, node as number, tensor as number];
    }
  }
  throw badFile(`${show(value)} names no tensor of the graph`);
}

/** One reference, a list, or a record, whose values count in the order of its names. */
export function readReferences(value: unknown): TensorReference | readonly TensorReference[] {
  if (isJson(value))
    return Object.keys(value)
      .sort()
      .map((name) => readReference(value[name]));
  if (Array.isArray(value) && typeof value[0] === "string") return readReference(value);
  if (Array.isArray(value) && value.length > 0) return value.map(readReference);
  throw badFile(`${show(value)} names no tensors of the graph`);
}

/** A value for all outputs, a list, or a record by Keras's names of outputs, which are others where there is one output. */
export function forOutputs(value: unknown, names: readonly string[], read: (one: unknown) => unknown): unknown {
  const item = (one: unknown): unknown => {
    if (one === null) return null;
    return Array.isArray(one) ? one.map(item) : read(one);
  };
  if (!isJson(value) || isKerasObject(value)) return item(value);
  const entries = Object.entries(value);
  if (names.length === 1 && entries.length === 1) return item(entries[0]![1]);
  return Object.fromEntries(entries.map(([name, one]) => [name, item(one)]));
}
