// The attributes of core's ops, from the ops.
import type {
  argMaxOp,
  broadcastInDimOp,
  concatOp,
  convGeneralOp,
  convInputGradOp,
  cumsumOp,
  dotGeneralOp,
  gatherOp,
  iotaOp,
  Op,
  padOp,
  reduceSumOp,
  reduceWindowSumOp,
  reverseOp,
  sliceOp,
  transposeOp,
} from "@millrace/core/graph";

type AttrsOf<O> = O extends Op<string, infer A> ? A : never;

export type ArgumentAttrs = AttrsOf<typeof argMaxOp>;
export type BroadcastAttrs = AttrsOf<typeof broadcastInDimOp>;
export type ConcatAttrs = AttrsOf<typeof concatOp>;
export type TransposedConvAttrs = AttrsOf<typeof convInputGradOp>;
export type ConvAttrs = AttrsOf<typeof convGeneralOp>;
export type DotAttrs = AttrsOf<typeof dotGeneralOp>;
export type IndexAttrs = AttrsOf<typeof gatherOp>;
export type IotaAttrs = AttrsOf<typeof iotaOp>;
export type PadAttrs = AttrsOf<typeof padOp>;
export type ReduceAttrs = AttrsOf<typeof reduceSumOp>;
export type ReverseAttrs = AttrsOf<typeof reverseOp>;
export type ScanAttrs = AttrsOf<typeof cumsumOp>;
export type SliceAttrs = AttrsOf<typeof sliceOp>;
export type TransposeAttrs = AttrsOf<typeof transposeOp>;
export type WindowAttrs = AttrsOf<typeof reduceWindowSumOp>;
