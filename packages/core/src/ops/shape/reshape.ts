import { avalOf, typed } from "../../ir/apply.js";
import { formatShape, sizeOf } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { type Dim, eqDim, floorDivDim, productDim } from "../../ir/dim.js";
import { check, defineOp, type Op, RuleError } from "../../ir/op.js";
import type { DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import type { Reshape } from "../../types/rules/reshape.js";
import type { Arg, Shape } from "../../types/shape.js";
import { apply1, toTensor } from "../public.js";

/** The new sizes. */
export type ReshapeAttrs = { readonly shape: readonly Dim[] };

export const reshapeOp: Op<"reshape", ReshapeAttrs> = defineOp({
  name: "reshape",
  version: 1,
  kind: "shape",
  arity: 1,
  sizeAttrs: ["shape"],
  infer([x], { shape }) {
    const [have, want] = [sizeOf(x!), productDim(shape)];
    check(
      "reshape.C1",
      eqDim(have, want),
      () => `${formatShape(x!.shape)} has ${have} elements, ${formatShape(shape)} has ${want}`,
    );
    return [{ dtype: x!.dtype, shape }];
  },
  reference([x], _attrs, [out]) {
    for (let i = 0; i < x!.data.length; i++) out!.data[i] = x!.data[i]!;
  },
  vjp: (b, [g], [x]) => [b.reshape([g!], { shape: x!.aval.shape })],
  batch: (b, [x], _batched, _attrs, [out]) => [b.reshape([x!], { shape: out!.shape })],
});
export const reshapeCases: Cases<ReshapeAttrs> = cases(reshapeOp, () => ({
  samples: [
    { ins: [[2, 3]], attrs: { shape: [3, 2] } },
    { ins: [[6]], attrs: { shape: [1, 6, 1] } },
    { ins: [[1]], attrs: { shape: [] } },
    { ins: [[]], attrs: { shape: [1, 1] } },
    { ins: [[0, 3]], attrs: { shape: [5, 0] } },
    { ins: [[5, 41, 5]], attrs: { shape: [1025] } },
  ],
  edges: [
    {
      ins: [
        [
          [1, 2],
          [3, -0],
        ],
      ],
      attrs: { shape: [4] },
      want: [1, 2, 3, -0],
    },
  ],
  reject: [{ ins: [[2, 3]], attrs: { shape: [4] }, code: "reshape.C1" }],
}));

/** `shape` with its one −1 replaced by what the number of elements leaves. */
export function inferSize(from: readonly Dim[], shape: readonly Dim[]): readonly Dim[] {
  const at = shape.indexOf(-1);
  if (at < 0) return shape;
  const rest = shape.filter((_, i) => i !== at);
  const [have, known] = [productDim(from), productDim(rest)];
  if (
    known === 0 ||
    shape.lastIndexOf(-1) !== at ||
    (typeof have === "number" && typeof known === "number" && have % known !== 0)
  ) {
    throw new RuleError(
      "E_SHAPE",
      "reshape.C2",
      `${formatShape(from)} (${have} elements) does not divide into ${formatShape(shape)}`,
    );
  }
  return shape.map((d, i) => (i === at ? floorDivDim(have, known) : d));
}

/**
 * The same elements in another shape; one size may be −1, which is what the others leave.
 * @example tf.reshape([[1, 2], [3, 4]], [-1]) // [1, 2, 3, 4]
 * @method
 */
export function reshape<const X extends Like, const T extends Shape>(
  x: X,
  shape: Arg<Reshape<ShapeOf<X>, T>, T>,
): Out<Reshape<ShapeOf<X>, T>, DTypeOf<X>> {
  const t = toTensor(x);
  return typed(apply1(reshapeOp, t, { shape: inferSize(avalOf(t).shape, shape as readonly Dim[]) }));
}
