// The public functions as declarations: the contract that the type tests hold until src/api is there.
import type {
  Arg,
  ArgReduce,
  Axes,
  Bin,
  BroadcastTo,
  Concat,
  Conv2d,
  DepthwiseConv2d,
  DType,
  DTypeOf,
  ExpandDims,
  FloatOf,
  Gather,
  Leaf,
  Like,
  Literal,
  LiteralDType,
  MatMul,
  NestedValues,
  NewShape,
  OnAxes,
  OnAxis,
  OneHot,
  Out,
  OutList,
  Pad,
  PadMode,
  Pair,
  Pool2d,
  PromoteAll,
  PromoteOf,
  Reduce,
  Reshape,
  Same,
  SameFloat,
  SameShape,
  Scalar,
  Shape,
  ShapeOf,
  Slice,
  Split,
  Squeeze,
  Stack,
  SumOf,
  Tile,
  Transpose,
  TypedArray,
  Unstack,
  Variable,
  Where,
  WithDType,
} from "../src/types/index.js";

export type * from "../src/types/index.js";

// --- creation
export declare function tensor<const T extends NestedValues | TypedArray>(
  values: Arg<Literal<T>, T>,
): Out<Literal<T>, LiteralDType<T>>;
export declare function tensor<V extends TypedArray | readonly Leaf[], const S extends Shape>(
  values: V,
  shape: Arg<NewShape<"tensor", S>, S>,
): Out<NewShape<"tensor", S>, LiteralDType<V>>;
export declare function tensor<const T extends NestedValues | TypedArray, D extends DType>(
  values: Arg<Literal<T>, T>,
  shape: undefined,
  dtype: D,
): Out<Literal<T>, D>;
export declare function tensor<const S extends Shape, D extends DType>(
  values: TypedArray | readonly Leaf[],
  shape: Arg<NewShape<"tensor", S>, S>,
  dtype: D,
): Out<NewShape<"tensor", S>, D>;
export declare function scalar<T extends number | bigint | boolean>(value: T): Scalar<LiteralDType<T>>;
export declare function scalar<D extends DType>(value: number | bigint | boolean, dtype: D): Scalar<D>;
export declare function zeros<const S extends Shape>(
  shape: Arg<NewShape<"zeros", S>, S>,
): Out<NewShape<"zeros", S>, "float32">;
export declare function zeros<const S extends Shape, D extends DType>(
  shape: Arg<NewShape<"zeros", S>, S>,
  dtype: D,
): Out<NewShape<"zeros", S>, D>;
export declare function variable<const X extends Like>(
  init: X,
  options?: { trainable?: boolean; name?: string },
): Variable<ShapeOf<X>, DTypeOf<X>>;
export declare function oneHot<const I extends Like, const N extends number>(
  indices: Arg<OneHot<I, N>, I>,
  depth: N,
): Out<OneHot<I, N>, "int32">;

// --- element by element
export declare function add<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"add", A, B>, B>,
): Out<Bin<"add", A, B>, PromoteOf<A, B>>;
export declare function mul<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"mul", A, B>, B>,
): Out<Bin<"mul", A, B>, PromoteOf<A, B>>;
export declare function greater<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"greater", A, B>, B>,
): Out<Bin<"greater", A, B>, "bool">;
export declare function relu<const X extends Like>(x: X): Same<X>;
export declare function exp<const X extends Like>(x: X): SameFloat<X>;
export declare function cast<const X extends Like, D extends DType>(x: X, dtype: D): WithDType<X, D>;
export declare function where<const C extends Like, const A extends Like, const B extends Like>(
  condition: C,
  a: A,
  b: Arg<Where<ShapeOf<C>, ShapeOf<A>, ShapeOf<B>>, B>,
): Out<Where<ShapeOf<C>, ShapeOf<A>, ShapeOf<B>>, PromoteOf<A, B>>;

// --- products, reductions
export declare function matMul<
  const A extends Like,
  const B extends Like,
  const TA extends boolean = false,
  const TB extends boolean = false,
>(
  a: A,
  b: Arg<MatMul<ShapeOf<A>, ShapeOf<B>, TA, TB>, B>,
  transposeA?: TA,
  transposeB?: TB,
): Out<MatMul<ShapeOf<A>, ShapeOf<B>, TA, TB>, PromoteOf<A, B>>;
export declare function sum<const X extends Like, const A extends Axes = undefined, const K extends boolean = false>(
  x: X,
  axis?: Arg<Reduce<"sum", ShapeOf<X>, A, K>, A>,
  keepDims?: K,
): Out<Reduce<"sum", ShapeOf<X>, A, K>, SumOf<DTypeOf<X>>>;
export declare function mean<const X extends Like, const A extends Axes = undefined, const K extends boolean = false>(
  x: X,
  axis?: Arg<Reduce<"mean", ShapeOf<X>, A, K>, A>,
  keepDims?: K,
): Out<Reduce<"mean", ShapeOf<X>, A, K>, FloatOf<DTypeOf<X>>>;
export declare function argMax<const X extends Like, const A extends number = 0>(
  x: X,
  axis?: Arg<ArgReduce<"argMax", ShapeOf<X>, A>, A>,
): Out<ArgReduce<"argMax", ShapeOf<X>, A>, "int32">;
export declare function softmax<const X extends Like, const A extends number = -1>(
  x: X,
  axis?: Arg<OnAxis<"softmax", ShapeOf<X>, A>, A>,
): SameFloat<X>;

// --- shape
export declare function transpose<const X extends Like, const P extends Shape | undefined = undefined>(
  x: X,
  perm?: Arg<Transpose<ShapeOf<X>, P>, P>,
): Out<Transpose<ShapeOf<X>, P>, DTypeOf<X>>;
export declare function reshape<const X extends Like, const T extends Shape>(
  x: X,
  shape: Arg<Reshape<ShapeOf<X>, T>, T>,
): Out<Reshape<ShapeOf<X>, T>, DTypeOf<X>>;
export declare function expandDims<const X extends Like, const A extends number = 0>(
  x: X,
  axis?: Arg<ExpandDims<ShapeOf<X>, A>, A>,
): Out<ExpandDims<ShapeOf<X>, A>, DTypeOf<X>>;
export declare function squeeze<const X extends Like, const A extends Axes = undefined>(
  x: X,
  axis?: Arg<Squeeze<ShapeOf<X>, A>, A>,
): Out<Squeeze<ShapeOf<X>, A>, DTypeOf<X>>;
export declare function reverse<const X extends Like, const A extends Axes = undefined>(
  x: X,
  axis?: Arg<OnAxes<"reverse", ShapeOf<X>, A>, A>,
): Same<X>;
export declare function broadcastTo<const X extends Like, const T extends Shape>(
  x: X,
  shape: Arg<BroadcastTo<ShapeOf<X>, T>, T>,
): Out<BroadcastTo<ShapeOf<X>, T>, DTypeOf<X>>;
export declare function ensureShape<const X extends Like, const T extends Shape>(
  x: X,
  shape: Arg<SameShape<"ensureShape", T, ShapeOf<X>>, T>,
): Out<SameShape<"ensureShape", T, ShapeOf<X>>, DTypeOf<X>>;
export declare function concat<const Xs extends readonly Like[], const A extends number = 0>(
  tensors: Arg<Concat<Xs, A>, Xs>,
  axis?: A,
): Out<Concat<Xs, A>, PromoteAll<Xs>>;
export declare function stack<const Xs extends readonly Like[], const A extends number = 0>(
  tensors: Arg<Stack<Xs, A>, Xs>,
  axis?: A,
): Out<Stack<Xs, A>, PromoteAll<Xs>>;
export declare function split<const X extends Like, const P extends number | Shape, const A extends number = 0>(
  x: X,
  parts: Arg<Split<ShapeOf<X>, P, A>, P>,
  axis?: A,
): OutList<Split<ShapeOf<X>, P, A>, DTypeOf<X>>;
export declare function unstack<const X extends Like, const A extends number = 0>(
  x: X,
  axis?: Arg<Unstack<ShapeOf<X>, A>, A>,
): OutList<Unstack<ShapeOf<X>, A>, DTypeOf<X>>;
export declare function gather<const X extends Like, const I extends Like, const A extends number = 0>(
  x: X,
  indices: Arg<Gather<ShapeOf<X>, I, A>, I>,
  axis?: A,
): Out<Gather<ShapeOf<X>, I, A>, DTypeOf<X>>;
export declare function slice<
  const X extends Like,
  const B extends number | Shape,
  const N extends number | Shape = [],
>(x: X, begin: Arg<Slice<ShapeOf<X>, B, N>, B>, size?: N): Out<Slice<ShapeOf<X>, B, N>, DTypeOf<X>>;
export declare function pad<const X extends Like, const P extends readonly (readonly [number, number])[]>(
  x: X,
  paddings: Arg<Pad<ShapeOf<X>, P>, P>,
  constantValue?: number,
): Out<Pad<ShapeOf<X>, P>, DTypeOf<X>>;
export declare function tile<const X extends Like, const R extends Shape>(
  x: X,
  reps: Arg<Tile<ShapeOf<X>, R>, R>,
): Out<Tile<ShapeOf<X>, R>, DTypeOf<X>>;

// --- images
export declare function conv2d<
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
): Out<Conv2d<ShapeOf<X>, ShapeOf<F>, St, P, Dl>, PromoteOf<X, F>>;
export declare function depthwiseConv2d<
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
): Out<DepthwiseConv2d<ShapeOf<X>, ShapeOf<F>, St, P, Dl>, PromoteOf<X, F>>;
export declare function maxPool<
  const X extends Like,
  const W extends Pair,
  const St extends Pair = W,
  const P extends PadMode = "valid",
>(
  x: X,
  filterSize: Arg<Pool2d<"maxPool", ShapeOf<X>, W, St, P>, W>,
  strides?: St,
  pad?: P,
): Out<Pool2d<"maxPool", ShapeOf<X>, W, St, P>, DTypeOf<X>>;
