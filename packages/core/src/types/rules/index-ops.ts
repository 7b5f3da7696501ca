// Rules that pick, cut, extend and repeat: gather, slice, pad, tile, oneHot.
import type { Mul, Sub } from "../arith.gen.js";
import type { IntegerDType } from "../dtype.js";
import type { IndexDTypeOf, Like, ShapeOf } from "../operands.js";
import type { IsLiteral, Shape, ShapeError, ShowShape, ShowSize, UnknownRank, UnknownSizes } from "../shape.js";
import type { AxisIndex, AxisOutOfRange, ReplaceAt } from "./axis.js";
import type { SumOfSizes } from "./join.js";

/** Rule: the axis is replaced by the shape of the indices, which must be integers. */
export type Gather<S extends Shape, Indices extends Like, Axis extends number> =
  IndexDTypeOf<Indices> extends IntegerDType
    ? UnknownRank<S> extends true
      ? Shape
      : UnknownRank<ShapeOf<Indices>> extends true
        ? Shape
        : number extends Axis
          ? Shape
          : AxisIndex<S, Axis> extends infer Index extends number
            ? [Index] extends [never]
              ? AxisOutOfRange<"gather", S, Axis>
              : ReplaceAt<S, Index, ShapeOf<Indices>>
            : never
    : ShapeError<`gather: indices must be int32, got ${IndexDTypeOf<Indices>}`>;

/** Rule: from `Begin`, `Size` elements of each axis; -1 or a size left out is all that is left of the axis. */
export type Slice<S extends Shape, Begin extends number | Shape, Size extends number | Shape> =
  UnknownRank<S> extends true
    ? Shape
    : SizeList<Begin> extends infer Begins extends Shape
      ? UnknownRank<Begins> extends true
        ? UnknownSizes<S>
        : SliceAxes<S, S, Begins, SizeList<Size>>
      : never;

type SizeList<Sizes> = Sizes extends number ? [Sizes] : Sizes;

type SliceAxes<Whole, S extends Shape, Begins, Sizes, Done extends Shape = []> = Begins extends readonly [
  infer Begin extends number,
  ...infer BeginRest,
]
  ? S extends readonly [infer X extends number, ...infer SRest extends Shape]
    ? SliceSize<Whole, X, Begin, FirstOr<Sizes, -1>> extends infer Left
      ? Left extends number
        ? SliceAxes<Whole, SRest, BeginRest, RestOf<Sizes>, [...Done, Left]>
        : Left
      : never
    : ShapeError<`slice: more begins than axes of ${ShowShape<Whole>}`>
  : [...Done, ...S];

type FirstOr<Sizes, Default> = Sizes extends readonly [infer First extends number, ...infer _]
  ? First
  : Sizes extends readonly []
    ? Default
    : number;

type RestOf<Sizes> = Sizes extends readonly [unknown, ...infer Rest] ? Rest : Sizes;

type SliceSize<Whole, X extends number, Begin extends number, Size> =
  IsLiteral<Begin> extends true
    ? IsLiteral<X> extends true
      ? Sub<X, Begin> extends infer Left extends number
        ? [Left] extends [never]
          ? ShapeError<`slice: begin ${ShowSize<Begin>} is past size ${ShowSize<X>} of ${ShowShape<Whole>}`>
          : Size extends -1
            ? Left
            : IsLiteral<Size> extends true
              ? [Sub<Left, Size & number>] extends [never]
                ? ShapeError<`slice: begin ${ShowSize<Begin>} and size ${ShowSize<Size>} exceed size ${ShowSize<X>} of ${ShowShape<Whole>}`>
                : Size
              : Size
        : never
      : Size extends -1
        ? Begin extends 0
          ? X
          : number
        : Size
    : Size extends -1
      ? number
      : Size;

/** Rule: `[before, after]` elements added to each axis. */
export type Pad<S extends Shape, Paddings extends readonly Shape[]> =
  UnknownRank<S> extends true
    ? Shape
    : number extends Paddings["length"]
      ? UnknownSizes<S>
      : Paddings["length"] extends S["length"]
        ? PadAxes<S, Paddings>
        : ShapeError<`pad: ${ShowShape<S>} needs ${S["length"]} pairs, got ${Paddings["length"]}`>;

type PadAxes<S extends Shape, Paddings, Done extends Shape = []> = S extends readonly [
  infer X extends number,
  ...infer SRest extends Shape,
]
  ? Paddings extends readonly [infer Pair, ...infer PairRest]
    ? Pair extends readonly [infer Before extends number, infer After extends number]
      ? PadAxes<SRest, PairRest, [...Done, Grown<Grown<X, Before>, After>]>
      : PadAxes<SRest, PairRest, [...Done, number]>
    : never
  : Done;

/** A size with more elements; nothing added leaves a named size as it is. */
type Grown<X extends number, More extends number> = More extends 0 ? X : SumOfSizes<X, More>;

/** Rule: each axis repeated. */
export type Tile<S extends Shape, Reps extends Shape> =
  UnknownRank<S> extends true
    ? Shape
    : UnknownRank<Reps> extends true
      ? UnknownSizes<S>
      : Reps["length"] extends S["length"]
        ? TileAxes<S, Reps>
        : ShapeError<`tile: ${ShowShape<S>} needs ${S["length"]} repeats, got ${Reps["length"]}`>;

type TileAxes<S extends Shape, Reps, Done extends Shape = []> = S extends readonly [
  infer X extends number,
  ...infer SRest extends Shape,
]
  ? Reps extends readonly [infer Times extends number, ...infer RepsRest]
    ? TileAxes<SRest, RepsRest, [...Done, Repeated<X, Times>]>
    : never
  : Done;

type Repeated<X extends number, Times extends number> = Times extends 1
  ? X
  : IsLiteral<X> extends true
    ? IsLiteral<Times> extends true
      ? Mul<X, Times>
      : number
    : number;

/** Rule: a new last axis of size `Depth`; the indices must be integers. */
export type OneHot<Indices extends Like, Depth extends number> =
  IndexDTypeOf<Indices> extends IntegerDType
    ? UnknownRank<ShapeOf<Indices>> extends true
      ? Shape
      : [...ShapeOf<Indices>, Depth]
    : ShapeError<`oneHot: indices must be int32, got ${IndexDTypeOf<Indices>}`>;
