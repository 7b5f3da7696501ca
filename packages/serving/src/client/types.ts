// What a client knows of a served model at compile time: the types that `millrace types` writes, and how calls are checked.
import type { DType, MayEqual, NamedShape, Out, ShapeError, ShowShape, ShowSize, Tensor } from "@millrace/core";

/**
 * A tensor of a signature: its dtype and sizes. A string names a size that may be anything, equal wherever it stands.
 * @public
 */
export type TensorType = readonly [dtype: DType, shape: readonly (number | string)[]];

/**
 * The tensors of one signature, by name.
 * @public
 */
export interface SignatureTypes {
  readonly inputs: Readonly<Record<string, TensorType>>;
  readonly outputs: Readonly<Record<string, TensorType>>;
}

/**
 * The signatures of a model, by name: what `millrace types` writes.
 * @public
 */
export type ModelTypes<M> = { readonly [K in keyof M]: SignatureTypes };

/**
 * The inputs of a call; where they do not fit, the sentence that says why.
 * @public
 */
export type CheckedInputs<Inputs, X> = string extends keyof Inputs
  ? X
  : [Refusals<Inputs, X>] extends [never]
    ? X
    : Refusals<Inputs, X>;

/** An input that is unknown is named first: one that is missing is then most likely its right name. */
type Refusals<Inputs, X> = [Exclude<keyof X & string, keyof Inputs>] extends [never]
  ?
      | {
          [K in keyof Inputs & string]: K extends keyof X ? Refusal<K, Inputs[K], X[K]> : `input ${K} is missing`;
        }[keyof Inputs & string]
      | Conflict<AllSizes<Inputs, X>>
  : `the model has no input ${Exclude<keyof X & string, keyof Inputs>}, only ${keyof Inputs & string}`;

/** Why a tensor is not what a spec says; never where it may be. */
type Refusal<Name extends string, Spec, X> =
  X extends Tensor<infer S, infer D>
    ? Spec extends TensorType
      ? 0 extends 1 & D
        ? never
        : [D] extends [Spec[0]]
          ? Sizes<Name, Spec[1], S, Spec[1], S> extends ShapeError<infer Message>
            ? Message
            : never
          : `input ${Name}: needs ${Spec[0]}, got ${D}`
      : never
    : `input ${Name}: takes a tensor`;

/** No size is two numbers at once: what the inputs say of a name then has no meaning together. */
type Conflict<Found> = [Found] extends [never] ? "two inputs differ in a size that has one name" : never;

/** The size of each name in a tensor of this shape, as an object type; or a refusal. */
type Sizes<Name extends string, SpecRest, SRest, Spec, S, Found = unknown> = 0 extends 1 & S
  ? Found
  : S extends readonly unknown[]
    ? number extends S["length"]
      ? Found
      : SpecRest extends readonly [infer Wanted, ...infer SpecTail]
        ? SRest extends readonly [infer Size, ...infer STail]
          ? Wanted extends keyof Found
            ? MayEqual<Found[Wanted], Size> extends true
              ? Sizes<Name, SpecTail, STail, Spec, S, Found>
              : ShapeError<`input ${Name}: size ${Wanted & string} is both ${ShowSize<Found[Wanted]>} and ${ShowSize<Size>}`>
            : Wanted extends string
              ? Sizes<Name, SpecTail, STail, Spec, S, Found & { readonly [K in Wanted]: Size }>
              : MayEqual<Wanted, Size> extends true
                ? Sizes<Name, SpecTail, STail, Spec, S, Found>
                : Needs<Name, Spec, S>
          : Needs<Name, Spec, S>
        : SRest extends readonly []
          ? Found
          : Needs<Name, Spec, S>
    : Found;

type Needs<
  Name extends string,
  Spec,
  S,
> = ShapeError<`input ${Name}: needs shape ${ShowShape<NamedShape<Spec>>}, got ${ShowShape<S>}`>;

/** What the names of all inputs stand for in a call. */
type AllSizes<Inputs, X> = Intersection<
  { [K in keyof Inputs & keyof X]: X[K] extends Tensor<infer S> ? SizesOf<Inputs[K], S> : unknown }[keyof Inputs &
    keyof X]
>;
type SizesOf<Spec, S> = Spec extends TensorType ? Sizes<"", Spec[1], S, Spec[1], S> : unknown;
type Intersection<U> = (U extends unknown ? (x: U) => void : never) extends (x: infer I) => void ? I : never;

/**
 * The outputs of a call: sizes with names are those of the inputs.
 * @public
 */
export type OutputsOf<Signature extends SignatureTypes, X> = {
  -readonly [K in keyof Signature["outputs"]]: Output<Signature["outputs"][K], AllSizes<Signature["inputs"], X>>;
};

type Output<Spec, Found> = Spec extends TensorType ? Out<Substituted<Spec[1], Found>, Spec[0]> : never;

/** A spec's shape with the sizes that its names stand for. */
type Substituted<S extends readonly unknown[], Found> = {
  -readonly [I in keyof S]: S[I] extends number ? S[I] : Known<S[I], Found>;
};

type Known<Name, Found> = Name extends keyof Found ? (Found[Name] extends number ? Found[Name] : number) : number;
