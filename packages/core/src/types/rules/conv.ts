// Windows over images: conv2d, depthwiseConv2d and 2-D pooling. Images are [n, h, w, c], filters [h, w, in, out].
import type { Add, CeilDiv, FloorDiv, Mul, Sub } from "../arith.gen.js";
import type { IsLiteral, MayEqual, Shape, ShapeError, ShowShape, ShowSize, UnknownRank } from "../shape.js";

/** One number for both directions, or `[height, width]`. */
export type Pair = number | readonly [height: number, width: number];

/** "same" keeps size/stride, "valid" uses whole windows only, a number pads each side by it. */
export type PadMode = "same" | "valid" | number;

type UnknownImage = [number, number, number, number];

/** Rule: a filter `[h, w, in, out]` slid over `[n, h, w, in]` gives `[n, h', w', out]`. */
export type Conv2d<S extends Shape, F extends Shape, Strides, Padding, Dilations = 1> =
  UnknownRank<S> extends true
    ? UnknownImage
    : S extends readonly [infer N extends number, infer H extends number, infer W extends number, infer C]
      ? UnknownRank<F> extends true
        ? [N, number, number, number]
        : F extends readonly [infer FH extends number, infer FW extends number, infer In, infer OutC extends number]
          ? MayEqual<C, In> extends true
            ? Windows<"conv2d: filter", H, W, FH, FW, Strides, Padding, Dilations> extends infer Sizes
              ? Sizes extends readonly [infer OH extends number, infer OW extends number]
                ? [N, OH, OW, OutC]
                : Sizes
              : never
            : ShapeError<`conv2d: input has ${ShowSize<C>} channels, filter expects ${ShowSize<In>}`>
          : ShapeError<`conv2d: filter must be [h,w,in,out], got ${ShowShape<F>}`>
      : ShapeError<`conv2d: input must be [n,h,w,c], got ${ShowShape<S>}`>;

/** Rule: a filter `[h, w, in, multiplier]` applied to each channel gives `[n, h', w', in * multiplier]`. */
export type DepthwiseConv2d<S extends Shape, F extends Shape, Strides, Padding, Dilations = 1> =
  UnknownRank<S> extends true
    ? UnknownImage
    : S extends readonly [infer N extends number, infer H extends number, infer W extends number, infer C]
      ? UnknownRank<F> extends true
        ? [N, number, number, number]
        : F extends readonly [
              infer FH extends number,
              infer FW extends number,
              infer In extends number,
              infer M extends number,
            ]
          ? MayEqual<C, In> extends true
            ? Windows<"depthwiseConv2d: filter", H, W, FH, FW, Strides, Padding, Dilations> extends infer Sizes
              ? Sizes extends readonly [infer OH extends number, infer OW extends number]
                ? [N, OH, OW, Times<C & number, M>]
                : Sizes
              : never
            : ShapeError<`depthwiseConv2d: input has ${ShowSize<C>} channels, filter expects ${ShowSize<In>}`>
          : ShapeError<`depthwiseConv2d: filter must be [h,w,in,multiplier], got ${ShowShape<F>}`>
      : ShapeError<`depthwiseConv2d: input must be [n,h,w,c], got ${ShowShape<S>}`>;

/** Rule: a window of `Size` slid over `[n, h, w, c]` gives `[n, h', w', c]`; `Op` names the op in the message. */
export type Pool2d<Op extends string, S extends Shape, Size, Strides, Padding> =
  UnknownRank<S> extends true
    ? UnknownImage
    : S extends readonly [
          infer N extends number,
          infer H extends number,
          infer W extends number,
          infer C extends number,
        ]
      ? Both<Size> extends readonly [infer PH extends number, infer PW extends number]
        ? Windows<`${Op}: window`, H, W, PH, PW, Strides, Padding, 1> extends infer Sizes
          ? Sizes extends readonly [infer OH extends number, infer OW extends number]
            ? [N, OH, OW, C]
            : Sizes
          : never
        : [N, number, number, C]
      : ShapeError<`${Op}: input must be [n,h,w,c], got ${ShowShape<S>}`>;

type Both<Value> = Value extends number ? [Value, Value] : Value;

/** How many windows fit in height and width, or the refusal; `What` begins the message. */
type Windows<
  What extends string,
  H extends number,
  W extends number,
  KH extends number,
  KW extends number,
  Strides,
  Padding,
  Dilations,
> =
  Both<Strides> extends readonly [infer SH extends number, infer SW extends number]
    ? Both<Dilations> extends readonly [infer DH extends number, infer DW extends number]
      ? [WindowCount<H, Dilated<KH, DH>, SH, Padding>, WindowCount<W, Dilated<KW, DW>, SW, Padding>] extends [
          infer OH extends number,
          infer OW extends number,
        ]
        ? [OH] extends [never]
          ? ShapeError<`${What} height ${ShowSize<KH>} exceeds input height ${ShowSize<H>}`>
          : [OW] extends [never]
            ? ShapeError<`${What} width ${ShowSize<KW>} exceeds input width ${ShowSize<W>}`>
            : [OH, OW]
        : never
      : [number, number]
    : [number, number];

/** How many windows of `Kernel` fit in `Size`; `never` where not even one does. */
type WindowCount<Size extends number, Kernel extends number, Stride extends number, Padding> = number extends Stride
  ? number
  : IsLiteral<Size> extends true
    ? Padding extends "same"
      ? Strided<Size, Stride>
      : IsLiteral<Kernel> extends true
        ? Padding extends "valid"
          ? WholeWindows<Size, Kernel, Stride>
          : Padding extends number
            ? number extends Padding
              ? number
              : WholeWindows<Add<Size, Add<Padding, Padding>>, Kernel, Stride>
            : number
        : number
    : Padding extends "same"
      ? Stride extends 1
        ? Size
        : number
      : number;

/** floor((size - kernel) / stride) + 1, as floor((size - (kernel - stride)) / stride): one subtraction, one division. */
type WholeWindows<Size extends number, Kernel extends number, Stride extends number> =
  Sub<Kernel, Stride> extends infer Over extends number
    ? [Over] extends [never]
      ? NotNone<FloorDiv<Add<Size, Sub<Stride, Kernel>>, Stride>>
      : NotNone<FloorDiv<Over extends 0 ? Size : Sub<Size, Over>, Stride>>
    : never;

/** Not even one window fits: the kernel is larger than the input. */
type NotNone<Count> = Count extends 0 ? never : Count;

type Strided<Size extends number, Stride extends number> = Stride extends 1 ? Size : CeilDiv<Size, Stride>;

/** The extent of a kernel with gaps: (kernel - 1) * dilation + 1. */
type Dilated<Kernel extends number, Dilation extends number> = Dilation extends 1
  ? Kernel
  : IsLiteral<Kernel> extends true
    ? number extends Dilation
      ? number
      : Add<Mul<Sub<Kernel, 1>, Dilation>, 1>
    : number;

type Times<X extends number, Y extends number> = Y extends 1
  ? X
  : IsLiteral<X> extends true
    ? IsLiteral<Y> extends true
      ? Mul<X, Y>
      : number
    : number;

/** Rule: a filter `[w, in, out]` slid over `[n, w, in]` gives `[n, w', out]`. */
export type Conv1d<S extends Shape, F extends Shape, Stride extends number, Padding, Dilation extends number = 1> =
  UnknownRank<S> extends true
    ? [number, number, number]
    : S extends readonly [infer N extends number, infer W extends number, infer C]
      ? UnknownRank<F> extends true
        ? [N, number, number]
        : F extends readonly [infer FW extends number, infer In, infer OutC extends number]
          ? MayEqual<C, In> extends true
            ? [WindowCount<W, Dilated<FW, Dilation>, Stride, Padding>] extends [infer OW extends number]
              ? [OW] extends [never]
                ? ShapeError<`conv1d: filter width ${ShowSize<FW>} exceeds input width ${ShowSize<W>}`>
                : [N, OW, OutC]
              : never
            : ShapeError<`conv1d: input has ${ShowSize<C>} channels, filter expects ${ShowSize<In>}`>
          : ShapeError<`conv1d: filter must be [w,in,out], got ${ShowShape<F>}`>
      : ShapeError<`conv1d: input must be [n,w,c], got ${ShowShape<S>}`>;

/** Rule: a depthwise filter, then a filter `[1, 1, in * multiplier, out]`, gives `[n, h', w', out]`. */
export type SeparableConv2d<S extends Shape, F extends Shape, G extends Shape, Strides, Padding, Dilations = 1> =
  DepthwiseConv2d<S, F, Strides, Padding, Dilations> extends infer Between
    ? Between extends readonly [infer N extends number, infer H extends number, infer W extends number, infer C]
      ? UnknownRank<G> extends true
        ? [N, H, W, number]
        : G extends readonly [1, 1, infer In, infer OutC extends number]
          ? MayEqual<C, In> extends true
            ? [N, H, W, OutC]
            : ShapeError<`separableConv2d: the depthwise result has ${ShowSize<C>} channels, the pointwise filter expects ${ShowSize<In>}`>
          : ShapeError<`separableConv2d: pointwise filter must be [1,1,in,out], got ${ShowShape<G>}`>
      : Between
    : never;
