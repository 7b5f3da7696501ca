// Plain JavaScript values as tensors: nested arrays going in, nested arrays coming out.
import type { DType, DTypeOfArray, ItemOf, TypedArray } from "./dtype.js";
import type { Shape, ShapeError, UnknownRank } from "./shape.js";

/** One element written in JavaScript. */
export type Leaf = number | bigint | boolean;

/** A number, bigint or boolean, or arrays of them nested to any depth: `[[1, 2, 3], [4, 5, 6]]`. */
export type NestedValues = Leaf | readonly NestedValues[];

/** Nesting is followed this deep, so that a recursive array type ends. */
type MaxDepth = 8;

/** The shape that nested values spell: `[[1, 2, 3], [4, 5, 6]]` is `[2, 3]`, `number[][]` is `[number, number]`. */
export type LiteralShape<T, Depth extends 0[] = []> = Depth["length"] extends MaxDepth
  ? []
  : T extends readonly [infer Head, ...infer _]
    ? [T["length"], ...LiteralShape<Head, [...Depth, 0]>]
    : T extends readonly []
      ? [0]
      : T extends readonly (infer Item)[]
        ? [number, ...LiteralShape<Item, [...Depth, 0]>]
        : T extends TypedArray
          ? [number]
          : [];

type LeafOf<T, Depth extends 0[] = []> = Depth["length"] extends MaxDepth
  ? number
  : T extends readonly (infer Item)[]
    ? LeafOf<Item, [...Depth, 0]>
    : T;

/** The dtype of nested values: booleans are bool, bigints int64, numbers float32; a typed array says its own. */
export type LiteralDType<T> = T extends TypedArray
  ? DTypeOfArray<T>
  : LeafOf<T> extends infer L
    ? [L] extends [never]
      ? "float32"
      : [L] extends [boolean]
        ? "bool"
        : [L] extends [bigint]
          ? "int64"
          : "float32"
    : never;

/** True where rows of a literal have different shapes. */
export type IsRagged<T> = T extends readonly [infer Head, ...infer Rest]
  ? [Rest[number]] extends [never]
    ? IsRagged<Head>
    : [LiteralShape<Rest[number]>] extends [LiteralShape<Head>]
      ? IsRagged<Head>
      : true
  : false;

/** Rule: nested values as a tensor's content. */
export type Literal<T> = IsRagged<T> extends true ? ShapeError<"tensor: rows have different lengths"> : LiteralShape<T>;

/** What `array()` resolves to: one element for rank 0, else arrays nested as deep as the rank. */
export type Nested<S extends Shape, D extends DType> = NestedItems<S, ItemOf<D>>;

/** Nested to an unknown depth. */
export type NestedOf<Item> = Item | NestedOf<Item>[];

type NestedItems<S extends Shape, Item> = 0 extends 1 & S
  ? S // a bare Tensor: its arrays are as unknown as its shape
  : UnknownRank<S> extends true
    ? NestedOf<Item>
    : S extends readonly [unknown, ...infer Rest extends Shape]
      ? NestedItems<Rest, Item>[]
      : Item;
