// Pooling of images [n, h, w, c], as TensorFlow pools them.
import { avalOf, typed } from "../../ir/apply.js";
import { formatShape } from "../../ir/aval.js";
import type { Dim } from "../../ir/dim.js";
import { check } from "../../ir/op.js";
import type { DType, FloatOf } from "../../types/dtype.js";
import type { DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import type { PadMode, Pair, Pool2d } from "../../types/rules/conv.js";
import type { Arg } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { divOp } from "../binary/arithmetic.js";
import { apply, apply1, stretchTo, toFloat, toTensor } from "../public.js";
import { notBuilt } from "../refuse.js";
import { reduceWindowMaxOp, reduceWindowSumOp, type WindowAttrs } from "./reduce-window.js";
import { checkFits, paddingOf, perAxis } from "./windows.js";

/**
 * The greatest element of each window of each channel. Padding never wins, and NaN does.
 * @param x [n, h, w, c]
 * @param filterSize the window's height and width, one number for both
 * @param strides the steps between windows; the window's size by default
 * @param pad "same" gives ceil(size / stride) windows, "valid" whole windows only, a number pads each side by it
 * @throws E_SHAPE where `x` is no image or the window exceeds it
 * @example tf.maxPool([[[[1], [2]], [[3], [4]]]], 2) // [[[[4]]]]
 * @method
 */
export function maxPool<
  const X extends Like,
  const W extends Pair,
  const St extends Pair = W,
  const P extends PadMode = "valid",
>(
  x: X,
  filterSize: Arg<Pool2d<"maxPool", ShapeOf<X>, W, St, P>, W>,
  strides?: St,
  pad?: P,
  dimRoundingMode?: "floor",
): Out<Pool2d<"maxPool", ShapeOf<X>, W, St, P>, DTypeOf<X>> {
  notBuilt("maxPool", "dimRoundingMode", dimRoundingMode, "floor");
  const t = toTensor(x);
  return typed(apply1(reduceWindowMaxOp, t, windowOf("maxPool", t, filterSize as Pair, strides, pad)));
}

/**
 * The mean of the elements of each window of each channel; padding is not counted. Integers compute in float32.
 * @param x [n, h, w, c]; the other parameters are maxPool's
 * @throws E_SHAPE where `x` is no image or the window exceeds it
 * @example tf.avgPool([[[[1], [2]], [[3], [4]]]], 2) // [[[[2.5]]]]
 * @method
 */
export function avgPool<
  const X extends Like,
  const W extends Pair,
  const St extends Pair = W,
  const P extends PadMode = "valid",
>(
  x: X,
  filterSize: Arg<Pool2d<"avgPool", ShapeOf<X>, W, St, P>, W>,
  strides?: St,
  pad?: P,
  dimRoundingMode?: "floor",
): Out<Pool2d<"avgPool", ShapeOf<X>, W, St, P>, FloatOf<DTypeOf<X>>> {
  notBuilt("avgPool", "dimRoundingMode", dimRoundingMode, "floor");
  const t = toFloat(x);
  const attrs = windowOf("avgPool", t, filterSize as Pair, strides, pad);
  const sum = apply1(reduceWindowSumOp, t, attrs);
  return typed(apply(divOp, [sum, stretchTo(countsOf(avalOf(t).shape, t.dtype, attrs), avalOf(sum).shape)]));
}

/** How many elements each window has, padding not counted: one number where every window is whole. */
function countsOf(shape: readonly Dim[], dtype: DType, attrs: WindowAttrs): Tensor {
  const isPadded = [...attrs.low, ...attrs.high].some((n) => n !== 0);
  if (!isPadded)
    return toTensor(
      attrs.window.reduce((n, size) => n * size, 1),
      dtype,
    );
  const ones = stretchTo(toTensor(1, dtype), [1, shape[1]!, shape[2]!, 1]);
  return apply1(reduceWindowSumOp, ones, attrs);
}

function windowOf(
  name: string,
  x: Tensor,
  filterSize: Pair,
  strides: Pair | undefined,
  pad: PadMode | undefined,
): WindowAttrs {
  const { shape } = avalOf(x);
  check(`${name}.C0`, shape.length === 4, () => `input must be [n,h,w,c], got ${formatShape(shape)}`);
  const window = perAxis(name, "filterSize", filterSize, 2);
  const steps = perAxis(name, "strides", strides ?? filterSize, 2);
  const sliding = window.map((size, i) => ({ size, stride: steps[i]!, dilation: 1 }));
  const image = shape.slice(1, 3);
  const { low, high } = paddingOf(name, pad ?? "valid", image, sliding);
  checkFits(name, "window", image, sliding, { low, high });
  return { window: [1, ...window, 1], strides: [1, ...steps, 1], low: [0, ...low, 0], high: [0, ...high, 0] };
}
