// Layers as functions on shapes that the compiler evaluates: what a layer or model makes of its input's type.
import type {
  AnyShape,
  Arg,
  Conv2d,
  DType,
  FloatDType,
  MayEqualShapes,
  Out,
  Pair,
  Pool2d,
  ProductOf,
  Reshape,
  Shape,
  ShapeError,
  ShowShape,
  Sym,
  Tensor,
  UnknownRank,
} from "@millrace/autodiff";
import type { SymbolicTensor } from "./topology/symbolic.js";

/**
 * What a layer does to a shape and a dtype. A rule extends this with `out` and `dtypeOut`, written in terms of
 * `this["in"]` and `this["dtypeIn"]`; a refusal is a ShapeError, whose sentence the compiler prints.
 */
export interface LayerRule {
  readonly in: unknown;
  readonly dtypeIn: unknown;
  readonly out: unknown;
  readonly dtypeOut: unknown;
}

/** A layer of which the compiler knows nothing. */
export interface AnyRule extends LayerRule {
  readonly out: AnyShape;
  // boundary: the dtype of an unknown layer is as unknown as its shape
  readonly dtypeOut: any;
}

/** The shape that a layer with rule `R` gives for the shape (or shapes) `S`. */
export type OutShape<R extends LayerRule, S> = (R & { readonly in: S })["out"];

/** The dtype that a layer with rule `R` gives for the dtype `D`. */
export type OutDType<R extends LayerRule, D> = (R & { readonly dtypeIn: D })["dtypeOut"] extends infer T extends DType
  ? T
  : DType;

/** What a layer can be applied to: a tensor, a symbolic one, or a list for layers that merge. */
export type LayerInput = Tensor | SymbolicTensor | readonly (Tensor | SymbolicTensor)[];

/** The shape of an input, or the shapes of a list of them. */
export type SizesOf<X> =
  X extends SymbolicTensor<infer S>
    ? S
    : X extends { readonly shape: infer S extends Shape }
      ? S
      : X extends readonly unknown[]
        ? { readonly [K in keyof X]: SizesOf<X[K]> }
        : AnyShape;

/** The dtype of an input; of a list, that of its members. */
export type InputDType<X> = X extends { readonly dtype: infer D }
  ? D
  : X extends readonly (infer Item)[]
    ? InputDType<Item>
    : DType;

type IsSymbolic<X> = X extends SymbolicTensor ? true : X extends readonly (infer Item)[] ? IsSymbolic<Item> : false;

type IsList<X> = X extends readonly unknown[] ? ([X] extends [Shape] ? false : true) : false;

/** The parameter of a layer: the input, or the sentence where the rule refuses it. */
export type Checked<R extends LayerRule, X> = Arg<OutShape<R, SizesOf<X>>, X>;

/** What a layer with rule `R` gives for the input `X`: symbolic for symbolic, one tensor or a list as the rule says. */
export type Applied<R extends LayerRule, X> = Results<
  OutShape<R, SizesOf<X>>,
  OutDType<R, InputDType<X>>,
  IsSymbolic<X>
>;

type Results<S, D extends DType, Symbolic> = 0 extends 1 & S
  ? Result<S, D, Symbolic>
  : IsList<S> extends true
    ? { -readonly [K in keyof S]: Result<S[K], D, Symbolic> }
    : Result<S, D, Symbolic>;

type Result<S, D extends DType, Symbolic> = Symbolic extends true
  ? SymbolicTensor<S extends Shape ? S : AnyShape, D>
  : Out<S, D>;

/** The name of the first axis of everything that `input` makes. */
export type BatchSize = Sym<"batch">;

// --- rules, by family

type One<S> = S extends Shape ? S : never;
type Refuse<Message extends string> = ShapeError<Message>;
type NeedsOne<Layer extends string> = Refuse<`${Layer}: takes one tensor`>;
/** Float inputs leave in the layer's dtype, integers as they came. */
type Kept<In, D> = 0 extends 1 & In ? D : In extends FloatDType ? D : In;

/** Shape and dtype stay: dropout, activations, normalisations. */
export interface SameRule<D = "float32"> extends LayerRule {
  readonly out: this["in"];
  readonly dtypeOut: Kept<this["dtypeIn"], D>;
}

/** The shape stays, the result is in the layer's dtype. */
export interface FloatRule<D = "float32"> extends LayerRule {
  readonly out: this["in"];
  readonly dtypeOut: D;
}

/** The last axis becomes `Units`. */
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

/** Every axis but the first becomes one. */
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

/** Every axis but the first takes the shape `Target`. */
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

/** A convolution over images [n, h, w, c]. */
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

/** Windows over images [n, h, w, c]. */
export interface Pool2DRule<Name extends string, Size, Strides, Padding, D = "float32"> extends LayerRule {
  readonly out: this["in"] extends infer S
    ? S extends Shape
      ? Pool2d<Name, S, Size, Strides extends Pair ? Strides : Size, Padding>
      : NeedsOne<Name>
    : never;
  readonly dtypeOut: Kept<this["dtypeIn"], D>;
}

/** Images [n, h, w, c] become [n, c], or [n, 1, 1, c]. */
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

/** Every integer becomes a vector of `Units`. */
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

/** The batch axis, then the given sizes. */
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

/** A list of tensors of one shape becomes one tensor of it. Sizes that broadcast are left to run time. */
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

/** A list of tensors is joined; the compiler follows it where the rank is known and the axis is the last. */
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

/** A sequence [n, time, features] becomes its last state [n, units], or all of them. */
export interface RecurrentRule<Name extends string, Units extends number, Sequences, D = "float32"> extends LayerRule {
  readonly out: this["in"] extends infer S
    ? S extends Shape
      ? UnknownRank<S> extends true
        ? AnyShape
        : S extends readonly [infer N extends number, infer T extends number, number]
          ? Sequences extends true
            ? [N, T, Units]
            : [N, Units]
          : Refuse<`${Name}: input must be [n,time,features], got ${ShowShape<S>}`>
      : NeedsOne<Name>
    : never;
  readonly dtypeOut: D;
}

// --- models

/** Anything that carries a rule: a layer or a model. */
export interface Ruled<R extends LayerRule> {
  /** Holds the rule for the compiler; nothing at run time. */
  readonly rule?: R;
}

/** The layers of a list, one after another. */
export interface ChainRule<Layers extends readonly unknown[]> extends LayerRule {
  readonly out: Layers extends readonly [unknown, ...unknown[]] ? ChainShape<Layers, this["in"]> : AnyShape;
  // boundary: the dtype that an unknown list of layers gives
  readonly dtypeOut: Layers extends readonly [unknown, ...unknown[]] ? ChainDType<Layers, this["dtypeIn"]> : any;
}

type ChainShape<Layers, S> = Layers extends readonly [Ruled<infer R>, ...infer Rest]
  ? S extends ShapeError<string>
    ? S
    : ChainShape<Rest, OutShape<R, S>>
  : S;

type ChainDType<Layers, D> = Layers extends readonly [Ruled<infer R>, ...infer Rest]
  ? ChainDType<Rest, OutDType<R, D>>
  : D;

/** A functional model: the shapes of its outputs with the batch size of what comes in. */
export interface FunctionalRule<Ins, Outs> extends LayerRule {
  readonly out: FunctionalOut<SizesOf<Ins>, SizesOf<Outs>, this["in"]>;
  readonly dtypeOut: InputDType<Outs>;
}

type FunctionalOut<InS, OutS, S> = 0 extends 1 & S
  ? OutS
  : IsList<S> extends true
    ? Rebatched<OutS, BatchOf<S extends readonly [infer First, ...unknown[]] ? First : AnyShape>>
    : FitsInput<One<InS>, One<S>> extends true
      ? Rebatched<OutS, BatchOf<S>>
      : Refuse<`model: needs input ${ShowShape<InS>}, got ${ShowShape<S>}`>;

type FitsInput<Want extends Shape, Have extends Shape> =
  UnknownRank<Want> extends true
    ? true
    : UnknownRank<Have> extends true
      ? true
      : Want extends readonly [number, ...infer WantRest]
        ? Have extends readonly [number, ...infer HaveRest]
          ? MayEqualShapes<WantRest, HaveRest>
          : false
        : false;

type BatchOf<S> = S extends readonly [infer Batch extends number, ...Shape] ? Batch : number;

type Rebatched<S, Batch> = 0 extends 1 & S
  ? AnyShape
  : S extends readonly number[]
    ? { -readonly [K in keyof S]: S[K] extends BatchSize ? Batch : S[K] }
    : { -readonly [K in keyof S]: Rebatched<S[K], Batch> };
