// What an op takes and gives: the operand types, and the short names that public signatures are made of.
import type { DType, FloatOf, IntegerDType, Promote, TypedArray } from "./dtype.js";
import type { LiteralDType, LiteralShape, NestedValues } from "./literals.js";
import type { Broadcast } from "./rules/broadcast.js";
import type { AnyShape, Shape } from "./shape.js";
import type { Tensor } from "./tensor.js";

/** What an op takes as an operand: a tensor, a number, a nested array of them, or a typed array. */
export type Like = Tensor | NestedValues | TypedArray;

/** The shape of an operand. */
export type ShapeOf<X> = X extends { readonly shape: infer S extends Shape } ? S : LiteralShape<X>;

/**
 * The dtype of an operand. A bare number takes the dtype of the operand beside it (`Other`), float32 where that is bool:
 * `add(int32Tensor, 1)` is int32. A fraction beside an integer tensor is refused at run time, never truncated. A bare
 * bigint takes an integer dtype beside it.
 */
export type DTypeOf<X, Other extends DType = "float32"> = X extends { readonly dtype: infer D extends DType }
  ? D
  : X extends number
    ? Other extends "bool"
      ? "float32"
      : Other
    : X extends bigint
      ? Other extends IntegerDType
        ? Other
        : "int64"
      : LiteralDType<X>;

/** The dtype of an operation on two operands. */
export type PromoteOf<A, B> = Promote<DTypeOf<A, DTypeOf<B>>, DTypeOf<B, DTypeOf<A>>>;

/** The dtype of an operation on a list of operands, as in concat and stack. */
export type PromoteAll<Xs> = Xs extends readonly [infer Head, ...infer Rest]
  ? PromoteRest<Rest, DTypeOf<Head>>
  : Xs extends readonly (infer X)[]
    ? DTypeOf<X>
    : never;

type PromoteRest<Xs, D extends DType> = Xs extends readonly [infer Head, ...infer Rest]
  ? PromoteRest<Rest, Promote<D, DTypeOf<Head>>>
  : D;

/** The dtype of a sum or product: bool counts in int32. */
export type SumOf<D extends DType> = D extends "bool" ? "int32" : D;

/** The dtype of an index operand: plain numbers are int32. */
export type IndexDTypeOf<X> = X extends { readonly dtype: infer D extends DType } ? D : "int32";

/** A result whose shape a rule gives. Where the rule cannot know the rank, the result is a tensor of any shape. */
export type Out<Rule, D extends DType> = Rule extends Shape
  ? number extends Rule["length"]
    ? Tensor<AnyShape, D>
    : Tensor<Rule, D>
  : Tensor<AnyShape, D>;

/** A list of results whose shapes a rule gives: split, unstack. */
export type OutList<Rule, D extends DType> = Rule extends readonly Shape[]
  ? { -readonly [K in keyof Rule]: Out<Rule[K], D> }
  : Tensor<AnyShape, D>[];

/** Rule for two operands that broadcast; `Op` names the op in the message. */
export type Bin<Op extends string, A, B> = Broadcast<Op, ShapeOf<A>, ShapeOf<B>>;

/** The result of an op that keeps shape and dtype. */
export type Same<X> = Out<ShapeOf<X>, DTypeOf<X>>;

/** The result of an op that keeps the shape and computes in floats: int32 gives float32, float64 stays. */
export type SameFloat<X> = Out<ShapeOf<X>, FloatOf<DTypeOf<X>>>;

/** The result of an op that keeps the shape and has a dtype of its own: cast, isNaN. */
export type WithDType<X, D extends DType> = Out<ShapeOf<X>, D>;

/** An axis parameter that takes one axis, several, or all by omission. */
export type Axes = number | readonly number[] | undefined;

/** Options of `matMul`. */
export interface MatMulOptions<D extends DType = DType> {
  /**
   * The dtype of the result, where it is not the operands': int32 of int8, float32 of bfloat16, in which their products are
   * summed in any case.
   */
  readonly outputType?: D;
}
