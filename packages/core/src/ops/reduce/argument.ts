// The place of an extremum: the first of several. NaN is never it, and where there is nothing but NaN and the value that
// every other one beats, the place is 0: as TensorFlow 2.21 on the CPU.
import { avalOf, typed } from "../../ir/apply.js";
import { type Cases, cases, type Edge, type Sample } from "../../ir/cases.js";
import { leDim } from "../../ir/dim.js";
import { check, checkAttr, checkDType, defineOp, type Op } from "../../ir/op.js";
import type { Like, Out, ShapeOf } from "../../types/operands.js";
import type { ArgReduce } from "../../types/rules/reduce.js";
import type { Arg } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { numeric } from "../elementwise.js";
import type { Ops } from "../names.js";
import { apply1, axisOf, castTo, toTensor } from "../public.js";
import { forEachLine } from "./line.js";

/** The axis that goes. */
export type ArgumentAttrs = { readonly axis: number };

type Wins = <T extends number | bigint>(x: T, best: T) => boolean;

/** `worst` is the float that any other one beats. */
function defineArgument<N extends "argMax" | "argMin">(name: N, worst: number, wins: Wins): Op<N, ArgumentAttrs> {
  return defineOp<N, ArgumentAttrs>({
    name,
    version: 1,
    kind: "reduce",
    arity: 1,
    infer([x], { axis }) {
      const { dtype, shape } = x!;
      checkDType(`${name}.C1`, numeric.has(dtype), () => `needs a number, got ${dtype}`);
      const inRange = Number.isInteger(axis) && axis >= 0 && axis < shape.length;
      checkAttr(`${name}.C2`, inRange, () => `axis ${axis} is out of range for rank ${shape.length}`);
      check(`${name}.C3`, leDim(1, shape[axis]!), () => `axis ${axis} is empty, so it has no extremum`);
      return [{ dtype: "int32", shape: shape.filter((_, i) => i !== axis) }];
    },
    reference([x], { axis }, [out]) {
      let line = 0;
      forEachLine(x!.shape, axis, (start, step, count) => {
        // boundary: the elements of one array are all numbers, or all bigints
        const at = (i: number): number => x!.data[start + i * step] as number;
        let [place, best] = [0, Number.isNaN(at(0)) ? worst : at(0)];
        for (let i = 1; i < count; i++) if (wins(at(i), best)) [place, best] = [i, at(i)];
        out!.data[line++] = place;
      });
    },
    vjp: () => [null],
    batch: (b: Ops, [x], _batched, { axis }) => [b[name]([x!], { axis: axis + 1 })],
  });
}

const samples: readonly Sample<ArgumentAttrs>[] = [
  { ins: [[5]], attrs: { axis: 0 } },
  { ins: [[2, 3, 4]], attrs: { axis: 0 } },
  { ins: [[2, 3, 4]], attrs: { axis: 1 } },
  { ins: [[2, 3, 4]], attrs: { axis: 2 } },
  { ins: [[1025]], attrs: { axis: 0 } },
  { ins: [[0, 3]], attrs: { axis: 1 } },
  { ins: [[1, 2, 1, 17, 1, 2]], attrs: { axis: 3 } },
];

const ties: readonly number[][] = [
  [1, 3, 3, 1],
  [NaN, 1, 2, 3],
  [2, NaN, 3, 1],
  [NaN, NaN, NaN, NaN],
  [-0, 0, -0, 0],
  [-Infinity, -Infinity, Infinity, Infinity],
  [NaN, -Infinity, NaN, Infinity],
];
const edge = (want: readonly number[]): Edge<ArgumentAttrs> => ({ ins: [ties], attrs: { axis: 1 }, want });

function argument(name: string, op: Op<string, ArgumentAttrs>, x: Like, axis: number): Tensor {
  const t = toTensor(x);
  const from = axisOf(name, axis, avalOf(t).shape.length);
  return apply1(op, t.dtype === "bool" ? castTo(t, "int32") : t, { axis: from });
}

export const argMaxOp: Op<"argMax", ArgumentAttrs> = defineArgument("argMax", -Infinity, (x, best) => x > best);
/**
 * The index of the greatest element along `axis`, int32; of several the first.
 * @param axis 0 by default; a negative one counts from the end
 * @example tf.argMax([[1, 5, 2], [7, 3, 7]], 1) // [1, 0]
 * @method
 */
export function argMax<const X extends Like, const A extends number = 0>(
  x: X,
  axis?: Arg<ArgReduce<"argMax", ShapeOf<X>, A>, A>,
): Out<ArgReduce<"argMax", ShapeOf<X>, A>, "int32"> {
  return typed(argument("argMax", argMaxOp, x, (axis as number | undefined) ?? 0));
}
export const argMaxCases: Cases<ArgumentAttrs> = cases(argMaxOp, () => ({
  samples,
  edges: [
    edge([1, 3, 2, 0, 0, 2, 3]),
    { ins: [[2n ** 62n, 2n ** 62n + 1n]], dtypes: ["int64"], attrs: { axis: 0 }, want: 1 },
  ],
  reject: [
    { ins: [[2]], dtypes: ["bool"], attrs: { axis: 0 }, code: "argMax.C1" },
    { ins: [[2]], attrs: { axis: 1 }, code: "argMax.C2" },
    { ins: [[2, 0]], attrs: { axis: 1 }, code: "argMax.C3" },
  ],
}));

export const argMinOp: Op<"argMin", ArgumentAttrs> = defineArgument("argMin", Infinity, (x, best) => x < best);
/**
 * The index of the least element along `axis`, int32; of several the first.
 * @param axis 0 by default; a negative one counts from the end
 * @example tf.argMin([[1, 5, 2], [7, 3, 3]], 1) // [0, 1]
 * @method
 */
export function argMin<const X extends Like, const A extends number = 0>(
  x: X,
  axis?: Arg<ArgReduce<"argMin", ShapeOf<X>, A>, A>,
): Out<ArgReduce<"argMin", ShapeOf<X>, A>, "int32"> {
  return typed(argument("argMin", argMinOp, x, (axis as number | undefined) ?? 0));
}
export const argMinCases: Cases<ArgumentAttrs> = cases(argMinOp, () => ({
  samples,
  edges: [edge([0, 1, 3, 0, 0, 0, 1])],
  reject: [{ ins: [[0]], attrs: { axis: 0 }, code: "argMin.C3" }],
}));
