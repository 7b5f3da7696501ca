import { type Aval, formatShape } from "../../ir/aval.js";
import { type Cases, cases, type Edge, type Sample } from "../../ir/cases.js";
import { addDim, type Dim, subDim } from "../../ir/dim.js";
import { forEachIndex, type HostArray, stridesOf } from "../../ir/host.js";
import { checkAttr, checkDType, defineOp, type Op, type VjpRule } from "../../ir/op.js";
import type { DType } from "../../types/dtype.js";
import { greaterOf, lesserOf, numeric } from "../elementwise.js";
import type { Ops } from "../names.js";
import { limit } from "../reduce/extrema.js";
import { scalarOf } from "../rules.js";
import { dilatedDim } from "../shape/pad.js";
import { isCounts, windowCount } from "./windows.js";

/** A window over all axes: its sizes, the steps between windows, and what is padded before and after each axis. */
export type WindowAttrs = {
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly low: readonly Dim[];
  readonly high: readonly Dim[];
};

/** Holds the rules of a window over `x`, and gives the number of windows along each axis. */
export function windowedShape(name: string, x: Aval, { window, strides, low, high }: WindowAttrs): Dim[] {
  const rank = x.shape.length;
  checkDType(`${name}.C1`, numeric.has(x.dtype), () => `needs ${numeric.words}, got ${x.dtype}`);
  const complete =
    isCounts(window, rank, 1) && isCounts(strides, rank, 1) && low.length === rank && high.length === rank;
  checkAttr(
    `${name}.C2`,
    complete,
    () => `needs a window, a stride and paddings for each axis of ${formatShape(x.shape)}`,
  );
  return x.shape.map((size, i) =>
    windowCount(`${name}.C3`, addDim(addDim(size, low[i]!), high[i]!), window[i]!, strides[i]!),
  );
}

/** The same window on a tensor with a new leading axis. */
export function withLeadingAxis({ window, strides, low, high }: WindowAttrs): WindowAttrs {
  return { window: [1, ...window], strides: [1, ...strides], low: [0, ...low], high: [0, ...high] };
}

/** Calls `visit` for each window and each element in it that is no padding, in row-major order. */
export function forEachInWindows(
  x: readonly number[],
  out: readonly number[],
  { window, strides, low }: WindowAttrs,
  visit: (window: number, element: number) => void,
): void {
  const steps = stridesOf(x);
  forEachIndex(out, (index, flat) => {
    forEachIndex(window, (offset) => {
      let at = 0;
      for (let axis = 0; axis < x.length; axis++) {
        const i = index[axis]! * strides[axis]! + offset[axis]! - Number(low[axis]);
        if (i < 0 || i >= x[axis]!) return;
        at += i * steps[axis]!;
      }
      visit(flat, at);
    });
  });
}

/** What the author of a reduction over windows writes. */
interface ReduceWindowSpec<N extends string> {
  readonly name: N;
  /** What padding counts as, and the result of a window of padding alone. */
  initial(dtype: DType): { readonly float: number; readonly int64: bigint };
  float(accumulated: number, x: number): number;
  int64(accumulated: bigint, x: bigint): bigint;
  batch(b: Ops): Ops["reduceWindowSum"];
  readonly vjp: VjpRule<WindowAttrs>;
}

function defineReduceWindow<N extends string>(spec: ReduceWindowSpec<N>): Op<N, WindowAttrs> {
  const { name, vjp, batch } = spec;
  return defineOp<N, WindowAttrs>({
    name,
    version: 1,
    kind: "window",
    arity: 1,
    sizeAttrs: ["low", "high"],
    infer: ([x], attrs) => [{ dtype: x!.dtype, shape: windowedShape(name, x!, attrs) }],
    reference: ([x], attrs, [out]) => fold(spec, x!, attrs, out!),
    vjp,
    batch: (b, [x], _batched, attrs) => [batch(b)([x!], withLeadingAxis(attrs))],
  });
}

function fold(spec: ReduceWindowSpec<string>, x: HostArray, attrs: WindowAttrs, out: HostArray): void {
  const initial = spec.initial(x.dtype);
  if (x.dtype === "int64") {
    const sums = new Array<bigint>(out.data.length).fill(initial.int64);
    forEachInWindows(x.shape, out.shape, attrs, (to, from) => {
      sums[to] = spec.int64(sums[to]!, BigInt(x.data[from]!));
    });
    for (const [i, sum] of sums.entries()) out.data[i] = sum;
  } else {
    const sums = new Float64Array(out.data.length).fill(initial.float);
    forEachInWindows(x.shape, out.shape, attrs, (to, from) => {
      sums[to] = spec.float(sums[to]!, Number(x.data[from]!));
    });
    for (const [i, sum] of sums.entries()) out.data[i] = sum;
  }
}

export const reduceWindowSumOp: Op<"reduceWindowSum", WindowAttrs> = defineReduceWindow({
  name: "reduceWindowSum",
  initial: () => ({ float: 0, int64: 0n }),
  float: (sum, x) => sum + x,
  int64: (sum, x) => sum + x,
  batch: (b) => b.reduceWindowSum,
  vjp(b, [g], [x], _outs, { window, strides, low }) {
    // Element i gets the cotangents of the windows over it: a sum over windows of the spread-out cotangent.
    const { shape } = x!.aval;
    const before = window.map((n, i) => subDim(n - 1, low[i]!));
    const extent = g!.aval.shape.map((count, i) => dilatedDim(count, strides[i]!));
    const after = shape.map((size, i) => addDim(subDim(size, extent[i]!), low[i]!));
    const zero = scalarOf(b, g!.aval.dtype, 0);
    const spread = b.pad([g!, zero], { low: before, high: after, interior: strides.map((s) => s - 1) });
    const none = shape.map(() => 0);
    return [b.reduceWindowSum([spread], { window, strides: shape.map(() => 1), low: none, high: none })];
  },
});
export const reduceWindowSumCases: Cases<WindowAttrs> = cases(reduceWindowSumOp, () => ({
  samples: windowSamples(),
  edges: windowEdges(4, 0),
  reject: windowRejects("reduceWindowSum"),
}));

export const reduceWindowMaxOp: Op<"reduceWindowMax", WindowAttrs> = defineReduceWindow({
  name: "reduceWindowMax",
  initial: (dtype) => limit(dtype, 0),
  float: Math.max,
  int64: greaterOf,
  batch: (b) => b.reduceWindowMax,
  vjp: (b, [g], [x], _outs, attrs) => [b.selectAndScatterAdd([x!, g!], attrs)],
});
export const reduceWindowMaxCases: Cases<WindowAttrs> = cases(reduceWindowMaxOp, () => ({
  samples: windowSamples(),
  edges: windowEdges(3, -Infinity),
  reject: windowRejects("reduceWindowMax"),
}));

export const reduceWindowMinOp: Op<"reduceWindowMin", WindowAttrs> = defineReduceWindow({
  name: "reduceWindowMin",
  initial: (dtype) => limit(dtype, 1),
  float: Math.min,
  int64: lesserOf,
  batch: (b) => b.reduceWindowMin,
  // The least of x is where the greatest of −x is.
  vjp: (b, [g], [x], _outs, attrs) => [b.selectAndScatterAdd([b.neg([x!]), g!], attrs)],
});
export const reduceWindowMinCases: Cases<WindowAttrs> = cases(reduceWindowMinOp, () => ({
  samples: windowSamples(),
  edges: windowEdges(1, Infinity),
  reject: windowRejects("reduceWindowMin"),
}));

/** Windows of every kind on shapes up to rank 4: overlapping, apart, with gaps, padded, of size 1 and on nothing. */
export function windowSamples(): Sample<WindowAttrs>[] {
  const sample = (
    shape: number[],
    window: number[],
    strides: number[],
    low: number[],
    high: number[],
  ): Sample<WindowAttrs> => ({
    ins: [shape],
    attrs: { window, strides, low, high },
  });
  return [
    sample([], [], [], [], []),
    sample([7], [3], [1], [0], [0]),
    sample([7], [3], [2], [1], [1]),
    sample([7], [2], [3], [0], [2]),
    sample([17], [5], [4], [2], [0]),
    sample([3], [1], [1], [0], [0]),
    sample([2], [3], [1], [0], [0]),
    sample([0, 3], [1, 2], [1, 1], [0, 0], [0, 0]),
    sample([5, 4], [2, 3], [2, 1], [1, 1], [0, 1]),
    sample([2, 5, 6, 3], [1, 2, 2, 1], [1, 2, 2, 1], [0, 0, 0, 0], [0, 0, 0, 0]),
    sample([2, 5, 6, 3], [1, 3, 3, 1], [1, 2, 1, 1], [0, 1, 1, 0], [0, 1, 1, 0]),
  ];
}

/** A window of two over [1, 3] gives `pair`; NaN is seen by both windows over it; padding counts as `padding`. */
function windowEdges(pair: number, padding: number): Edge<WindowAttrs>[] {
  const plain = { window: [2], strides: [1], low: [0], high: [0] };
  return [
    { ins: [[1, 3]], attrs: plain, want: [pair] },
    { ins: [[1, NaN, 2]], attrs: plain, want: [NaN, NaN] },
    { ins: [[5]], attrs: { window: [1], strides: [1], low: [1], high: [0] }, want: [padding, 5] },
  ];
}

function windowRejects(name: string): NonNullable<Cases<WindowAttrs>["reject"]> {
  const plain = { window: [2], strides: [1], low: [0], high: [0] };
  return [
    { ins: [[3]], dtypes: ["bool"], attrs: plain, code: `${name}.C1` },
    { ins: [[3]], attrs: { ...plain, window: [0] }, code: `${name}.C2` },
    { ins: [[3]], attrs: { ...plain, low: [0, 0] }, code: `${name}.C2` },
    { ins: [[3]], attrs: { ...plain, window: [5] }, code: `${name}.C3` },
  ];
}
