// Broadcasting: shapes are compared from the last axis; a size 1 stretches; `number` takes the other side's size.
import type {
  IsSameShape,
  MayEqualShapes,
  Mutable,
  Shape,
  ShapeError,
  ShowShape,
  ShowSize,
  UnknownRank,
} from "../shape.js";

/** Rule: the shape of two operands that broadcast. `Op` names the op in the message. */
export type Broadcast<Op extends string, A extends Shape, B extends Shape> =
  UnknownRank<A> extends true
    ? Shape
    : UnknownRank<B> extends true
      ? Shape
      : IsSameShape<A, B> extends true
        ? A
        : FromLastAxis<Op, A, B, A, B, []>;

/** The size that two sizes give; `never` where they cannot meet. */
type CommonSize<X, Y> = X extends Y
  ? X extends 1
    ? Y // 1 meets `number`: the result is unknown
    : X
  : X extends 1
    ? Y
    : Y extends 1
      ? X
      : Y extends X
        ? Y
        : never;

type FromLastAxis<Op extends string, ARest, BRest, A, B, Done extends Shape> = ARest extends readonly [
  ...infer AInit,
  infer X,
]
  ? BRest extends readonly [...infer BInit, infer Y]
    ? CommonSize<X, Y> extends infer Size extends number
      ? [Size] extends [never]
        ? ShapeError<`${Op}: ${ShowShape<A>} and ${ShowShape<B>} do not broadcast (${ShowSize<X>} vs ${ShowSize<Y>})`>
        : FromLastAxis<Op, AInit, BInit, A, B, [Size, ...Done]>
      : never
    : [...Extract<ARest, Shape>, ...Done]
  : [...Extract<BRest, Shape>, ...Done];

/** Rule: `S` stretched to exactly `T`; `Op` names the op in the message. */
export type StretchTo<Op extends string, S extends Shape, T extends Shape> =
  UnknownRank<T> extends true
    ? Shape
    : UnknownRank<S> extends true
      ? Mutable<T>
      : Broadcast<Op, S, T> extends infer Common
        ? Common extends Shape
          ? MayEqualShapes<Common, T> extends true
            ? Mutable<T>
            : ShapeError<`${Op}: ${ShowShape<S>} does not broadcast to ${ShowShape<T>}`>
          : Common
        : never;

/** Rule of broadcastTo: `S` stretched to exactly `T`. */
export type BroadcastTo<S extends Shape, T extends Shape> = StretchTo<"broadcastTo", S, T>;

/** Rule: a condition and two values, all broadcast together. */
export type Where<C extends Shape, A extends Shape, B extends Shape> =
  Broadcast<"where", A, B> extends infer Values
    ? Values extends Shape
      ? Broadcast<"where", C, Values>
      : Values
    : never;

/** Rule: two shapes that must be the same, as in assign and ensureShape; gives the wanted one. */
export type SameShape<Op extends string, Wanted extends Shape, Given extends Shape> =
  UnknownRank<Wanted> extends true
    ? Shape
    : UnknownRank<Given> extends true
      ? Mutable<Wanted>
      : MayEqualShapes<Wanted, Given> extends true
        ? Mutable<Wanted>
        : ShapeError<`${Op}: needs shape ${ShowShape<Wanted>}, got ${ShowShape<Given>}`>;
