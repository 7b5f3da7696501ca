// Transposition: axes in another order, reversed where none is given.
import type { Shape, ShapeError, ShowShape, UnknownRank, UnknownSizes } from "../shape.js";

/** Rule: axis i of the result is axis `Perm[i]` of the operand. */
export type Transpose<S extends Shape, Perm extends Shape | undefined> =
  UnknownRank<S> extends true
    ? Shape
    : Perm extends Shape
      ? UnknownRank<Perm> extends true
        ? UnknownSizes<S>
        : number extends Perm[number]
          ? UnknownSizes<S>
          : IsPermutation<S, Perm> extends true
            ? { -readonly [K in keyof Perm]: Perm[K] extends keyof S ? S[Perm[K]] : never }
            : ShapeError<`transpose: perm ${ShowShape<Perm>} is not a permutation for ${ShowShape<S>}`>
      : Reversed<S>;

/** As many entries as axes, and no axis left out. */
type IsPermutation<S extends Shape, Perm extends Shape> = Perm["length"] extends S["length"]
  ? S["length"] extends Perm["length"]
    ? Exclude<keyof S & `${number}`, `${Perm[number]}`> extends never
      ? true
      : false
    : false
  : false;

type Reversed<S extends Shape, Done extends Shape = []> = S extends readonly [
  infer Head extends number,
  ...infer Rest extends Shape,
]
  ? Reversed<Rest, [Head, ...Done]>
  : Done;
