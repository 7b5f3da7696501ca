// Layers as functions on shapes that the compiler evaluates: what a layer or model makes of its input's type.
import type {
  AnyShape,
  Arg,
  DType,
  MayEqualShapes,
  Out,
  Shape,
  ShapeError,
  ShowShape,
  Sym,
  Tensor,
  UnknownRank,
} from "@millrace/autodiff";
import type { SymbolicTensor } from "./topology/symbolic.js";

export type * from "./rules.js";

/**
 * What a layer does to a shape and a dtype. A rule extends this with `out` and `dtypeOut`, written in terms of
 * `this["in"]` and `this["dtypeIn"]`; a refusal is a ShapeError, whose sentence the compiler prints.
 * @public
 */
export interface LayerRule {
  readonly in: unknown;
  readonly dtypeIn: unknown;
  readonly out: unknown;
  readonly dtypeOut: unknown;
}

/**
 * A layer of which the compiler knows nothing.
 * @public
 */
export interface AnyRule extends LayerRule {
  readonly out: AnyShape;
  // boundary: the dtype of an unknown layer is as unknown as its shape
  readonly dtypeOut: any;
}

/**
 * The shape that a layer with rule `R` gives for the shape (or shapes) `S`.
 * @public
 */
export type OutShape<R extends LayerRule, S> = (R & { readonly in: S })["out"];

/**
 * The dtype that a layer with rule `R` gives for the dtype `D`.
 * @public
 */
export type OutDType<R extends LayerRule, D> = (R & { readonly dtypeIn: D })["dtypeOut"] extends infer T extends DType
  ? T
  : DType;

/**
 * What a layer can be applied to: a tensor, a symbolic one, or a list for layers that merge.
 * @public
 */
export type LayerInput = Tensor | SymbolicTensor | readonly (Tensor | SymbolicTensor)[];

/**
 * The shape of an input, or the shapes of a list of them.
 * @public
 */
export type SizesOf<X> =
  X extends SymbolicTensor<infer S>
    ? S
    : X extends { readonly shape: infer S extends Shape }
      ? S
      : X extends readonly unknown[]
        ? { readonly [K in keyof X]: SizesOf<X[K]> }
        : AnyShape;

/**
 * The dtype of an input; of a list, that of its members.
 * @public
 */
export type InputDType<X> = X extends { readonly dtype: infer D }
  ? D
  : X extends readonly (infer Item)[]
    ? InputDType<Item>
    : DType;

type IsSymbolic<X> = X extends SymbolicTensor ? true : X extends readonly (infer Item)[] ? IsSymbolic<Item> : false;

type IsList<X> = X extends readonly unknown[] ? ([X] extends [Shape] ? false : true) : false;

/**
 * The parameter of a layer: the input, or the sentence where the rule refuses it.
 * @public
 */
export type Checked<R extends LayerRule, X> = Arg<OutShape<R, SizesOf<X>>, X>;

/**
 * What a layer with rule `R` gives for the input `X`: symbolic for symbolic, one tensor or a list as the rule says.
 * @public
 */
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

/**
 * The name of the first axis of everything that `input` makes.
 * @public
 */
export type BatchSize = Sym<"batch">;

// --- models

/**
 * Anything that carries a rule: a layer or a model.
 * @public
 */
export interface Ruled<R extends LayerRule> {
  /** Holds the rule for the compiler; nothing at run time. */
  readonly rule?: R;
}

/**
 * The layers of a list, one after another.
 * @public
 */
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

/**
 * A functional model: the shapes of its outputs with the batch size of what comes in.
 * @public
 */
export interface FunctionalRule<Ins, Outs> extends LayerRule {
  readonly out: FunctionalOut<SizesOf<Ins>, SizesOf<Outs>, this["in"]>;
  readonly dtypeOut: InputDType<Outs>;
}

type FunctionalOut<InS, OutS, S> = 0 extends 1 & S
  ? OutS
  : IsList<S> extends true
    ? Rebatched<OutS, BatchOf<S extends readonly [infer First, ...unknown[]] ? First : AnyShape>>
    : FitsInput<Extract<InS, Shape>, Extract<S, Shape>> extends true
      ? Rebatched<OutS, BatchOf<S>>
      : ShapeError<`model: needs input ${ShowShape<InS>}, got ${ShowShape<S>}`>;

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
