// Reductions: the reduced axes go, or become 1 with keepDims.
import type { Shape, ShapeError, ShowShape, UnknownRank, UnknownSizes } from "../shape.js";
import type { AxisIndex, AxisOutOfRange, ReplaceAt } from "./axis.js";

/** Rule: sum, mean, max …: `Axis` is one axis, a list, or undefined for all; `Op` names the op in the message. */
export type Reduce<Op extends string, S extends Shape, Axis, KeepDims> = [Axis] extends [undefined]
  ? ReduceAll<S, KeepDims>
  : UnknownRank<S> extends true
    ? Shape
    : undefined extends Axis
      ? SomeAxes<S, KeepDims>
      : AxisList<Axis> extends infer List extends Shape
        ? UnknownRank<List> extends true
          ? SomeAxes<S, KeepDims>
          : number extends List[number]
            ? SomeAxes<S, KeepDims>
            : AxisIndices<Op, S, List> extends infer Indices
              ? [Indices] extends [ShapeError<string>]
                ? Indices
                : boolean extends KeepDims
                  ? Shape
                  : DropAxes<S, Indices, KeepDims>
              : never
        : never;

type AxisList<Axis> = Axis extends number ? [Axis] : Axis;

type ReduceAll<S extends Shape, KeepDims> = boolean extends KeepDims
  ? Shape
  : KeepDims extends true
    ? { -readonly [K in keyof S]: 1 }
    : [];

/** Which axes go is known at run time only; keepDims keeps the rank. */
type SomeAxes<S extends Shape, KeepDims> = KeepDims extends true ? UnknownSizes<S> : Shape;

/** The union of the indices that a list of axes means (beside -1, which is none), or the refusal of one of them. */
type AxisIndices<Op extends string, S extends Shape, List, Found = -1> = List extends readonly [
  infer Axis extends number,
  ...infer Rest,
]
  ? AxisIndex<S, Axis> extends infer Index
    ? [Index] extends [never]
      ? AxisOutOfRange<Op, S, Axis>
      : AxisIndices<Op, S, Rest, Found | Index>
    : never
  : Found;

type DropAxes<S extends Shape, Indices, KeepDims, Seen extends 0[] = [], Done extends Shape = []> = S extends readonly [
  infer Head extends number,
  ...infer Rest extends Shape,
]
  ? Seen["length"] extends Indices
    ? DropAxes<Rest, Indices, KeepDims, [...Seen, 0], KeepDims extends true ? [...Done, 1] : Done>
    : DropAxes<Rest, Indices, KeepDims, [...Seen, 0], [...Done, Head]>
  : Done;

/** Rule: argMax and argMin remove one axis. */
export type ArgReduce<Op extends string, S extends Shape, Axis extends number> =
  UnknownRank<S> extends true
    ? Shape
    : number extends Axis
      ? Shape
      : S extends readonly []
        ? ShapeError<`${Op}: needs rank 1 or more, got ${ShowShape<S>}`>
        : AxisIndex<S, Axis> extends infer Index extends number
          ? [Index] extends [never]
            ? AxisOutOfRange<Op, S, Axis>
            : ReplaceAt<S, Index, []>
          : never;
