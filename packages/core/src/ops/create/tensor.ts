// Tensors from JavaScript values.
import { avalOf, dispatch } from "../../ir/apply.js";
import { formatShape, isStatic } from "../../ir/aval.js";
import { productDim } from "../../ir/dim.js";
import type { DType, DTypeOfArray, TypedArray } from "../../types/dtype.js";
import { MillraceError } from "../../types/errors.js";
import type { Leaf, Literal, LiteralDType, NestedValues } from "../../types/literals.js";
import type { Out } from "../../types/operands.js";
import type { NewShape } from "../../types/rules/create.js";
import type { Arg, Shape } from "../../types/shape.js";
import type { Scalar, Tensor } from "../../types/tensor.js";
import { apply1, isTensor } from "../public.js";
import { reshapeOp } from "../shape/reshape.js";
import { checkSizes } from "./fill.js";

function made(name: string, values: NestedValues | TypedArray, shape?: Shape, dtype?: DType): Tensor {
  if (isTensor(values)) {
    throw new MillraceError("E_ARGUMENT", `${name}: needs numbers, got a tensor; clone, cast or reshape it`, {
      op: name,
    });
  }
  if (shape === undefined) return dispatch.current.toTensor(values, dtype);
  const want = checkSizes(name, shape);
  const [have, count] = [countOf(values), productDim(want)];
  if (have !== count) {
    const message = `${name}: ${formatShape(want)} needs ${count} elements, got ${have}`;
    throw new MillraceError("E_SHAPE", message, { op: name, shapes: [shape] });
  }
  if (isStatic(want)) return dispatch.current.toTensor(values, dtype, want);
  return apply1(reshapeOp, dispatch.current.toTensor(values, dtype), { shape: want });
}

/** The elements of a value whose rows are alike; where they are not, reading it fails. */
function countOf(values: NestedValues | TypedArray): number {
  if (typeof values !== "object") return 1;
  return values.length * (typeof values[0] === "object" ? countOf(values[0]) : 1);
}

/**
 * A tensor of the given values: nested arrays say their shape, flat ones and typed arrays may be given one. Numbers are
 * float32, booleans bool, bigints int64, and a typed array has its own dtype, unless `dtype` says otherwise.
 * @example tf.tensor([[1, 2], [3, 4]]) // [[1, 2], [3, 4]]
 * @public
 */
export function tensor<const T extends NestedValues | TypedArray>(
  values: Arg<Literal<T>, T>,
): Out<Literal<T>, LiteralDType<T>>;
export function tensor<V extends TypedArray | readonly Leaf[], const S extends Shape>(
  values: V,
  shape: Arg<NewShape<"tensor", S>, S>,
): Out<NewShape<"tensor", S>, LiteralDType<V>>;
export function tensor<const T extends NestedValues | TypedArray, D extends DType>(
  values: Arg<Literal<T>, T>,
  shape: undefined,
  dtype: D,
): Out<Literal<T>, D>;
export function tensor<const S extends Shape, D extends DType>(
  values: TypedArray | readonly Leaf[],
  shape: Arg<NewShape<"tensor", S>, S>,
  dtype: D,
): Out<NewShape<"tensor", S>, D>;
export function tensor(values: NestedValues | TypedArray, shape?: Shape, dtype?: DType): Tensor {
  return made("tensor", values, shape, dtype);
}

/**
 * A tensor of rank 0.
 * @example tf.scalar(3) // 3
 * @public
 */
export function scalar<T extends Leaf>(value: T): Scalar<LiteralDType<T>>;
export function scalar<D extends DType>(value: Leaf, dtype: D): Scalar<D>;
export function scalar(value: Leaf, dtype?: DType): Tensor {
  return ofRank("scalar", 0, value, undefined, dtype);
}

function ofRank(name: string, rank: number, values: NestedValues | TypedArray, shape?: Shape, dtype?: DType): Tensor {
  const t = made(name, values, shape, dtype);
  const got = avalOf(t).shape;
  if (got.length === rank) return t;
  throw new MillraceError("E_SHAPE", `${name}: needs rank ${rank}, got ${formatShape(got)}`, { op: name });
}

/**
 * A tensor of rank 1.
 * @example tf.tensor1d([1, 2]) // [1, 2]
 * @public
 */
export function tensor1d<const T extends readonly Leaf[]>(values: T): Out<Literal<T>, LiteralDType<T>>;
export function tensor1d<A extends TypedArray>(values: A): Out<[number], DTypeOfArray<A>>;
export function tensor1d<D extends DType>(values: TypedArray | readonly Leaf[], dtype: D): Out<[number], D>;
export function tensor1d(values: NestedValues | TypedArray, dtype?: DType): Tensor {
  return ofRank("tensor1d", 1, values, undefined, dtype);
}

/**
 * A tensor of rank 2: nested arrays, or flat ones with a shape.
 * @example tf.tensor2d([1, 2], [2, 1]) // [[1], [2]]
 * @public
 */
export function tensor2d<const T extends readonly (readonly Leaf[])[]>(
  values: Arg<Literal<T>, T>,
): Out<Literal<T>, LiteralDType<T>>;
export function tensor2d<A extends TypedArray, const S extends readonly [number, number]>(
  values: A,
  shape: Arg<NewShape<"tensor2d", S>, S>,
): Out<NewShape<"tensor2d", S>, DTypeOfArray<A>>;
export function tensor2d<const S extends readonly [number, number]>(
  values: readonly number[],
  shape: Arg<NewShape<"tensor2d", S>, S>,
): Out<NewShape<"tensor2d", S>, "float32">;
export function tensor2d<const S extends readonly [number, number], D extends DType>(
  values: TypedArray | readonly (readonly Leaf[])[] | readonly Leaf[],
  shape: Arg<NewShape<"tensor2d", S>, S>,
  dtype: D,
): Out<NewShape<"tensor2d", S>, D>;
export function tensor2d(values: NestedValues | TypedArray, shape?: Shape, dtype?: DType): Tensor {
  return ofRank("tensor2d", 2, values, shape, dtype);
}

/**
 * A tensor of rank 3: nested arrays, or flat ones with a shape.
 * @example tf.tensor3d([1, 2], [2, 1, 1]) // [[[1]], [[2]]]
 * @public
 */
export function tensor3d<const T extends readonly (readonly (readonly Leaf[])[])[]>(
  values: Arg<Literal<T>, T>,
): Out<Literal<T>, LiteralDType<T>>;
export function tensor3d<A extends TypedArray, const S extends readonly [number, number, number]>(
  values: A,
  shape: Arg<NewShape<"tensor3d", S>, S>,
): Out<NewShape<"tensor3d", S>, DTypeOfArray<A>>;
export function tensor3d<const S extends readonly [number, number, number]>(
  values: readonly number[],
  shape: Arg<NewShape<"tensor3d", S>, S>,
): Out<NewShape<"tensor3d", S>, "float32">;
export function tensor3d<const S extends readonly [number, number, number], D extends DType>(
  values: TypedArray | readonly (readonly (readonly Leaf[])[])[] | readonly Leaf[],
  shape: Arg<NewShape<"tensor3d", S>, S>,
  dtype: D,
): Out<NewShape<"tensor3d", S>, D>;
export function tensor3d(values: NestedValues | TypedArray, shape?: Shape, dtype?: DType): Tensor {
  return ofRank("tensor3d", 3, values, shape, dtype);
}

/**
 * A tensor of rank 4: nested arrays, or flat ones with a shape.
 * @example tf.tensor4d([1, 2], [2, 1, 1, 1]) // [[[[1]]], [[[2]]]]
 * @public
 */
export function tensor4d<const T extends readonly (readonly (readonly (readonly Leaf[])[])[])[]>(
  values: Arg<Literal<T>, T>,
): Out<Literal<T>, LiteralDType<T>>;
export function tensor4d<A extends TypedArray, const S extends readonly [number, number, number, number]>(
  values: A,
  shape: Arg<NewShape<"tensor4d", S>, S>,
): Out<NewShape<"tensor4d", S>, DTypeOfArray<A>>;
export function tensor4d<const S extends readonly [number, number, number, number]>(
  values: readonly number[],
  shape: Arg<NewShape<"tensor4d", S>, S>,
): Out<NewShape<"tensor4d", S>, "float32">;
export function tensor4d<const S extends readonly [number, number, number, number], D extends DType>(
  values: TypedArray | readonly (readonly (readonly (readonly Leaf[])[])[])[] | readonly Leaf[],
  shape: Arg<NewShape<"tensor4d", S>, S>,
  dtype: D,
): Out<NewShape<"tensor4d", S>, D>;
export function tensor4d(values: NestedValues | TypedArray, shape?: Shape, dtype?: DType): Tensor {
  return ofRank("tensor4d", 4, values, shape, dtype);
}
