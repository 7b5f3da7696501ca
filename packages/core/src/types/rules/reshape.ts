// Rules that keep the elements and change the shape: reshape, expandDims, squeeze, flatten.
import type { DigitsOf, DivModTexts, MulDigits, NumberOf, TextOf } from "../arith.gen.js";
import type {
  IsLiteral,
  IsNamed,
  Shape,
  ShapeError,
  ShowShape,
  ShowSize,
  UnknownRank,
  UnknownSizes,
} from "../shape.js";
import type { AxisIndex, AxisOutOfRange, InsertAt, ReplaceAt } from "./axis.js";

/** Rule: the same elements in the shape `T`, where one size may be -1, to be computed. */
export type Reshape<S extends Shape, T extends Shape> =
  UnknownRank<T> extends true ? Shape : UnknownRank<S> extends true ? Filled<T, number> : SkipEqualSizes<S, T, S, T>;

/** Equal leading sizes cancel, which keeps products small. */
type SkipEqualSizes<SRest extends Shape, TRest extends Shape, S, T> = TRest extends readonly [-1]
  ? Filled<T, ProductOf<SRest>>
  : SRest extends readonly [infer X, ...infer STail extends Shape]
    ? TRest extends readonly [infer Y, ...infer TTail extends Shape]
      ? IsSameSize<X, Y> extends true
        ? SkipEqualSizes<STail, TTail, S, T>
        : CompareCounts<S, T, Count<SRest>, Count<TRest>>
      : CompareCounts<S, T, Count<SRest>, Count<TRest>>
    : CompareCounts<S, T, Count<SRest>, Count<TRest>>;

/** All sizes as one: their literal product, or a name by itself, else `number`. What flatten makes of axes. */
export type ProductOf<S, Literal extends string = "1", Name = 1> = S extends readonly [infer Head, ...infer Rest]
  ? IsLiteral<Head> extends true
    ? ProductOf<Rest, MulDigits<Literal, DigitsOf<Head & number>>, Name>
    : Name extends 1
      ? ProductOf<Rest, Literal, Head>
      : number
  : S extends readonly []
    ? Name extends 1
      ? NumberOf<TextOf<Literal>>
      : Literal extends "1"
        ? Name
        : number
    : number;

type IsSameSize<X, Y> = number extends X ? false : X extends Y ? (Y extends X ? true : false) : false;

/** How many elements a shape has: a literal product (as digits), times named sizes, times unknown ones, times one -1. */
interface Elements<Literal extends string, Named extends Shape, HasUnknown extends boolean, Holes extends 0[]> {
  readonly literal: Literal;
  readonly named: Named;
  readonly hasUnknown: HasUnknown;
  readonly holes: Holes;
}

type Count<
  S,
  Literal extends string = "1",
  Named extends Shape = [],
  HasUnknown extends boolean = false,
  Holes extends 0[] = [],
> = S extends readonly [infer Head extends number, ...infer Rest]
  ? number extends Head
    ? Count<Rest, Literal, Named, true, Holes>
    : IsNamed<Head> extends true
      ? Count<Rest, Literal, [...Named, Head], HasUnknown, Holes>
      : `${Head}` extends `-${infer Magnitude}`
        ? Magnitude extends "1"
          ? Count<Rest, Literal, Named, HasUnknown, [...Holes, 0]>
          : { readonly negative: Head }
        : Count<Rest, MulDigits<Literal, DigitsOf<Head>>, Named, HasUnknown, Holes>
  : Elements<Literal, Named, HasUnknown, Holes>;

type CompareCounts<S, T, Source, Target> = Target extends { readonly negative: infer Size }
  ? ShapeError<`reshape: ${ShowShape<T>} has the negative size ${ShowSize<Size>}`>
  : Target extends Elements<infer TLiteral, infer TNamed, infer TUnknown, infer Holes>
    ? Holes extends [0, 0, ...0[]]
      ? ShapeError<`reshape: ${ShowShape<T>} has more than one -1`>
      : Source extends Elements<infer SLiteral, infer SNamed, infer SUnknown, []>
        ? true extends SUnknown | TUnknown
          ? Filled<T, number>
          : WithoutNames<SNamed, TNamed> extends infer Left
            ? [Left] extends [never]
              ? ShapeError<`reshape: ${ShowShape<T>} uses a named size that ${ShowShape<S>} lacks`>
              : Holes extends []
                ? NoHole<S, T, SLiteral, TLiteral, Left>
                : OneHole<S, T, SLiteral, TLiteral, Left>
            : never
        : never
    : never;

type NoHole<S, T, SLiteral extends string, TLiteral extends string, NamesLeft> = NamesLeft extends readonly []
  ? SLiteral extends TLiteral
    ? Filled<T, number>
    : ShapeError<`reshape: ${ShowShape<S>} has ${TextOf<SLiteral>} elements, ${ShowShape<T>} has ${TextOf<TLiteral>}`>
  : ShapeError<`reshape: ${ShowShape<S>} and ${ShowShape<T>} differ by a named size`>;

type OneHole<S, T, SLiteral extends string, TLiteral extends string, NamesLeft> = NamesLeft extends readonly []
  ? TLiteral extends "0"
    ? Filled<T, number>
    : DivModTexts<TextOf<SLiteral>, TextOf<TLiteral>> extends [infer Quotient, infer Remainder]
      ? Remainder extends "0"
        ? Filled<T, NumberOf<Quotient>>
        : ShapeError<`reshape: ${ShowShape<S>} (${TextOf<SLiteral>} elements) does not divide into ${ShowShape<T>}`>
      : never
  : NamesLeft extends readonly [infer Name]
    ? SLiteral extends TLiteral
      ? Filled<T, Name>
      : Filled<T, number>
    : Filled<T, number>;

/** Names of the source that the target does not use; `never` where the target uses one that the source lacks. */
type WithoutNames<Names extends Shape, Used extends Shape> = Used extends readonly [
  infer Name,
  ...infer Rest extends Shape,
]
  ? RemoveOne<Names, Name> extends infer Left
    ? [Left] extends [never]
      ? never
      : Left extends Shape
        ? WithoutNames<Left, Rest>
        : never
    : never
  : Names;

type RemoveOne<Names extends Shape, Name, Before extends Shape = []> = Names extends readonly [
  infer Head extends number,
  ...infer Rest extends Shape,
]
  ? [Head] extends [Name]
    ? [Name] extends [Head]
      ? [...Before, ...Rest]
      : RemoveOne<Rest, Name, [...Before, Head]>
    : RemoveOne<Rest, Name, [...Before, Head]>
  : never;

/** The target shape with its -1 replaced. */
type Filled<T, Size> = { -readonly [K in keyof T]: T[K] extends -1 ? Size : T[K] };

/** Rule: a new axis of size 1; the axis may be one past the end. */
export type ExpandDims<S extends Shape, Axis extends number> =
  UnknownRank<S> extends true
    ? Shape
    : number extends Axis
      ? [...UnknownSizes<S>, number]
      : AxisIndex<[...S, 1], Axis> extends infer Index extends number
        ? [Index] extends [never]
          ? AxisOutOfRange<"expandDims", S, Axis>
          : InsertAt<S, Index, 1>
        : never;

/** Rule: without the axes of size 1: the given ones, or all. */
export type Squeeze<S extends Shape, Axis extends number | readonly number[] | undefined> =
  UnknownRank<S> extends true
    ? Shape
    : [Axis] extends [undefined]
      ? WithoutOnes<S>
      : [Axis] extends [number]
        ? SqueezeOne<S, Axis>
        : Axis extends readonly [infer Only extends number]
          ? SqueezeOne<S, Only>
          : Shape;

type SqueezeOne<S extends Shape, Axis extends number> = number extends Axis
  ? Shape
  : AxisIndex<S, Axis> extends infer Index extends number
    ? [Index] extends [never]
      ? AxisOutOfRange<"squeeze", S, Axis>
      : 1 extends S[Index]
        ? ReplaceAt<S, Index, []>
        : ShapeError<`squeeze: axis ${Axis} of ${ShowShape<S>} has size ${ShowSize<S[Index]>}, not 1`>
    : never;

type WithoutOnes<S extends Shape, Done extends Shape = []> = S extends readonly [
  infer Head extends number,
  ...infer Rest extends Shape,
]
  ? number extends Head
    ? Shape
    : Head extends 1
      ? WithoutOnes<Rest, Done>
      : WithoutOnes<Rest, [...Done, Head]>
  : Done;
