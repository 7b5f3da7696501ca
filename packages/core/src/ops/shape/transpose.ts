import { avalOf, typed } from "../../ir/apply.js";
import { type Cases, cases } from "../../ir/cases.js";
import { forEachIndex, stridesOf } from "../../ir/host.js";
import { checkAttr, defineOp, type Op } from "../../ir/op.js";
import type { DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import type { Transpose } from "../../types/rules/transpose.js";
import type { Arg, Shape } from "../../types/shape.js";
import { apply1, toTensor } from "../public.js";
import { axesOf, inversePerm } from "../rules.js";

/** Output axis i is operand axis `perm[i]`. */
export type TransposeAttrs = { readonly perm: readonly number[] };

export const transposeOp: Op<"transpose", TransposeAttrs> = defineOp({
  name: "transpose",
  version: 1,
  kind: "shape",
  arity: 1,
  infer([x], { perm }) {
    const { dtype, shape } = x!;
    const isPermutation = perm.length === shape.length && shape.every((_, axis) => perm.includes(axis));
    checkAttr("transpose.C1", isPermutation, () => `perm [${perm}] is not a permutation of ${shape.length} axes`);
    return [{ dtype, shape: perm.map((axis) => shape[axis]!) }];
  },
  reference([x], { perm }, [out]) {
    const from = stridesOf(x!.shape);
    const steps = perm.map((axis) => from[axis]!);
    forEachIndex(out!.shape, (index, flat) => {
      out!.data[flat] = x!.data[index.reduce((at, i, axis) => at + i * steps[axis]!, 0)]!;
    });
  },
  vjp: (b, [g], _ins, _outs, { perm }) => [b.transpose([g!], { perm: inversePerm(perm) })],
  batch: (b, [x], _batched, { perm }) => [b.transpose([x!], { perm: [0, ...perm.map((axis) => axis + 1)] })],
});
/**
 * Axes in another order: axis i of the result is axis `perm[i]` of `x`; all reversed by default.
 * @throws E_ARGUMENT where `perm` is not a permutation of x's axes
 * @example tf.transpose([[1, 2, 3], [4, 5, 6]]) // [[1, 4], [2, 5], [3, 6]]
 * @method
 */
export function transpose<const X extends Like, const P extends Shape | undefined = undefined>(
  x: X,
  perm?: Arg<Transpose<ShapeOf<X>, P>, P>,
): Out<Transpose<ShapeOf<X>, P>, DTypeOf<X>> {
  const t = toTensor(x);
  const given = perm as readonly number[] | undefined;
  return typed(apply1(transposeOp, t, { perm: given ?? axesOf(avalOf(t).shape.length).reverse() }));
}
export const transposeCases: Cases<TransposeAttrs> = cases(transposeOp, () => ({
  samples: [
    { ins: [[]], attrs: { perm: [] } },
    { ins: [[5]], attrs: { perm: [0] } },
    { ins: [[2, 3]], attrs: { perm: [1, 0] } },
    { ins: [[17, 15]], attrs: { perm: [1, 0] } },
    { ins: [[2, 3, 4]], attrs: { perm: [2, 0, 1] } },
    { ins: [[2, 0, 4]], attrs: { perm: [1, 2, 0] } },
    { ins: [[2, 1, 3, 1, 2, 2]], attrs: { perm: [5, 2, 0, 4, 1, 3] } },
  ],
  edges: [
    {
      ins: [
        [
          [1, -0, NaN],
          [4, 5, Infinity],
        ],
      ],
      attrs: { perm: [1, 0] },
      want: [
        [1, 4],
        [-0, 5],
        [NaN, Infinity],
      ],
    },
  ],
  reject: [
    { ins: [[2, 3]], attrs: { perm: [0, 0] }, code: "transpose.C1" },
    { ins: [[2, 3]], attrs: { perm: [0] }, code: "transpose.C1" },
    { ins: [[2, 3]], attrs: { perm: [0, 2] }, code: "transpose.C1" },
  ],
}));
