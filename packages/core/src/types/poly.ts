// Functions typed for any sizes: the body is checked with named sizes, a call with the sizes of its arguments.
import type { Out } from "./operands.js";
import type { AnyShape, MayEqual, NamedShape, NameOf, Shape, ShapeError, ShowShape, ShowSize } from "./shape.js";
import type { Tensor } from "./tensor.js";

/** The shapes of a function's parameters, where a string names a size: `[["B", "T", 64], [64, 64]]`. */
export type ShapeSpecs = readonly (readonly (number | string)[])[];

/** The parameters as the body sees them: `"B"` is `Sym<"B">`. */
export type PolyParameters<Specs extends ShapeSpecs> = {
  -readonly [I in keyof Specs]: Tensor<NamedShape<Specs[I]>, "float32">;
};

/** A function that takes tensors of any sizes that fit the specs. */
export type PolyFunction<Specs, Result extends Tensor> = <const Args extends readonly Tensor<AnyShape, "float32">[]>(
  ...args: PolyArguments<Specs, Args>
) => Out<Substituted<Result["shape"], Bound<Specs, Args>>, Result["dtype"]>;

/** The arguments, or the sentence where they do not fit. */
type PolyArguments<Specs, Args extends readonly unknown[]> =
  Bound<Specs, Args> extends ShapeError<infer Message> ? { [I in keyof Args]: Message } : Args;

/** The size that each name has in a call, as an object type; or a refusal. */
type Bound<Specs, Args, Sizes = unknown> = Specs extends readonly [infer Spec, ...infer SpecsRest]
  ? Args extends readonly [{ readonly shape: infer S extends Shape }, ...infer ArgsRest]
    ? BoundShape<Spec, S, Spec, S, Sizes> extends infer More
      ? More extends ShapeError<string>
        ? More
        : Bound<SpecsRest, ArgsRest, More>
      : never
    : Sizes
  : Sizes;

type BoundShape<SpecRest, SRest, Spec, S extends Shape, Sizes> = number extends S["length"]
  ? Sizes
  : SpecRest extends readonly [infer Wanted, ...infer SpecTail]
    ? SRest extends readonly [infer Size, ...infer STail]
      ? Wanted extends keyof Sizes
        ? MayEqual<Sizes[Wanted], Size> extends true
          ? BoundShape<SpecTail, STail, Spec, S, Sizes>
          : ShapeError<`poly: size ${Wanted & string} is both ${ShowSize<Sizes[Wanted]>} and ${ShowSize<Size>}`>
        : Wanted extends string
          ? BoundShape<SpecTail, STail, Spec, S, Sizes & { readonly [K in Wanted]: Size }>
          : MayEqual<Wanted, Size> extends true
            ? BoundShape<SpecTail, STail, Spec, S, Sizes>
            : NeedsShape<Spec, S>
      : NeedsShape<Spec, S>
    : SRest extends readonly []
      ? Sizes
      : NeedsShape<Spec, S>;

type NeedsShape<Spec, S> = ShapeError<`poly: needs shape ${ShowShape<NamedShape<Spec>>}, got ${ShowShape<S>}`>;

/** A shape with the bound names replaced by their sizes. */
type Substituted<S extends Shape, Sizes> = {
  -readonly [K in keyof S]: [NameOf<S[K]>] extends [never]
    ? S[K]
    : NameOf<S[K]> extends keyof Sizes
      ? Sizes[NameOf<S[K]>]
      : number;
};
