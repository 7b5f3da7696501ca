// Axes: literal numbers, negative ones counted from the end. Also the rules that only need a valid axis.
import type { Sub } from "../arith.gen.js";
import type { Shape, ShapeError, ShowShape, UnknownRank } from "../shape.js";

/** `NegativeAxis[rank][k]` is the index that axis -k means; a table for common ranks, arithmetic beyond it. */
type NegativeAxis = [
  [],
  [-1, 0],
  [-1, 1, 0],
  [-1, 2, 1, 0],
  [-1, 3, 2, 1, 0],
  [-1, 4, 3, 2, 1, 0],
  [-1, 5, 4, 3, 2, 1, 0],
];

type IndexFromEnd<Rank extends number, K extends string> = `${Rank}` extends infer Row extends keyof NegativeAxis
  ? K extends keyof NegativeAxis[Row]
    ? NegativeAxis[Row][K]
    : never
  : K extends `${infer Distance extends number}`
    ? Sub<Rank, Distance>
    : never;

type NonNegative<Rank extends number, Axis extends number> = `${Axis}` extends `-${infer K}`
  ? IndexFromEnd<Rank, K>
  : Axis;

/** The index that `Axis` means in a shape of known rank; `never` where it is out of range. */
export type AxisIndex<S extends Shape, Axis extends number> =
  NonNegative<S["length"], Axis> extends infer Index
    ? Index extends number
      ? `${Index}` extends keyof S
        ? Index
        : never
      : never
    : never;

/** The refusal of an axis. */
export type AxisOutOfRange<
  Op extends string,
  S,
  Axis extends number,
> = ShapeError<`${Op}: axis ${Axis} is out of range for ${ShowShape<S>}`>;

/** Rule: the shape stays, the axis must exist: softmax, cumsum, reverse along one axis. */
export type OnAxis<Op extends string, S extends Shape, Axis extends number> =
  UnknownRank<S> extends true
    ? S
    : number extends Axis
      ? S
      : [AxisIndex<S, Axis>] extends [never]
        ? AxisOutOfRange<Op, S, Axis>
        : S;

/** Rule: the shape stays, every axis of a list must exist: reverse. */
export type OnAxes<Op extends string, S extends Shape, Axis extends number | Shape | undefined> =
  UnknownRank<S> extends true
    ? S
    : Axis extends number
      ? OnAxis<Op, S, Axis>
      : Axis extends readonly [infer First extends number, ...infer Rest extends Shape]
        ? OnAxis<Op, S, First> extends infer Checked
          ? Checked extends Shape
            ? OnAxes<Op, S, Rest>
            : Checked
          : never
        : S;

/** `S` with `Inserted` in place of the size at `Index`. */
export type ReplaceAt<
  S extends Shape,
  Index extends number,
  Inserted extends Shape,
  Before extends Shape = [],
> = S extends readonly [infer Head extends number, ...infer Rest extends Shape]
  ? Before["length"] extends Index
    ? [...Before, ...Inserted, ...Rest]
    : ReplaceAt<Rest, Index, Inserted, [...Before, Head]>
  : never;

/** `S` with `Size` put before the axis `Index`, which may be the end. */
export type InsertAt<
  S extends Shape,
  Index extends number,
  Size extends number,
  Before extends Shape = [],
> = Before["length"] extends Index
  ? [...Before, Size, ...S]
  : S extends readonly [infer Head extends number, ...infer Rest extends Shape]
    ? InsertAt<Rest, Index, Size, [...Before, Head]>
    : never;
