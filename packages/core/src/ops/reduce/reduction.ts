// What reductions share: axes go, the rest stays; elements are folded in row-major order.
import { avalOf } from "../../ir/apply.js";
import type { Val } from "../../ir/aval.js";
import type { Sample } from "../../ir/cases.js";
import { productDim } from "../../ir/dim.js";
import { forEachIndex, type HostArray, stridesOf } from "../../ir/host.js";
import {
  type BatchRule,
  type Composite,
  checkAttr,
  checkDType,
  defineComposite,
  defineOp,
  type LowerRule,
  type NoRule,
  type Op,
  type OpSpec,
  type VjpRule,
} from "../../ir/op.js";
import type { DType } from "../../types/dtype.js";
import { dtypes } from "../../types/dtype.js";
import type { Tensor } from "../../types/tensor.js";
import type { DTypeSet } from "../elementwise.js";
import type { Ops } from "../names.js";
import { apply1, axesFrom } from "../public.js";
import { scalarOf } from "../rules.js";
import { reshapeOp } from "../shape/reshape.js";

/** The axes that go, rising. */
export type ReduceAttrs = { readonly axes: readonly number[] };

/** What the author of a reduction writes. */
export interface ReductionSpec<N extends string> {
  readonly name: N;
  readonly accepts: DTypeSet;
  /** The identity: the result of an empty reduction. */
  initial(dtype: DType): { readonly float: number; readonly int64: bigint };
  float(accumulated: number, x: number): number;
  int64?(accumulated: bigint, x: bigint): bigint;
  /** Products of 32-bit integers wrap at each step. */
  small?(accumulated: number, x: number): number;
  readonly vjp: VjpRule<ReduceAttrs> | NoRule;
}

/** Shape and dtype rule of a reduction. */
function inferReduced(name: string, accepts: DTypeSet): OpSpec<string, ReduceAttrs>["infer"] {
  return ([x], { axes }) => {
    checkDType(`${name}.C1`, accepts.has(x!.dtype), () => `needs ${accepts.words}, got ${x!.dtype}`);
    const rank = x!.shape.length;
    const rising = axes.every((a, i) => Number.isInteger(a) && a >= 0 && a < rank && (i === 0 || a > axes[i - 1]!));
    checkAttr(`${name}.C2`, rising, () => `axes [${axes}] must rise within rank ${rank}`);
    return [{ dtype: x!.dtype, shape: x!.shape.filter((_, i) => !axes.includes(i)) }];
  };
}

/** The axes of a reduction whose operand has a new leading axis. */
const batchOf =
  (name: string): BatchRule<ReduceAttrs> =>
  (b, [x], _batched, { axes }) => [
    applyReduction(
      b,
      name,
      x!,
      axes.map((a) => a + 1),
    ),
  ];

/** What the author of a reduction writes that other ops compute. */
export interface ReductionCompositeSpec<N extends string> {
  readonly name: N;
  readonly accepts: DTypeSet;
  readonly lower: LowerRule<ReduceAttrs>;
  readonly vjp: VjpRule<ReduceAttrs>;
}

/** Defines a reduction by its decomposition. */
export function defineReductionComposite<N extends string>(spec: ReductionCompositeSpec<N>): Composite<N, ReduceAttrs> {
  const { name, accepts, lower, vjp } = spec;
  return defineComposite<N, ReduceAttrs>({
    name,
    version: 1,
    arity: 1,
    infer: inferReduced(name, accepts),
    lower,
    vjp,
    batch: batchOf(name),
  });
}

/** Defines a primitive that folds the elements along some axes. */
export function defineReduction<N extends string>(spec: ReductionSpec<N>): Op<N, ReduceAttrs> {
  const { name, accepts } = spec;
  return defineOp<N, ReduceAttrs>({
    name,
    version: 1,
    kind: "reduce",
    arity: 1,
    infer: inferReduced(name, accepts),
    reference: ([x], { axes }, [out]) => fold(spec, x!, axes, out!),
    vjp: spec.vjp,
    batch: (b: Ops, [x], _batched, { axes }) => [
      applyReduction(
        b,
        name,
        x!,
        axes.map((a) => a + 1),
      ),
    ],
  });
}

/** The number of elements that are folded into one, as a scalar of the dtype of `x`; it may be known at run time only. */
export function countAlong(b: Ops, x: Val, axes: readonly number[]): Val {
  const { dtype, shape } = x.aval;
  const size = productDim(axes.map((a) => shape[a]!));
  return typeof size === "number" ? scalarOf(b, dtype, size) : b.dimension([], { size, dtype });
}

/** Calls the reduction called `name`: its own batching rule needs it before the table knows it. */
function applyReduction(b: Ops, name: string, x: Val, axes: readonly number[]): Val {
  // boundary: every name that a reduction is defined with is an op of the table with ReduceAttrs.
  const op = b[name as "reduceSum"];
  return op([x], { axes });
}

function fold<N extends string>(spec: ReductionSpec<N>, x: HostArray, axes: readonly number[], out: HostArray): void {
  const outStrides = stridesOf(out.shape);
  let kept = 0;
  const steps = x.shape.map((_, i) => (axes.includes(i) ? 0 : outStrides[kept++]!));
  const wide = x.dtype === "int64";
  const initial = spec.initial(x.dtype);
  // Accumulates in doubles, or exactly in integers; rounds once, when it is stored.
  const count = out.data.length;
  const sums = wide ? undefined : new Float64Array(count).fill(initial.float);
  const wideSums = wide ? new Array<bigint>(count).fill(initial.int64) : undefined;
  const f = dtypes[x.dtype].isFloat ? spec.float : (spec.small ?? spec.float);
  forEachIndex(x.shape, (index, flat) => {
    let to = 0;
    for (let axis = 0; axis < steps.length; axis++) to += index[axis]! * steps[axis]!;
    if (sums) sums[to] = f(sums[to]!, Number(x.data[flat]!));
    else if (wideSums) wideSums[to] = spec.int64!(wideSums[to]!, BigInt(x.data[flat]!));
  });
  for (let i = 0; i < count; i++) out.data[i] = sums ? sums[i]! : wideSums![i]!;
}

/** The public form: any axis, negative ones too, with or without keeping the reduced axes. */
export function reduce(
  name: string,
  op: Op<string, ReduceAttrs>,
  x: Tensor,
  axis: number | readonly number[] | undefined,
  keepDims = false,
): Tensor {
  const { shape } = avalOf(x);
  const axes = axesFrom(name, axis, shape.length);
  const y = axes.length === 0 ? x : apply1(op, x, { axes });
  return keepDims ? apply1(reshapeOp, y, { shape: shape.map((d, i) => (axes.includes(i) ? 1 : d)) }) : y;
}

/** Shapes and axes that every reduction is tested on. */
export const reduceSamples: readonly Sample<ReduceAttrs>[] = [
  { ins: [[5]], attrs: { axes: [0] } },
  { ins: [[2, 3]], attrs: { axes: [0] } },
  { ins: [[2, 3]], attrs: { axes: [1] } },
  { ins: [[2, 3]], attrs: { axes: [0, 1] } },
  { ins: [[3, 17, 2]], attrs: { axes: [1] } },
  { ins: [[3, 2, 4]], attrs: { axes: [0, 2] } },
  { ins: [[1025]], attrs: { axes: [0] } },
  { ins: [[0, 3]], attrs: { axes: [0] } },
  { ins: [[3, 0]], attrs: { axes: [0] } },
  { ins: [[]], attrs: { axes: [] } },
  { ins: [[1, 2, 1, 3, 1, 2]], attrs: { axes: [1, 3, 5] } },
];
