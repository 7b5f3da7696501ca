// Convolutions of images and sequences, in TensorFlow.js's words.
import { avalOf, typed } from "../../ir/apply.js";
import { formatShape } from "../../ir/aval.js";
import { type Dim, eqDim, mulDim } from "../../ir/dim.js";
import { fastMath } from "../../ir/fast-math.js";
import { check, checkAttr } from "../../ir/op.js";
import type { Like, Out, PromoteOf, ShapeOf } from "../../types/operands.js";
import type { Conv1d, Conv2d, DepthwiseConv2d, PadMode, Pair, SeparableConv2d } from "../../types/rules/conv.js";
import type { Arg, Mutable, Shape } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { apply, apply1, promoted } from "../public.js";
import { notBuilt } from "../refuse.js";
import { reshapeOp } from "../shape/reshape.js";
import { checkFits, paddingOf, perAxis } from "../window/windows.js";
import { convGeneralOp } from "./conv-general.js";
import { convInputGradOp } from "./conv-grads.js";
import type { ConvAttrs } from "./shape.js";

/**
 * A filter [w, in, out] slid over sequences [n, w, in]: y[n, i, o] = Σ x[n, i · stride + k · dilation, c] · filter[k, c, o].
 * @param pad "same" keeps ceil(w / stride) places, "valid" takes whole windows only, a number pads each side by it
 * @throws E_SHAPE where ranks or channels do not fit or the filter exceeds the input
 * @example tf.conv1d([[[1], [2], [3]]], [[[1]], [[1]]]) // [[[3], [5]]]
 * @method
 */
export function conv1d<
  const X extends Like,
  const F extends Like,
  const St extends number = 1,
  const P extends PadMode = "valid",
  const Dl extends number = 1,
>(
  x: X,
  filter: Arg<Conv1d<ShapeOf<X>, ShapeOf<F>, St, P, Dl>, F>,
  stride?: St,
  pad?: P,
  dataFormat?: "NWC",
  dilation?: Dl,
  dimRoundingMode?: "floor",
): Out<Conv1d<ShapeOf<X>, ShapeOf<F>, St, P, Dl>, PromoteOf<X, F>> {
  notBuilt("conv1d", "dimRoundingMode", dimRoundingMode, "floor");
  checkAttr(
    "conv1d.C0",
    dataFormat === undefined || dataFormat === "NWC",
    () => `dataFormat must be "NWC", got ${dataFormat}`,
  );
  const operands = promoted("conv1d", x, filter as Like);
  return typed(convolution("conv1d", operands, stride, pad, dilation, 1));
}

/**
 * A filter [h, w, in, out] slid over images [n, h, w, in]; not turned around, as everywhere in machine learning.
 * @param strides steps in height and width, one number for both
 * @param pad "same" keeps ceil(size / stride) places, "valid" takes whole windows only, a number pads each side by it
 * @param dilations gaps between the filter's elements: 1 is none
 * @throws E_SHAPE where ranks or channels do not fit or the filter exceeds the input
 * @example tf.conv2d([[[[1], [2]], [[3], [4]]]], [[[[1]], [[1]]], [[[1]], [[1]]]]) // [[[[10]]]]
 * @method
 */
export function conv2d<
  const X extends Like,
  const F extends Like,
  const St extends Pair = 1,
  const P extends PadMode = "valid",
  const Dl extends Pair = 1,
>(
  x: X,
  filter: Arg<Conv2d<ShapeOf<X>, ShapeOf<F>, St, P, Dl>, F>,
  strides?: St,
  pad?: P,
  dataFormat?: "NHWC",
  dilations?: Dl,
  dimRoundingMode?: "floor",
): Out<Conv2d<ShapeOf<X>, ShapeOf<F>, St, P, Dl>, PromoteOf<X, F>> {
  notBuilt("conv2d", "dimRoundingMode", dimRoundingMode, "floor");
  checkFormat("conv2d", dataFormat);
  const operands = promoted("conv2d", x, filter as Like);
  return typed(convolution("conv2d", operands, strides, pad, dilations, 2));
}

/**
 * A filter [h, w, in, multiplier] that gives `multiplier` results for each channel by itself: [n, h', w', in · multiplier].
 * The other parameters are conv2d's.
 * @throws E_SHAPE where ranks or channels do not fit or the filter exceeds the input
 * @example tf.depthwiseConv2d([[[[1, 2]]]], [[[[10], [100]]]]) // [[[[10, 200]]]]
 * @method
 */
export function depthwiseConv2d<
  const X extends Like,
  const F extends Like,
  const St extends Pair = 1,
  const P extends PadMode = "valid",
  const Dl extends Pair = 1,
>(
  x: X,
  filter: Arg<DepthwiseConv2d<ShapeOf<X>, ShapeOf<F>, St, P, Dl>, F>,
  strides?: St,
  pad?: P,
  dataFormat?: "NHWC",
  dilations?: Dl,
  dimRoundingMode?: "floor",
): Out<DepthwiseConv2d<ShapeOf<X>, ShapeOf<F>, St, P, Dl>, PromoteOf<X, F>> {
  notBuilt("depthwiseConv2d", "dimRoundingMode", dimRoundingMode, "floor");
  checkFormat("depthwiseConv2d", dataFormat);
  const operands = promoted("depthwiseConv2d", x, filter as Like);
  return typed(depthwise("depthwiseConv2d", operands, strides, pad, dilations));
}

/**
 * A depthwise convolution, then a pointwise one of a filter [1, 1, in · multiplier, out].
 * @throws E_SHAPE where ranks or channels do not fit or the filter exceeds the input
 * @example tf.separableConv2d([[[[1, 2]]]], [[[[1], [1]]]], [[[[10], [100]]]]) // [[[[210]]]]
 * @method
 */
export function separableConv2d<
  const X extends Like,
  const F extends Like,
  const G extends Like,
  const St extends Pair = 1,
  const P extends PadMode = "valid",
  const Dl extends Pair = 1,
>(
  x: X,
  depthwiseFilter: F,
  pointwiseFilter: Arg<SeparableConv2d<ShapeOf<X>, ShapeOf<F>, ShapeOf<G>, St, P, Dl>, G>,
  strides?: St,
  pad?: P,
  dilations?: Dl,
  dataFormat?: "NHWC",
): Out<SeparableConv2d<ShapeOf<X>, ShapeOf<F>, ShapeOf<G>, St, P, Dl>, PromoteOf<X, F>> {
  checkFormat("separableConv2d", dataFormat);
  const between = depthwise(
    "separableConv2d",
    promoted("separableConv2d", x, depthwiseFilter),
    strides,
    pad,
    dilations,
  );
  const operands = promoted("separableConv2d", between, pointwiseFilter as Like);
  return typed(convolution("separableConv2d", operands, 1, "valid", 1, 2));
}

/**
 * The transpose of conv2d, which its gradient is made of: x [n, h, w, in] and a filter [h, w, out, in] give `outputShape`
 * [n, h', w', out], from which conv2d with these strides and this padding would lead back to x's shape.
 * @throws E_SHAPE where conv2d would lead elsewhere
 * @example tf.conv2dTranspose([[[[3]]]], [[[[1]], [[2]]]], [1, 1, 2, 1]) // [[[[3], [6]]]]
 * @method
 */
export function conv2dTranspose<const X extends Like, const F extends Like, const T extends Shape>(
  x: X,
  filter: F,
  outputShape: T,
  strides?: Pair,
  pad?: PadMode,
  dimRoundingMode?: "floor",
): Out<Mutable<T>, PromoteOf<X, F>> {
  notBuilt("conv2dTranspose", "dimRoundingMode", dimRoundingMode, "floor");
  const name = "conv2dTranspose";
  const [t, w] = promoted(name, x, filter);
  const to: readonly Dim[] = outputShape;
  checkAttr(`${name}.C4`, to.length === 4, () => `outputShape must be [n,h,w,c], got ${formatShape(to)}`);
  const { lhsDilation: _, ...attrs } = convAttrs(name, { shape: to }, avalOf(w), strides, pad, undefined, 2);
  return typed(apply(convInputGradOp, [t, w], { ...attrs, inputShape: to }));
}

interface Shaped {
  readonly shape: readonly Dim[];
}

/** Attributes of a convolution over `spatial` axes, its arguments checked under the name of the caller. */
function convAttrs(
  name: string,
  x: Shaped,
  filter: Shaped,
  strides: number | readonly number[] | undefined,
  pad: PadMode | undefined,
  dilations: number | readonly number[] | undefined,
  spatial: number,
): ConvAttrs {
  const [image, window] = spatial === 1 ? ["[n,w,c]", "[w,in,out]"] : ["[n,h,w,c]", "[h,w,in,out]"];
  check(`${name}.C5`, x.shape.length === spatial + 2, () => `input must be ${image}, got ${formatShape(x.shape)}`);
  check(
    `${name}.C6`,
    filter.shape.length === spatial + 2,
    () => `filter must be ${window}, got ${formatShape(filter.shape)}`,
  );
  const steps = perAxis(name, "strides", strides ?? 1, spatial);
  const gaps = perAxis(name, "dilations", dilations ?? 1, spatial);
  const taps = filter.shape.slice(0, spatial);
  const known = taps.every((n) => typeof n === "number");
  checkAttr(`${name}.C7`, known, () => `the filter's sizes must be known, got ${formatShape(filter.shape)}`);
  const sliding = taps.map((size, i) => ({ size: Number(size), stride: steps[i]!, dilation: gaps[i]! }));
  const sizes = x.shape.slice(1, -1);
  const padding = paddingOf(name, pad ?? "valid", sizes, sliding);
  checkFits(name, "filter", sizes, sliding, padding);
  return { strides: steps, ...padding, lhsDilation: steps.map(() => 1), rhsDilation: gaps, groups: 1 };
}

function convolution(
  name: string,
  [x, filter]: readonly [Tensor, Tensor],
  strides: number | readonly number[] | undefined,
  pad: PadMode | undefined,
  dilations: number | readonly number[] | undefined,
  spatial: number,
): Tensor {
  const [p, q] = [avalOf(x), avalOf(filter)];
  const attrs = convAttrs(name, p, q, strides, pad, dilations, spatial);
  checkChannels(name, p.shape[spatial + 1]!, q.shape[spatial]!);
  return apply(convGeneralOp, [x, filter], fastMath.on ? { ...attrs, fastMath: true } : attrs);
}

/** Every channel is a group of its own. */
function depthwise(
  name: string,
  [x, filter]: readonly [Tensor, Tensor],
  strides: Pair | undefined,
  pad: PadMode | undefined,
  dilations: Pair | undefined,
): Tensor {
  const [p, q] = [avalOf(x), avalOf(filter)];
  const attrs = convAttrs(name, p, q, strides, pad, dilations, 2);
  const [h, w, channels, multiplier] = [q.shape[0]!, q.shape[1]!, q.shape[2]!, q.shape[3]!];
  checkChannels(name, p.shape[3]!, channels);
  checkAttr(
    `${name}.C8`,
    typeof channels === "number",
    () => `the channels of the filter must be known, got ${formatShape(q.shape)}`,
  );
  const apart = apply1(reshapeOp, filter, { shape: [h, w, 1, mulDim(channels, multiplier)] });
  return apply(convGeneralOp, [x, apart], { ...attrs, groups: Number(channels) });
}

function checkChannels(name: string, have: Dim, expected: Dim): void {
  check(`${name}.C9`, eqDim(have, expected) !== false, () => `input has ${have} channels, filter expects ${expected}`);
}

function checkFormat(name: string, dataFormat: string | undefined): void {
  checkAttr(
    `${name}.C0`,
    dataFormat === undefined || dataFormat === "NHWC",
    () => `dataFormat must be "NHWC", got ${dataFormat}`,
  );
}
