// Matrix products: the last two axes are matrices, the ones before them broadcast.
import type { MayEqual, Shape, ShapeError, ShowShape, ShowSize, UnknownRank } from "../shape.js";
import type { Broadcast } from "./broadcast.js";

/** Rule: `[..., m, k] x [..., k, n]` is `[..., m, n]`; a transposed operand has its last two sizes swapped. */
export type MatMul<A extends Shape, B extends Shape, TransposeA = false, TransposeB = false> =
  UnknownRank<A> extends true ? Shape : UnknownRank<B> extends true ? Shape : Product<A, B, TransposeA, TransposeB>;

type Product<A extends Shape, B extends Shape, TA, TB> = A extends readonly [
  ...infer ABatch extends Shape,
  infer ARows extends number,
  infer ACols extends number,
]
  ? B extends readonly [...infer BBatch extends Shape, infer BRows extends number, infer BCols extends number]
    ? MayEqual<TA extends true ? ARows : ACols, TB extends true ? BCols : BRows> extends true
      ? Broadcast<"matMul (batch axes)", ABatch, BBatch> extends infer Batch
        ? Batch extends Shape
          ? [...Batch, TA extends true ? ACols : ARows, TB extends true ? BRows : BCols]
          : Batch
        : never
      : InnerSizesDiffer<A, B, TA extends true ? ARows : ACols, TB extends true ? BCols : BRows>
    : ShapeError<`matMul: second argument needs rank 2 or more, got ${ShowShape<B>}`>
  : ShapeError<`matMul: first argument needs rank 2 or more, got ${ShowShape<A>}`>;

type InnerSizesDiffer<A, B, X, Y> =
  ShapeError<`matMul: inner sizes ${ShowSize<X>} and ${ShowSize<Y>} differ: ${ShowShape<A>} x ${ShowShape<B>}`>;

/** Rule: dot contracts the last axis of a vector or matrix with the first axis of another. */
export type Dot<A extends Shape, B extends Shape> =
  UnknownRank<A> extends true
    ? Shape
    : UnknownRank<B> extends true
      ? Shape
      : A extends readonly [infer K] | readonly [number, infer K]
        ? B extends readonly [infer L, ...infer Columns extends readonly [] | readonly [number]]
          ? MayEqual<K, L> extends true
            ? A extends readonly [infer Rows extends number, number]
              ? [Rows, ...Columns]
              : [...Columns]
            : ShapeError<`dot: inner sizes ${ShowSize<K>} and ${ShowSize<L>} differ: ${ShowShape<A>} x ${ShowShape<B>}`>
          : ShapeError<`dot: needs rank 1 or 2, got ${ShowShape<B>}`>
        : ShapeError<`dot: needs rank 1 or 2, got ${ShowShape<A>}`>;

/** Rule: two vectors give a matrix. */
export type OuterProduct<A extends Shape, B extends Shape> =
  UnknownRank<A> extends true
    ? [number, number]
    : UnknownRank<B> extends true
      ? [number, number]
      : A extends readonly [infer M extends number]
        ? B extends readonly [infer N extends number]
          ? [M, N]
          : ShapeError<`outerProduct: needs two vectors, got ${ShowShape<A>} and ${ShowShape<B>}`>
        : ShapeError<`outerProduct: needs two vectors, got ${ShowShape<A>} and ${ShowShape<B>}`>;
