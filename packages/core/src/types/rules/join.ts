// Rules that put tensors together and take them apart along an axis: concat, stack, split, unstack.
import type { Add, DivModTexts, NumberOf } from "../arith.gen.js";
import type { Like, ShapeOf } from "../operands.js";
import type {
  IsLiteral,
  MayEqual,
  MayEqualShapes,
  Shape,
  ShapeError,
  ShowShape,
  ShowSize,
  UnknownRank,
  UnknownSizes,
} from "../shape.js";
import type { AxisIndex, AxisOutOfRange, InsertAt, ReplaceAt } from "./axis.js";

/** Rule: operands joined along an axis; all other sizes agree. */
export type Concat<Xs extends readonly Like[], Axis extends number> = Xs extends readonly [infer First, ...infer Rest]
  ? UnknownRank<ShapeOf<First>> extends true
    ? Shape
    : number extends Axis
      ? UnknownSizes<ShapeOf<First>>
      : AxisIndex<ShapeOf<First>, Axis> extends infer Index extends number
        ? [Index] extends [never]
          ? AxisOutOfRange<"concat", ShapeOf<First>, Axis>
          : ConcatRest<Rest, ShapeOf<First>, Index>
        : never
  : Xs extends readonly []
    ? ShapeError<"concat: needs at least one tensor">
    : UnknownRank<ShapeOf<Xs[number]>> extends true
      ? Shape
      : UnknownSizes<ShapeOf<Xs[number]>>;

type ConcatRest<Xs, S extends Shape, Index extends number> = Xs extends readonly [infer Head, ...infer Rest]
  ? ShapeOf<Head> extends infer T extends Shape
    ? UnknownRank<T> extends true
      ? UnknownSizes<S>
      : ConcatSizes<S, T, Index> extends infer Joined
        ? [Joined] extends [never]
          ? ShapeError<`concat: ${ShowShape<S>} and ${ShowShape<T>} differ outside axis ${Index}`>
          : Joined extends Shape
            ? ConcatRest<Rest, Joined, Index>
            : never
        : never
    : never
  : S;

/** The sum at the axis, the same sizes elsewhere; `never` where they differ. */
type ConcatSizes<
  S extends Shape,
  T extends Shape,
  Index extends number,
  Seen extends 0[] = [],
  Done extends Shape = [],
> = S extends readonly [infer X extends number, ...infer SRest extends Shape]
  ? T extends readonly [infer Y extends number, ...infer TRest extends Shape]
    ? Seen["length"] extends Index
      ? ConcatSizes<SRest, TRest, Index, [...Seen, 0], [...Done, SumOfSizes<X, Y>]>
      : MayEqual<X, Y> extends true
        ? ConcatSizes<SRest, TRest, Index, [...Seen, 0], [...Done, Y extends X ? Y : X]>
        : never
    : never
  : T extends readonly []
    ? Done
    : never;

/** Two sizes added; `number` where one is not a literal. */
export type SumOfSizes<X extends number, Y extends number> =
  IsLiteral<X> extends true ? (IsLiteral<Y> extends true ? Add<X, Y> : number) : number;

/** Rule: operands of one shape, stacked along a new axis. */
export type Stack<Xs extends readonly Like[], Axis extends number> = Xs extends readonly [infer First, ...infer Rest]
  ? UnknownRank<ShapeOf<First>> extends true
    ? Shape
    : AllOfShape<Rest, ShapeOf<First>> extends infer S
      ? S extends Shape
        ? StackAt<S, Axis, Xs["length"]>
        : S
      : never
  : Xs extends readonly []
    ? ShapeError<"stack: needs at least one tensor">
    : ShapeOf<Xs[number]> extends infer S extends Shape
      ? UnknownRank<S> extends true
        ? Shape
        : [...UnknownSizes<S>, number]
      : never;

type AllOfShape<Xs, S extends Shape> = Xs extends readonly [infer Head, ...infer Rest]
  ? ShapeOf<Head> extends infer T extends Shape
    ? UnknownRank<T> extends true
      ? AllOfShape<Rest, S>
      : MayEqualShapes<S, T> extends true
        ? AllOfShape<Rest, S>
        : ShapeError<`stack: ${ShowShape<S>} and ${ShowShape<T>} differ`>
    : never
  : S;

type StackAt<S extends Shape, Axis extends number, Count extends number> = number extends Axis
  ? [...UnknownSizes<S>, number]
  : AxisIndex<[...S, 1], Axis> extends infer Index extends number
    ? [Index] extends [never]
      ? AxisOutOfRange<"stack", S, Axis>
      : InsertAt<S, Index, Count>
    : never;

/**
 * Rule: a tensor cut along an axis into `Parts` equal pieces, or into pieces of the given sizes. Its result is a list
 * of shapes, which `OutList` turns into tensors.
 */
export type Split<S extends Shape, Parts extends number | Shape, Axis extends number> =
  UnknownRank<S> extends true
    ? Shape[]
    : number extends Axis
      ? UnknownSizes<S>[]
      : AxisIndex<S, Axis> extends infer Index extends number
        ? [Index] extends [never]
          ? AxisOutOfRange<"split", S, Axis>
          : Parts extends number
            ? SplitEvenly<S, Parts, Index, S[Index]>
            : SplitBySizes<S, Parts, Index, S[Index]>
        : never;

type SplitEvenly<S extends Shape, Parts extends number, Index extends number, Size> = number extends Parts
  ? ReplaceAt<S, Index, [number]>[]
  : IsLiteral<Size> extends true
    ? DivModTexts<`${Size & number}`, `${Parts}`> extends [infer Each, infer Remainder]
      ? Remainder extends "0"
        ? Repeated<ReplaceAt<S, Index, [NumberOf<Each>]>, Parts>
        : ShapeError<`split: size ${ShowSize<Size>} of ${ShowShape<S>} does not divide into ${Parts} parts`>
      : ShapeError<`split: ${Parts} parts are not possible`>
    : Repeated<ReplaceAt<S, Index, [number]>, Parts>;

/** A list of `Count` equal items, as a tuple up to 256. */
type Repeated<Item, Count extends number, Done extends Item[] = []> = Done["length"] extends Count
  ? Done
  : Done["length"] extends 256
    ? Item[]
    : Repeated<Item, Count, [...Done, Item]>;

type SplitBySizes<S extends Shape, Sizes, Index extends number, Size> = Sizes extends Shape
  ? UnknownRank<Sizes> extends true
    ? ReplaceAt<S, Index, [number]>[]
    : number extends Sizes[number]
      ? { -readonly [K in keyof Sizes]: ReplaceAt<S, Index, [Extract<Sizes[K], number>]> }
      : -1 extends Sizes[number]
        ? {
            -readonly [K in keyof Sizes]: ReplaceAt<
              S,
              Index,
              [Sizes[K] extends -1 ? number : Extract<Sizes[K], number>]
            >;
          }
        : MayEqual<TotalOf<Sizes>, Size> extends true
          ? { -readonly [K in keyof Sizes]: ReplaceAt<S, Index, [Extract<Sizes[K], number>]> }
          : ShapeError<`split: sizes ${ShowShape<Sizes>} do not add up to ${ShowSize<Size>}`>
  : never;

type TotalOf<Sizes extends Shape, Total extends number = 0> = Sizes extends readonly [
  infer Head extends number,
  ...infer Rest extends Shape,
]
  ? TotalOf<Rest, SumOfSizes<Total, Head>>
  : Total;

/** Rule: a tensor taken apart along an axis, which goes. Its result is a list of shapes. */
export type Unstack<S extends Shape, Axis extends number> =
  UnknownRank<S> extends true
    ? Shape[]
    : number extends Axis
      ? Shape[]
      : AxisIndex<S, Axis> extends infer Index extends number
        ? [Index] extends [never]
          ? AxisOutOfRange<"unstack", S, Axis>
          : IsLiteral<S[Index]> extends true
            ? Repeated<ReplaceAt<S, Index, []>, S[Index]>
            : ReplaceAt<S, Index, []>[]
        : never;
