// Shapes as types: sizes, shapes, and how a rule refuses a shape with a readable sentence.

declare const sizeName: unique symbol;
declare const refusal: unique symbol;

/** A size with a name, unknown until run time, where it is an ordinary number: `Sym<"batch">`. */
export type Sym<Name extends string> = number & { readonly [sizeName]: Name };

/** A list of sizes: `[2, 3]`, `[Sym<"batch">, 784]`, `[number, 3]`; `readonly number[]` where the rank is unknown. */
export type Shape = readonly number[];

/** The shape of a bare `Tensor`: unknown rank and sizes; it flows anywhere and is checked at run time. */
// boundary: only `any` is assignable to every known shape and from every known shape.
export type AnyShape = any;

/** A rule's result when the rule is broken; `Message` is the sentence that the user reads. */
export interface ShapeError<Message extends string> {
  readonly [refusal]: Message;
}

/**
 * The type of a parameter that a rule checks: `T`, or the sentence where the rule refuses, so that the compiler says
 * "Argument of type … is not assignable to parameter of type '"matMul: inner sizes 3 and 4 differ: …"'".
 */
export type Arg<Rule, T> = Rule extends ShapeError<infer Message> ? Message : T;

/** True where the rank is unknown: `readonly number[]` and `any`. */
export type UnknownRank<S extends Shape> = number extends S["length"] ? true : false;

/** True for a size known as a literal: neither `number` nor a named size. */
export type IsLiteral<Size> = number extends Size ? false : Size extends { readonly [sizeName]: string } ? false : true;

/** True for a named size. */
export type IsNamed<Size> = Size extends { readonly [sizeName]: string } ? true : false;

/** The name of a named size, else `never`. */
export type NameOf<Size> = Size extends { readonly [sizeName]: infer Name extends string } ? Name : never;

/** True where two sizes may be equal at run time: equal literals, the same name, or `number` on either side. */
export type MayEqual<X, Y> = X extends Y ? true : Y extends X ? true : false;

/** `MayEqual` for each size of two shapes; false where the ranks differ. */
export type MayEqualShapes<S, T> = IsSameShape<S, T> extends true ? true : MayEqualSizes<S, T>;

type MayEqualSizes<S, T> = S extends readonly [infer X, ...infer SRest]
  ? T extends readonly [infer Y, ...infer TRest]
    ? MayEqual<X, Y> extends true
      ? MayEqualSizes<SRest, TRest>
      : false
    : false
  : T extends readonly []
    ? true
    : false;

/** True for shapes that are the same as types, which spares a look at their sizes. */
export type IsSameShape<S, T> = [S] extends [T] ? ([T] extends [S] ? true : false) : false;

/** The same rank with every size unknown. */
export type UnknownSizes<S> = { -readonly [K in keyof S]: number };

/** A shape without the `readonly` that `const` type parameters bring. */
export type Mutable<S> = { -readonly [K in keyof S]: S[K] };

/** Strings become named sizes: `["batch", 784]` is `[Sym<"batch">, 784]`. */
export type NamedShape<S> = {
  -readonly [K in keyof S]: S[K] extends string ? Sym<S[K]> : S[K] extends number ? S[K] : never;
};

/** A size in a message: `3`, `batch`, or `?` where unknown. */
export type ShowSize<Size> = Size extends { readonly [sizeName]: infer Name extends string }
  ? Name
  : Size extends number
    ? number extends Size
      ? "?"
      : `${Size}`
    : "?";

/** A shape in a message: `[2,3]`, `[batch,784]`, or `[...]` where the rank is unknown. */
export type ShowShape<S> = S extends Shape ? (UnknownRank<S> extends true ? "[...]" : `[${ShowSizes<S>}]`) : "?";

type ShowSizes<S, Text extends string = ""> = S extends readonly [infer Head, ...infer Rest]
  ? ShowSizes<Rest, Text extends "" ? ShowSize<Head> : `${Text},${ShowSize<Head>}`>
  : Text;
