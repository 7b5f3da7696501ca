// Where Keras 3 keeps the weights of each layer in model.weights.h5, and how they come to be there and back.
import { type DType, MillraceError, type Tensor, type TypedArray, tensor, type Variable } from "@millrace/autodiff";
import { Functional } from "../topology/functional.js";
import { Layer } from "../topology/layer.js";
import { Sequential } from "../topology/sequential.js";
import type { Model } from "../training/model.js";
import { snakeCase } from "../util/names.js";
import { badFile, show } from "./checks.js";
import { kerasClass } from "./classes.js";
import type { Numbers } from "./hdf5.js";
import type { Hdf5Reader } from "./hdf5-reader.js";
import type { Hdf5Group } from "./hdf5-writer.js";
import type { Snapshot } from "./snapshot.js";

/** A group of the file: the variables of one object. */
export interface VariableGroup {
  readonly path: string;
  readonly name: string;
  readonly variables: readonly Variable[];
}

/** The groups of a model's weights, in Keras's order, each layer where it is met first. */
export function weightGroups(model: Model): readonly VariableGroup[] {
  const groups: VariableGroup[] = [];
  const visited = new Set<Layer>();
  const join = (path: string, name: string): string => (path === "" ? name : `${path}/${name}`);
  const visit = (layer: Layer, path: string): void => {
    if (visited.has(layer)) return;
    visited.add(layer);
    groups.push({ path: join(path, "vars"), name: layer.name, variables: layer.ownVariables });
    for (const [property, layers] of innerLayers(layer)) {
      if (layers instanceof Layer) visit(layers, join(path, property));
      else eachNumbered(layers, (one, own) => visit(one, join(join(path, property), own)));
    }
  };
  visit(model, "");
  return groups;
}

/** The layers in a layer by where they are found: in models a list, in classes of one's own properties, by name. */
function innerLayers(layer: Layer): readonly (readonly [property: string, Layer | readonly Layer[]])[] {
  if (layer instanceof Functional || layer instanceof Sequential) return [["layers", layer.layers]];
  // A class of Keras's has its properties in Keras's case there.
  const named = kerasClass("layer", layer.className) ? snakeCase : (name: string): string => name;
  // Names that begin with "_" come last.
  const order = (name: string): string => (name.startsWith("_") ? `~${name}` : name);
  return Object.entries(layer)
    .sort(([a], [b]) => (order(a) < order(b) ? -1 : 1))
    .flatMap(([name, value]): (readonly [string, Layer | readonly Layer[]])[] => {
      const found: unknown = value;
      if (found instanceof Layer) return [[named(name), found]];
      const layers = Array.isArray(found) ? found.filter((one) => one instanceof Layer) : [];
      return layers.length > 0 ? [[named(name), layers]] : [];
    });
}

/** Layers in a list are named for their classes: "dense", "dense_1". */
function eachNumbered(layers: readonly Layer[], f: (layer: Layer, name: string) => void): void {
  const counts = new Map<string, number>();
  for (const layer of layers) {
    const name = snakeCase(layer.className);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    f(layer, count === 0 ? name : `${name}_${count}`);
  }
}

/** The optimizer's state, made where there is none yet; null where the model is not compiled. */
export function optimizerGroup(model: Model): VariableGroup | null {
  const { optimizer } = model;
  if (!optimizer) return null;
  optimizer.build(model.trainableWeights);
  return { path: "optimizer/vars", name: optimizer.name, variables: optimizer.variables };
}

/** The groups with the values of a snapshot. */
export async function readVariables(groups: readonly VariableGroup[], values: Snapshot): Promise<readonly Hdf5Group[]> {
  return Promise.all(
    groups.map(async ({ path, name, variables }) => {
      const own = await Promise.all(variables.map((variable) => values.get(variable)!));
      const datasets = variables.map(({ shape }, i) => ({ name: `${i}`, shape: shape as number[], data: own[i]! }));
      return { path, name, datasets };
    }),
  );
}

/** Values for variables, read and checked; nothing is written yet. */
export interface Assignment {
  readonly variable: Variable;
  readonly value: TypedArray;
}

/**
 * What a file has for a group. Throws E_FORMAT where numbers or shapes of variables differ; a group without variables
 * may be missing.
 */
export function findVariables(reader: Hdf5Reader, { path, name, variables }: VariableGroup): readonly Assignment[] {
  const keys = reader.keys(path) ?? [];
  if (keys.length !== variables.length) {
    throw badFile(`"${name}" has ${variables.length} weights, and the file ${keys.length} of them in ${path}`);
  }
  return variables.map((variable, i) => {
    const shape = reader.shape(`${path}/${i}`);
    const want: readonly number[] = variable.shape;
    if (!shape) throw badFile(`${path}/${i}, a weight of "${name}", is missing`);
    if (shape.length !== want.length || shape.some((size, axis) => size !== want[axis])) {
      throw badFile(`${path}/${i}, a weight of "${name}", has shape [${shape}], where the model has [${want}]`);
    }
    return { variable, value: convert(reader.numbers(`${path}/${i}`), variable, `${path}/${i}`) };
  });
}

/** Writes all values. They were checked. */
export function assignVariables(assignments: readonly Assignment[]): void {
  for (const { variable, value } of assignments) {
    const made: Tensor = tensor(value, variable.shape, variable.dtype);
    variable.assign(made);
    made.dispose();
  }
}

/** Numbers of a file in the dtype of a variable. */
function convert(numbers: Numbers, variable: Variable, path: string): TypedArray {
  const size = variable.shape.reduce((n: number, length: number) => n * length, 1);
  if (numbers.length !== size) throw badFile(`${path} holds ${numbers.length} numbers, not ${size}`);
  const dtype: DType = variable.dtype;
  const isFloat = numbers instanceof Float32Array || numbers instanceof Float64Array;
  if (dtype === "float32") {
    if (numbers instanceof Float32Array) return numbers;
    if (numbers instanceof Float64Array) return Float32Array.from(numbers);
  } else if (dtype === "float64") {
    if (isFloat) return Float64Array.from(numbers);
  } else if (dtype === "int32") {
    // A count of steps, of whatever width and, where it is one number, whatever array.
    return Int32Array.from(numbers as ArrayLike<number | bigint>, (n) => wholeIn32Bits(Number(n), path));
  } else {
    throw new MillraceError("E_INTERNAL", `${variable.name}: no file holds variables of ${dtype}`);
  }
  throw badFile(`${path} holds whole numbers, where the model has ${dtype}`);
}

function wholeIn32Bits(n: number, path: string): number {
  if (Number.isInteger(n) && Math.abs(n) < 2 ** 31) return n;
  throw badFile(`${path} is ${show(n)}, no count of steps`);
}
