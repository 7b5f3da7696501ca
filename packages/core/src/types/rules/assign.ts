// Rules for writing to a variable: its shape and dtype never change.
import type { DType, TypedArray } from "../dtype.js";
import type { DTypeOf, ShapeOf } from "../operands.js";
import type { ShapeError } from "../shape.js";
import type { SameShape, StretchTo } from "./broadcast.js";

/** Rule: `assign` takes exactly the variable's shape and dtype; plain numbers take its dtype. */
export type Assign<V, X> = SameDType<"assign", V, X, SameShape<"assign", ShapeOf<V>, ShapeOf<X>>>;

/** Rule: `assignAdd` and `assignSub` take what broadcasts to the variable's shape. */
export type AssignStep<Op extends string, V, X> = SameDType<Op, V, X, StretchTo<Op, ShapeOf<X>, ShapeOf<V>>>;

/** `Rule`, unless a tensor or typed array has another dtype than the variable. */
type SameDType<Op extends string, V, X, Rule> = X extends { readonly dtype: DType } | TypedArray
  ? DTypeOf<X> extends DTypeOf<V>
    ? Rule
    : ShapeError<`${Op}: needs dtype ${DTypeOf<V>}, got ${DTypeOf<X>}`>
  : Rule;
