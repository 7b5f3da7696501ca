// Tensors of one value.
import { avalOf, typed } from "../../ir/apply.js";
import type { Dim } from "../../ir/dim.js";
import type { DType } from "../../types/dtype.js";
import { MillraceError } from "../../types/errors.js";
import type { Leaf } from "../../types/literals.js";
import type { Like, Out, Same } from "../../types/operands.js";
import type { NewShape } from "../../types/rules/create.js";
import type { Arg, Shape } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { stretchTo, toTensor } from "../public.js";

/** A list of sizes that a tensor is made with, checked; sizes of tensors of a trace may have no number yet. */
export function checkSizes(name: string, shape: readonly Dim[]): readonly Dim[] {
  if (!Array.isArray(shape)) {
    const got = shape === null ? "null" : typeof shape;
    throw new MillraceError("E_ARGUMENT", `${name}: a shape is a list of sizes, got ${got}`, { op: name });
  }
  for (const size of shape as readonly Dim[]) {
    if (typeof size === "number" && !(Number.isSafeInteger(size) && size >= 0)) {
      throw new MillraceError("E_SHAPE", `${name}: [${shape}] has a size that is not a whole number from 0`, {
        op: name,
      });
    }
  }
  return shape;
}

function filled(name: string, shape: readonly Dim[], value: Leaf, dtype?: DType): Tensor {
  return stretchTo(toTensor(value, dtype), checkSizes(name, shape));
}

/**
 * `value` everywhere.
 * @example tf.fill([2, 2], 7) // [[7, 7], [7, 7]]
 * @public
 */
export function fill<const S extends Shape>(
  shape: Arg<NewShape<"fill", S>, S>,
  value: number,
): Out<NewShape<"fill", S>, "float32">;
export function fill<const S extends Shape, D extends DType>(
  shape: Arg<NewShape<"fill", S>, S>,
  value: Leaf,
  dtype: D,
): Out<NewShape<"fill", S>, D>;
export function fill(shape: Shape, value: Leaf, dtype?: DType): Tensor {
  return filled("fill", shape, value, dtype);
}

/**
 * 0 everywhere.
 * @example tf.zeros([2, 2]) // [[0, 0], [0, 0]]
 * @public
 */
export function zeros<const S extends Shape>(shape: Arg<NewShape<"zeros", S>, S>): Out<NewShape<"zeros", S>, "float32">;
export function zeros<const S extends Shape, D extends DType>(
  shape: Arg<NewShape<"zeros", S>, S>,
  dtype: D,
): Out<NewShape<"zeros", S>, D>;
export function zeros(shape: Shape, dtype: DType = "float32"): Tensor {
  return filled("zeros", shape, 0, dtype);
}

/**
 * 1 everywhere.
 * @example tf.ones([2, 2]) // [[1, 1], [1, 1]]
 * @public
 */
export function ones<const S extends Shape>(shape: Arg<NewShape<"ones", S>, S>): Out<NewShape<"ones", S>, "float32">;
export function ones<const S extends Shape, D extends DType>(
  shape: Arg<NewShape<"ones", S>, S>,
  dtype: D,
): Out<NewShape<"ones", S>, D>;
export function ones(shape: Shape, dtype: DType = "float32"): Tensor {
  return filled("ones", shape, 1, dtype);
}

/**
 * 0 everywhere, in the shape and dtype of `x`.
 * @example tf.zerosLike([1, 2]) // [0, 0]
 * @public
 */
export function zerosLike<const X extends Like>(x: X): Same<X> {
  const t = toTensor(x);
  return typed(filled("zerosLike", avalOf(t).shape, 0, t.dtype));
}

/**
 * 1 everywhere, in the shape and dtype of `x`.
 * @example tf.onesLike([1, 2]) // [1, 1]
 * @public
 */
export function onesLike<const X extends Like>(x: X): Same<X> {
  const t = toTensor(x);
  return typed(filled("onesLike", avalOf(t).shape, 1, t.dtype));
}
