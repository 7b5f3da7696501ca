// Every shape rule. A rule gives a Shape, or a ShapeError with the sentence that the user reads.
export type { Assign, AssignStep } from "./assign.js";
export type { OnAxes, OnAxis } from "./axis.js";
export type { Broadcast, BroadcastTo, SameShape, StretchTo, Where } from "./broadcast.js";
export type { Conv1d, Conv2d, DepthwiseConv2d, PadMode, Pair, Pool2d, SeparableConv2d } from "./conv.js";
export type { NewShape } from "./create.js";
export type { Gather, OneHot, Pad, Slice, Tile } from "./index-ops.js";
export type { Concat, Split, Stack, Unstack } from "./join.js";
export type { Dot, MatMul, OuterProduct } from "./mat-mul.js";
export type { Recurrent, WithoutTime } from "./recurrent.js";
export type { ArgReduce, Reduce } from "./reduce.js";
export type { ExpandDims, ProductOf, Reshape, Squeeze } from "./reshape.js";
export type { Transpose } from "./transpose.js";
