// What each family of layers does to shapes and dtypes, as types.
import type {
  AnyShape,
  Conv2d,
  FloatDType,
  MayEqualShapes,
  NarrowDType,
  Pair,
  Pool2d,
  ProductOf,
  Reshape,
  Shape,
  ShapeError,
  ShowShape,
  UnknownRank,
} from "@millrace/autodiff";
import type { LayerRule } from "./types.js";

type Refuse<Message extends string> = ShapeError<Message>;
type NeedsOne<Layer extends string> = Refuse<`${Layer}: takes one tensor`>;
/** Float inputs leave in the layer's dtype, integers as they came. */
type Kept<In, D> = 0 extends 1 & In ? D : In extends FloatDType | NarrowDType ? D : In;

/**
 * Shape and dtype stay: dropout, activations, normalisations.
 * @public
 */
export interface SameRule<D = "float32"> extends LayerRule {
  readonly out: this["in"];
  readonly dtypeOut: Kept<this["dtypeIn"], D>;
}

/**
 * The shape stays, the result is in the layer's dtype.
 * @public
 */
export interface FloatRule<D = "float32"> extends LayerRule {
  readonly out: this["in"];
  readonly dtypeOut: D;
}

/**
 * The last axis becomes `Units`.
 * @public
 */
export interface DenseRule<Units extends number, D = "float32"> extends LayerRule {
  readonly out: DenseOut<this["in"], Units>;
  readonly dtypeOut: D;
}

type DenseOut<S, Units extends number> = S extends Shape
  ? UnknownRank<S> extends true
    ? AnyShape
    : S extends readonly [...infer Head extends Shape, number]
      ? Head extends readonly []
        ? Refuse<`dense: needs rank 2 or more, got ${ShowShape<S>}`>
        : [...Head, Units]
      : Refuse<`dense: needs rank 2 or more, got ${ShowShape<S>}`>
  : NeedsOne<"dense">;

/**
 * Every axis but the first becomes one.
 * @public
 */
export interface FlattenRule<D = "float32"> extends LayerRule {
  readonly out: FlattenOut<this["in"]>;
  readonly dtypeOut: Kept<this["dtypeIn"], D>;
}

type FlattenOut<S> = S extends Shape
  ? UnknownRank<S> extends true
    ? [number, number]
    : S extends readonly [infer Batch extends number, ...infer Rest extends Shape]
      ? [Batch, ProductOf<Rest>]
      : Refuse<`flatten: needs a batch axis, got ${ShowShape<S>}`>
  : NeedsOne<"flatten">;

/**
 * Every axis but the first takes the shape `Target`.
 * @public
 */
export interface ReshapeRule<Target extends Shape, D = "float32"> extends LayerRule {
  readonly out: ReshapeOut<this["in"], Target>;
  readonly dtypeOut: Kept<this["dtypeIn"], D>;
}

type ReshapeOut<S, Target extends Shape> = S extends Shape
  ? UnknownRank<S> extends true
    ? UnknownRank<Target> extends true
      ? AnyShape
      : [number, ...{ -readonly [K in keyof Target]: Target[K] extends -1 ? number : Target[K] }]
    : S extends readonly [infer Batch extends number, ...infer Rest extends Shape]
      ? Reshape<Rest, Target> extends infer To
        ? To extends Shape
          ? UnknownRank<To> extends true
            ? AnyShape
            : [Batch, ...To]
          : To
        : never
      : Refuse<`reshape: needs a batch axis, got ${ShowShape<S>}`>
  : NeedsOne<"reshape">;

/**
 * A convolution over images [n, h, w, c].
 * @public
 */
export interface Conv2DRule<Filters extends number, Kernel, Strides, Padding, Dilations, D = "float32">
  extends LayerRule {
  readonly out: Conv2DOut<this["in"], Filters, Kernel, Strides, Padding, Dilations>;
  readonly dtypeOut: D;
}

type Conv2DOut<S, Filters extends number, Kernel, Strides, Padding, Dilations> = S extends Shape
  ? UnknownRank<S> extends true
    ? [number, number, number, Filters]
    : S extends readonly [number, number, number, infer Channels extends number]
      ? Both<Kernel> extends readonly [infer H extends number, infer W extends number]
        ? Conv2d<S, [H, W, Channels, Filters], Strides, Padding, Dilations>
        : [S[0], number, number, Filters]
      : Refuse<`conv2d: input must be [n,h,w,c], got ${ShowShape<S>}`>
  : NeedsOne<"conv2d">;

type Both<Size> = Size extends number ? [Size, Size] : Size;

/**
 * Windows over images [n, h, w, c].
 * @public
 */
export interface Pool2DRule<Name extends string, Size, Strides, Padding, D = "float32"> extends LayerRule {
  readonly out: this["in"] extends infer S
    ? S extends Shape
      ? Pool2d<Name, S, Size, Strides extends Pair ? Strides : Size, Padding>
      : NeedsOne<Name>
    : never;
  readonly dtypeOut: Kept<this["dtypeIn"], D>;
}

/**
 * Images [n, h, w, c] become [n, c], or [n, 1, 1, c].
 * @public
 */
export interface GlobalPool2DRule<Name extends string, KeepDims, D = "float32"> extends LayerRule {
  readonly out: this["in"] extends infer S
    ? S extends Shape
      ? UnknownRank<S> extends true
        ? AnyShape
        : S extends readonly [infer N extends number, number, number, infer C extends number]
          ? KeepDims extends true
            ? [N, 1, 1, C]
            : [N, C]
          : Refuse<`${Name}: input must be [n,h,w,c], got ${ShowShape<S>}`>
      : NeedsOne<Name>
    : never;
  readonly dtypeOut: D;
}

/**
 * Every integer becomes a vector of `Units`.
 * @public
 */
export interface EmbeddingRule<Units extends number, D = "float32"> extends LayerRule {
  readonly out: this["in"] extends infer S
    ? S extends Shape
      ? UnknownRank<S> extends true
        ? AnyShape
        : [...S, Units]
      : NeedsOne<"embedding">
    : never;
  readonly dtypeOut: D;
}

/**
 * The batch axis, then the given sizes.
 * @public
 */
export interface InputRule<Sizes extends Shape, D> extends LayerRule {
  readonly out: this["in"] extends infer S
    ? S extends Shape
      ? UnknownRank<S> extends true
        ? AnyShape
        : S extends readonly [infer Batch extends number, ...infer Rest extends Shape]
          ? UnknownRank<Sizes> extends true
            ? S
            : MayEqualShapes<Sizes, Rest> extends true
              ? [Batch, ...Sizes]
              : Refuse<`input: needs shape [batch,...${ShowShape<Sizes>}], got ${ShowShape<S>}`>
          : Refuse<`input: needs a batch axis, got ${ShowShape<S>}`>
      : NeedsOne<"input">
    : never;
  readonly dtypeOut: D;
}

/**
 * A list of tensors of one shape becomes one tensor of it. Sizes that broadcast are left to run time.
 * @public
 */
export interface MergeRule<Name extends string, D = "float32"> extends LayerRule {
  readonly out: MergeOut<Name, this["in"]>;
  readonly dtypeOut: Kept<this["dtypeIn"], D>;
}

type MergeOut<Name extends string, Ins> = 0 extends 1 & Ins
  ? AnyShape
  : Ins extends readonly [infer First extends Shape, ...infer Rest]
    ? Rest extends readonly Shape[]
      ? AllSame<Rest, First> extends true
        ? First
        : AnyShape
      : AnyShape
    : Ins extends readonly Shape[]
      ? AnyShape
      : Refuse<`${Name}: takes a list of tensors`>;

type AllSame<Shapes, S> = Shapes extends readonly [infer First, ...infer Rest]
  ? [First] extends [S]
    ? AllSame<Rest, S>
    : false
  : true;

/**
 * A list of tensors is joined; the compiler follows it where the rank is known and the axis is the last.
 * @public
 */
export interface ConcatenateRule<D = "float32"> extends LayerRule {
  readonly out: ConcatenateOut<this["in"]>;
  readonly dtypeOut: Kept<this["dtypeIn"], D>;
}

type ConcatenateOut<Ins> = 0 extends 1 & Ins
  ? AnyShape
  : Ins extends readonly [infer First extends Shape, ...unknown[]]
    ? UnknownRank<First> extends true
      ? AnyShape
      : { -readonly [K in keyof First]: K extends "0" ? First[K] : number }
    : Ins extends readonly Shape[]
      ? AnyShape
      : Refuse<"concatenate: takes a list of tensors">;

/**
 * A sequence [n, time, features] becomes its last output [n, units], or all of them; with so many `States` a list of that and
 * the last states. In a list of inputs states come after the sequence.
 * @public
 */
export interface RecurrentRule<Name extends string, Units extends number, Sequences, D = "float32", States = 0>
  extends LayerRule {
  readonly out: this["in"] extends infer S
    ? S extends Shape
      ? RecurrentOut<Name, S, Units, Sequences, States>
      : S extends readonly [infer X extends Shape, ...unknown[]]
        ? RecurrentOut<Name, X, Units, Sequences, States>
        : NeedsOne<Name>
    : never;
  readonly dtypeOut: D;
}

type RecurrentOut<Name extends string, S extends Shape, Units extends number, Sequences, States> =
  UnknownRank<S> extends true
    ? AnyShape
    : S extends readonly [infer N extends number, infer T extends number, number]
      ? WithStates<Sequences extends true ? [N, T, Units] : [N, Units], [N, Units], States>
      : Refuse<`${Name}: input must be [n,time,features], got ${ShowShape<S>}`>;

type WithStates<Result, State, Count> = Count extends 1
  ? [Result, State]
  : Count extends 2
    ? [Result, State, State]
    : Result;
