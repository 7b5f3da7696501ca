import { avalOf, typed } from "../../ir/apply.js";
import type { Val } from "../../ir/aval.js";
import { axes, both, type Cases, cases, type Sample } from "../../ir/cases.js";
import { checkAttr, checkDType, defineOp, type Op, type VjpRule } from "../../ir/op.js";
import { dtypes } from "../../types/dtype.js";
import type { DTypeOf, Like, Out, ShapeOf, SumOf } from "../../types/operands.js";
import type { OnAxis } from "../../types/rules/axis.js";
import type { Arg } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { numeric } from "../elementwise.js";
import type { Ops } from "../names.js";
import { apply1, axisOf, castTo, toTensor } from "../public.js";
import { fillLike, stretch, zeroLike } from "../rules.js";
import { forEachLine } from "./line.js";

/** `reverse` starts at the end; `exclusive` leaves out the element itself, so that the first result is the identity. */
export type ScanAttrs = { readonly axis: number; readonly reverse: boolean; readonly exclusive: boolean };

interface ScanSpec<N extends string> {
  readonly name: N;
  readonly identity: number;
  float(accumulated: number, x: number): number;
  small(accumulated: number, x: number): number;
  int64(accumulated: bigint, x: bigint): bigint;
  readonly vjp: VjpRule<ScanAttrs>;
}

function defineScan<N extends "cumsum" | "cumprod">(spec: ScanSpec<N>): Op<N, ScanAttrs> {
  const { name, identity, vjp } = spec;
  return defineOp<N, ScanAttrs>({
    name,
    version: 1,
    kind: "scan",
    arity: 1,
    infer([x], { axis }) {
      checkDType(`${name}.C1`, numeric.has(x!.dtype), () => `needs a number, got ${x!.dtype}`);
      const inRange = Number.isInteger(axis) && axis >= 0 && axis < x!.shape.length;
      checkAttr(`${name}.C2`, inRange, () => `axis ${axis} is out of range for rank ${x!.shape.length}`);
      return [x!];
    },
    reference([x], { axis, reverse, exclusive }, [out]) {
      const wide = x!.dtype === "int64";
      // boundary: one domain for all elements of an array
      const fold = (wide ? spec.int64 : dtypes[x!.dtype].isFloat ? spec.float : spec.small) as ScanSpec<N>["float"];
      const first = (wide ? BigInt(identity) : identity) as number;
      forEachLine(x!.shape, axis, (start, step, count) => {
        let accumulated = first;
        for (let k = 0; k < count; k++) {
          const at = start + (reverse ? count - 1 - k : k) * step;
          const next = fold(accumulated, x!.data[at] as number);
          out!.data[at] = exclusive ? accumulated : next;
          accumulated = next;
        }
      });
    },
    vjp,
    batch: (b: Ops, [x], _batched, attrs) => [b[name]([x!], { ...attrs, axis: attrs.axis + 1 })],
  });
}

const flags = (axis: number): ScanAttrs[] =>
  both((reverse) => both((exclusive) => ({ axis, reverse, exclusive }))).flat();
const samples: readonly Sample<ScanAttrs>[] = [
  ...axes(3).flatMap((axis) => flags(axis).map((attrs) => ({ ins: [[2, 3, 4]], attrs }))),
  ...[[0], [1], [17], [1, 2, 1, 3, 1, 2]].map((shape) => ({ ins: [shape], attrs: flags(0)[0]! })),
  { ins: [[3, 0]], attrs: flags(0)[3]! },
];
const longSample: Sample<ScanAttrs> = { ins: [[1025]], attrs: flags(0)[0]! };
const forward: ScanAttrs = { axis: 0, reverse: false, exclusive: false };

function scan(name: string, op: Op<string, ScanAttrs>, x: Like, attrs: ScanAttrs): Tensor {
  const t = toTensor(x);
  const axis = axisOf(name, attrs.axis, avalOf(t).shape.length);
  return apply1(op, t.dtype === "bool" ? castTo(t, "int32") : t, { ...attrs, axis });
}

export const cumsumOp: Op<"cumsum", ScanAttrs> = defineScan({
  name: "cumsum",
  identity: 0,
  float: (sum, x) => sum + x,
  small: (sum, x) => (sum + x) | 0,
  int64: (sum, x) => BigInt.asIntN(64, sum + x),
  vjp: (b, [g], _ins, _outs, attrs) => [b.cumsum([g!], { ...attrs, reverse: !attrs.reverse })],
});
/**
 * The sums of all elements up to each one along `axis`: y[i] = Σ x[j] for j ≤ i. bool counts in int32; integers wrap.
 * @param axis 0 by default; a negative one counts from the end
 * @param exclusive leaves out the element itself: j < i
 * @param reverse starts at the end: j ≥ i
 * @example tf.cumsum([1, 2, 3]) // [1, 3, 6]
 * @method
 */
export function cumsum<const X extends Like, const A extends number = 0>(
  x: X,
  axis?: Arg<OnAxis<"cumsum", ShapeOf<X>, A>, A>,
  exclusive = false,
  reverse = false,
): Out<ShapeOf<X>, SumOf<DTypeOf<X>>> {
  return typed(scan("cumsum", cumsumOp, x, { axis: (axis as number | undefined) ?? 0, exclusive, reverse }));
}
export const cumsumCases: Cases<ScanAttrs> = cases(cumsumOp, () => ({
  samples: [...samples, longSample],
  edges: [
    { ins: [[1, 2, Infinity]], attrs: forward, want: [1, 3, Infinity] },
    { ins: [[1, NaN, 2, -Infinity]], attrs: { ...forward, exclusive: true }, want: [0, 1, NaN, NaN] },
    { ins: [[1, 2, 3]], attrs: { ...forward, exclusive: true, reverse: true }, want: [5, 3, 0] },
    { ins: [[2147483647, 1, 1]], dtypes: ["int32"], attrs: forward, want: [2147483647, -2147483648, -2147483647] },
    { ins: [[250, 10]], dtypes: ["uint8"], attrs: forward, want: [250, 4] },
    { ins: [[2n ** 63n - 1n, 1]], dtypes: ["int64"], attrs: forward, want: [2n ** 63n - 1n, -(2n ** 63n)] },
  ],
  gradients: [
    {
      ins: [
        [
          [1, 2],
          [3, 4],
        ],
      ],
      attrs: forward,
      want: [
        [
          [2, 2],
          [1, 1],
        ],
      ],
    },
  ],
  reject: [
    { ins: [[2]], attrs: { ...forward, axis: 1 }, code: "cumsum.C2" },
    { ins: [[2]], dtypes: ["bool"], attrs: forward, code: "cumsum.C1" },
  ],
}));

/**
 * dx[k] = Σ_i g[i] · Π of the elements before i (with i unless exclusive), without x[k]. The products are made by a scan
 * over an n × n square for each line, which is exact where some elements are 0; a division by x[k] is not.
 */
function cumprodCotangent(b: Ops, g: Val, x: Val, { axis, reverse, exclusive }: ScanAttrs): Val {
  const { shape } = x.aval;
  const size = shape[axis]!;
  // square[.., k, i, ..]: x along i, for every k
  const square = [...shape.slice(0, axis), size, size, ...shape.slice(axis + 1)];
  const alongI = shape.map((_, d) => (d < axis ? d : d + 1));
  const spread = (v: Val): Val => stretch(b, v, square, alongI);
  const place = (at: number): Val => b.iota([], { shape: square, axis: at, dtype: "int32" });
  const [k, i] = [place(axis), place(axis + 1)];
  const after = reverse ? b.lt([i, k]) : b.gt([i, k]);
  const factors = spread(x);
  const others = b.select([after, factors, fillLike(b, factors, 1)]);
  const products = b.cumprod([others], { axis: axis + 1, reverse, exclusive });
  const reached = exclusive ? after : b.not([reverse ? b.gt([i, k]) : b.lt([i, k])]);
  const terms = b.mul([spread(g), products]);
  const sums = b.reduceSum([b.select([reached, terms, zeroLike(b, terms)])], { axes: [axis + 1] });
  return b.mul([sums, b.cumprod([x], { axis, reverse, exclusive: true })]);
}

export const cumprodOp: Op<"cumprod", ScanAttrs> = defineScan({
  name: "cumprod",
  identity: 1,
  float: (product, x) => product * x,
  small: Math.imul,
  int64: (product, x) => BigInt.asIntN(64, product * x),
  vjp: (b, [g], [x], _outs, attrs) => [cumprodCotangent(b, g!, x!, attrs)],
});
/**
 * The products of all elements up to each one along `axis`: y[i] = Π x[j] for j ≤ i. bool counts in int32; integers wrap.
 * Its derivative takes n² memory for each line of n elements.
 * @param axis 0 by default; a negative one counts from the end
 * @param exclusive leaves out the element itself: j < i
 * @param reverse starts at the end: j ≥ i
 * @example tf.cumprod([1, 2, 3]) // [1, 2, 6]
 * @method
 */
export function cumprod<const X extends Like, const A extends number = 0>(
  x: X,
  axis?: Arg<OnAxis<"cumprod", ShapeOf<X>, A>, A>,
  exclusive = false,
  reverse = false,
): Out<ShapeOf<X>, SumOf<DTypeOf<X>>> {
  return typed(scan("cumprod", cumprodOp, x, { axis: (axis as number | undefined) ?? 0, exclusive, reverse }));
}
export const cumprodCases: Cases<ScanAttrs> = cases(cumprodOp, () => ({
  samples,
  edges: [
    { ins: [[2, 3, Infinity, 0]], attrs: forward, want: [2, 6, Infinity, NaN] },
    { ins: [[2, 3, 4]], attrs: { ...forward, exclusive: true }, want: [1, 2, 6] },
    { ins: [[2, 3, 4]], attrs: { ...forward, reverse: true }, want: [24, 12, 4] },
    { ins: [[65537, 65537]], dtypes: ["int32"], attrs: forward, want: [65537, 131073] },
    { ins: [[2n ** 62n, 3]], dtypes: ["int64"], attrs: forward, want: [2n ** 62n, BigInt.asIntN(64, 3n * 2n ** 62n)] },
  ],
  gradients: [
    { ins: [[2, 0, 3, 4]], attrs: forward, want: [[1, 32, 0, 0]] },
    { ins: [[2, 0, 0, 4]], attrs: forward, want: [[1, 2, 0, 0]] },
    { ins: [[2, 0, 3]], attrs: { ...forward, exclusive: true, reverse: true }, want: [[0, 3, 1]] },
  ],
  reject: [{ ins: [[2]], attrs: { ...forward, axis: -1 }, code: "cumprod.C2" }],
}));
