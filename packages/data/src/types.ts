// The types of elements: what slicing, batching and unbatching make of them.
import type {
  DType,
  DTypeOfArray,
  Leaf,
  LiteralDType,
  LiteralShape,
  NestedValues,
  Out,
  Tensor,
  TensorSpec,
  TypedArray,
  UnknownRank,
} from "@millrace/core";

/** Numbers, bigints or booleans, or arrays of them: what stands for one tensor. A tuple is a structure. */
type PlainArray = readonly NestedValues[];
type IsTuple<T extends readonly unknown[]> = number extends T["length"] ? false : true;

type Rest<S> = S extends readonly [unknown, ...infer R extends readonly number[]] ? R : readonly number[];
type SliceOfTensor<S extends readonly number[], D extends DType> = Out<UnknownRank<S> extends true ? S : Rest<S>, D>;

/**
 * The elements that `fromTensorSlices` makes of a structure: each tensor and array without its first axis.
 * @public
 */
export type SliceOf<T> =
  T extends Tensor<infer S, infer D>
    ? SliceOfTensor<S, D>
    : T extends TypedArray
      ? Tensor<[], DTypeOfArray<T>>
      : T extends PlainArray
        ? Out<Rest<LiteralShape<T>>, LiteralDType<T>>
        : { -readonly [K in keyof T]: SliceOf<T[K]> };

/**
 * The element that `fromTensors` makes of a structure: each array as a tensor.
 * @public
 */
export type TensorsOf<T> = T extends Tensor
  ? T
  : T extends TypedArray
    ? Tensor<[number], DTypeOfArray<T>>
    : T extends Leaf | PlainArray
      ? Out<LiteralShape<T>, LiteralDType<T>>
      : { -readonly [K in keyof T]: TensorsOf<T[K]> };

/**
 * The batch of elements `T`: each leaf a tensor with a new first axis. An array of numbers is a leaf, a tuple is not.
 * @public
 */
export type Batched<T> =
  T extends Tensor<infer S, infer D>
    ? Out<UnknownRank<S> extends true ? S : [number, ...S], D>
    : T extends TypedArray
      ? Tensor<[number, number], DTypeOfArray<T>>
      : T extends Leaf
        ? Tensor<[number], LiteralDType<T>>
        : T extends undefined | null
          ? undefined
          : T extends readonly unknown[]
            ? BatchedArray<T>
            : T extends object
              ? { -readonly [K in keyof T]: Batched<T[K]> }
              : unknown;

type BatchedArray<T extends readonly unknown[]> =
  IsTuple<T> extends true
    ? { -readonly [K in keyof T]: Batched<T[K]> }
    : T extends PlainArray
      ? Tensor<[number, ...LiteralShape<T>], LiteralDType<T>>
      : Batched<T[number]>[];

/**
 * The elements of a batch `T`: each leaf without its first axis.
 * @public
 */
export type Unbatched<T> =
  T extends Tensor<infer S, infer D>
    ? SliceOfTensor<S, D>
    : T extends TypedArray
      ? Tensor<[], DTypeOfArray<T>>
      : T extends PlainArray
        ? T[number]
        : { -readonly [K in keyof T]: Unbatched<T[K]> };

/**
 * The structure of an element with a spec for each leaf.
 * @public
 */
export type ElementSpec = TensorSpec | readonly ElementSpec[] | { readonly [key: string]: ElementSpec };

/**
 * A tuple that begins with tensors: what a function gives for `[xs, ys]`.
 * @public
 */
export type TensorTuple = readonly [Tensor | TypedArray | { readonly [key: string]: unknown }, ...unknown[]];
