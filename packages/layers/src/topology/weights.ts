// The weights of a layer: how they are made, and how they are read and written as lists.

import type { NestedValues } from "@millrace/autodiff";
import {
  type FloatDType,
  MillraceError,
  type Shape,
  type Tensor,
  type TypedArray,
  tensor,
  tidy,
  type Variable,
  variable,
} from "@millrace/autodiff";
import type { InitializerIdentifier } from "../initializers/initializer.js";
import { getInitializer } from "../initializers/registry.js";
import { getRegularizer, type Regularizer, type RegularizerIdentifier } from "../regularizers/regularizers.js";
import { uniqueName } from "../util/names.js";

/**
 * How a weight is made.
 * @public
 */
export interface WeightOptions {
  /** Unique within the layer: "kernel". */
  readonly name: string;
  readonly shape: Shape;
  readonly dtype?: FloatDType;
  readonly initializer?: InitializerIdentifier;
  /** Whether optimizers change it; true unless said. */
  readonly trainable?: boolean;
  readonly regularizer?: RegularizerIdentifier | null;
}

/** A weight and what belongs to it. */
export interface Weight {
  readonly name: string;
  readonly variable: Variable;
  readonly trainable: boolean;
  readonly regularizer: Regularizer | null;
}

/** What gives a weight its first value in place of its initializer. */
export type FirstValues = (shape: Shape, dtype: FloatDType) => Tensor;

let firstValues: FirstValues | null = null;

/** Runs the synchronous `f`; weights that are made in it start as `values` says: what is read later needs no chance. */
export function startingWith<T>(values: FirstValues, f: () => T): T {
  const outer = firstValues;
  firstValues = values;
  try {
    return f();
  } finally {
    firstValues = outer;
  }
}

/** Makes the variable of a weight. */
export function makeWeight(layer: string, dtype: FloatDType, options: WeightOptions): Weight {
  const trainable = options.trainable ?? true;
  const made: Variable = tidy(() => {
    const initializer = getInitializer(options.initializer ?? "glorotUniform");
    const initial = (firstValues ?? initializer.apply.bind(initializer))(options.shape, options.dtype ?? dtype);
    return variable(initial, { name: uniqueName(`${layer}/${options.name}`), trainable });
  });
  return { name: options.name, variable: made, trainable, regularizer: getRegularizer(options.regularizer ?? null) };
}

/**
 * What a weight can be set to.
 * @public
 */
export type WeightValue = Tensor | TypedArray | NestedValues;

/** Assigns values to variables. All are checked before the first is written. */
export function assignAll(who: string, variables: readonly Variable[], values: readonly WeightValue[]): void {
  if (values.length !== variables.length) {
    throw new MillraceError("E_ARGUMENT", `setWeights: ${who} has ${variables.length} weights, got ${values.length}`);
  }
  const made: Tensor[] = [];
  const tensors = values.map((value, i) => {
    if (isTensor(value)) return value;
    const v = variables[i]!;
    const isFlat = ArrayBuffer.isView(value) && v.rank !== 1;
    const x: Tensor = isFlat ? tensor(value, v.shape, v.dtype) : tensor(value as NestedValues, undefined, v.dtype);
    made.push(x);
    return x;
  });
  try {
    tensors.forEach((x, i) => {
      const v = variables[i]!;
      const fits =
        x.dtype === v.dtype && x.shape.length === v.rank && x.shape.every((n: number, k: number) => n === v.shape[k]);
      if (fits) return;
      const [want, have] = [`${v.dtype}[${v.shape}]`, `${x.dtype}[${x.shape}]`];
      throw new MillraceError("E_SHAPE", `setWeights: ${v.name} is ${want}, got ${have}`, { layer: who });
    });
    tensors.forEach((x, i) => {
      variables[i]!.assign(x);
    });
  } finally {
    for (const x of made) x.dispose();
  }
}

export function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "dtype" in value && "dispose" in value;
}
