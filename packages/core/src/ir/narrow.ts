// Ops on narrow floats: they compute in a wider dtype, and each result is rounded once, as TensorFlow's kernels do.
import { type DType, dtypes } from "../types/dtype.js";
import type { Attrs } from "./attrs.js";
import type { Aval, Val } from "./aval.js";
import type { Graph } from "./graph.js";
import type { AnyOp, OpKind } from "./op.js";

/** Whether the ops of a kind only move elements, so that they take all dtypes as they are stored; `computes` excepts one. */
const moves: Readonly<Record<OpKind, boolean>> = {
  unary: false,
  binary: false,
  compare: false,
  select: true,
  cast: true,
  constant: true,
  shape: true,
  index: true,
  reduce: false,
  scan: false,
  window: false,
  contract: false,
  random: false,
  control: true,
  effect: true,
  custom: false,
  composite: false,
};

const wideOf = (dtype: DType): DType => dtypes[dtype].computesIn ?? dtype;

/** Whether an op computes with narrow floats among its operands or results. What regions do is asked of their own ops. */
export function computesNarrow(
  op: AnyOp,
  ins: readonly Aval[],
  outs: readonly Aval[],
  regions: readonly Graph[],
): boolean {
  if ((moves[op.kind] && !op.computes) || regions.length > 0) return false;
  return [...ins, ...outs].some(({ dtype }) => dtypes[dtype].computesIn !== undefined);
}

/** What `computeWide` is told of the values that it works on. */
export interface WideOps<V extends Val> {
  cast(x: V, dtype: DType): V;
  apply(op: AnyOp, ins: readonly V[], attrs: Attrs): readonly V[];
}

/** Applies an op in the wider dtypes of its operands and results; `outs` are the avals that it has to give. */
export function computeWide<V extends Val>(
  { cast, apply }: WideOps<V>,
  op: AnyOp,
  ins: readonly V[],
  attrs: Attrs,
  outs: readonly Aval[],
): readonly V[] {
  const castTo = (x: V, dtype: DType): V => (x.aval.dtype === dtype ? x : cast(x, dtype));
  const wide = ins.map((x) => castTo(x, wideOf(x.aval.dtype)));
  // boundary: an attribute of this name is a dtype
  const wideAttrs = "dtype" in attrs ? { ...attrs, dtype: wideOf(attrs.dtype as DType) } : attrs;
  return apply(op, wide, wideAttrs).map((y, i) => castTo(y, outs[i]!.dtype));
}
