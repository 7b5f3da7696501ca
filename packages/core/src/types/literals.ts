// Plain JavaScript values as tensors: nested arrays going in, nested arrays coming out.
import type { DType, DTypeOfArray, ItemOf, TypedArray } from "./dtype.js";
import type { Shape, ShapeError, UnknownRank } from "./shape.js";

/** One element written in JavaScript. */
export type Leaf = number | bigint | boolean;

/** A number, bigint or boolean, or arrays of them nested to any depth: `[[1, 2, 3], [4, 5, 6]]`. */
export type NestedValues = Leaf | readonly NestedValues[];

/** Nesting is followed this deep, so that a recursive array type ends. */
type MaxDepth = 8;

/** Rule: nested values as a tensor's content. */
export type Literal<T> = T extends TypedArray ? [number] : Levels<T>;

/** The shape that nested values spell: `[[1, 2, 3], [4, 5, 6]]` is `[2, 3]`, `number[][]` is `[number, number]`. */
export type LiteralShape<T> = Literal<T> extends infer S ? (S extends Shape ? S : Shape) : never;

/**
 * The sizes level by level: `Items` is the union of all that lies at one depth, so its `length` is the size there, or a
 * union of sizes where rows differ.
 */
type Levels<Items, Sizes extends Shape = []> = [Items] extends [Leaf]
  ? Sizes
  : NestedValues extends Items
    ? Shape // nested to any depth
    : [Items] extends [readonly unknown[]]
      ? IsUnion<Items["length"]> extends true
        ? Ragged
        : Sizes["length"] extends MaxDepth
          ? Shape
          : Levels<Items[number], [...Sizes, Items["length"]]>
      : Ragged;

type Ragged = ShapeError<"tensor: rows have different lengths">;

type IsUnion<Size, Whole = Size> = Size extends unknown ? ([Whole] extends [Size] ? false : true) : never;

/** The dtype of nested values: booleans are bool, bigints int64, numbers float32; a typed array says its own. */
export type LiteralDType<T> = T extends TypedArray ? DTypeOfArray<T> : DTypeOfLeaf<LeafOf<T>>;

type LeafOf<Items, Depth extends 0[] = []> = [Items] extends [Leaf]
  ? Items
  : Items extends readonly unknown[]
    ? Depth["length"] extends MaxDepth
      ? number
      : LeafOf<Items[number], [...Depth, 0]>
    : Items;

type DTypeOfLeaf<L> = [L] extends [never]
  ? "float32"
  : [L] extends [boolean]
    ? "bool"
    : [L] extends [bigint]
      ? "int64"
      : "float32";

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
