// Rules for tensors made from a shape.
import type { Shape, ShapeError, ShowShape, UnknownRank } from "../shape.js";

/** Rule: a shape that a tensor is made with: whole sizes, none negative. */
export type NewShape<Op extends string, S extends Shape> =
  UnknownRank<S> extends true
    ? Shape
    : `${S[number]}` extends infer Text
      ? [Extract<Text, `-${string}` | `${string}.${string}`>] extends [never]
        ? { -readonly [K in keyof S]: S[K] }
        : ShapeError<`${Op}: ${ShowShape<S>} has a size that is not a whole number from 0`>
      : never;
