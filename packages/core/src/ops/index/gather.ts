import { avalOf, typed } from "../../ir/apply.js";
import { type Cases, cases, type Sample } from "../../ir/cases.js";
import { defineOp, type Op } from "../../ir/op.js";
import type { DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import type { Gather } from "../../types/rules/index-ops.js";
import type { Arg } from "../../types/shape.js";
import { apply, axisOf, toTensor } from "../public.js";
import { refusal } from "../refuse.js";
import { fillLike, inversePerm } from "../rules.js";
import {
  axesFirst,
  forEachRow,
  type IndexAttrs,
  indexedShape,
  picksFirst,
  rowIndices,
  toIndices,
  toRows,
  transposed,
} from "./rows.js";

export const gatherOp: Op<"gather", IndexAttrs> = defineOp({
  name: "gather",
  version: 1,
  kind: "index",
  arity: 2,
  infer: ([x, indices], { axis }) => [{ dtype: x!.dtype, shape: indexedShape("gather", x!, indices!, axis) }],
  reference([x, indices], { axis }, [out]) {
    forEachRow(x!, indices!, axis, (from, to, length) => {
      for (let i = 0; i < length && from >= 0; i++) out!.data[to + i] = x!.data[from + i]!;
    });
  },
  vjp: (b, [g], [x, indices], _outs, { axis }) => [b.scatterAdd([fillLike(b, x!, 0), indices!, g!], { axis }), null],
  batch(b, [x, indices], batched, { axis }) {
    if (!batched[1]) return [b.gather([x!, indices!], { axis: axis + 1 })];
    const indexRank = indices!.aval.shape.length;
    if (!batched[0]) {
      const picked = b.gather([x!, indices!], { axis });
      return [transposed(b, picked, axesFirst(picked.aval.shape.length, [axis]))];
    }
    const flat = rowIndices(b, indices!, x!.aval.shape[axis + 1]!);
    const picked = b.gather([toRows(b, x!, axis).val, flat], { axis: 0 });
    return [transposed(b, picked, inversePerm(picksFirst(picked.aval.shape.length, axis, indexRank)))];
  },
});
/**
 * The elements of `x` at `indices` along `axis`: [..., n, ...] and [i, j] give [..., i, j, ...]. An index outside gives 0.
 * @param indices int32 or int64, of any shape; plain numbers are int32
 * @param batchDims 0: leading axes that x and indices share are not built yet
 * @throws E_UNIMPLEMENTED for other batchDims
 * @example tf.gather([[1, 2], [3, 4], [5, 6]], [2, 0]) // [[5, 6], [1, 2]]
 * @method
 */
export function gather<const X extends Like, const I extends Like, const A extends number = 0>(
  x: X,
  indices: Arg<Gather<ShapeOf<X>, I, A>, I>,
  axis?: A,
  batchDims: 0 = 0,
): Out<Gather<ShapeOf<X>, I, A>, DTypeOf<X>> {
  if (batchDims !== 0) throw refusal("gather.batchDims", "batchDims is not built yet", [], "E_UNIMPLEMENTED");
  const t = toTensor(x);
  const at = axisOf("gather", axis ?? 0, avalOf(t).shape.length);
  return typed(apply(gatherOp, [t, toIndices("gather", indices as Like, t)], { axis: at }));
}
export const gatherCases: Cases<IndexAttrs> = cases(gatherOp, () => ({
  samples: [
    sample([5], [3], 0),
    sample([5], [], 0),
    sample([4, 3], [2], 0),
    sample([4, 3], [2, 2], 1),
    sample([2, 17, 3], [15], 1),
    sample([2, 3, 4], [2, 2], 2),
    sample([2, 3, 4], [0], 1),
    sample([0, 3], [2], 0),
    sample([3, 0], [2], 0),
    sample([1, 2, 1, 3, 2, 2], [2], 3),
    { ...sample([4, 3], [2], 0), dtypes: ["*", "int64"] },
  ],
  edges: [
    {
      ins: [
        [NaN, -0, 3],
        [1, 0, -1, 3],
      ],
      dtypes: ["float32", "int32"],
      attrs: { axis: 0 },
      want: [-0, NaN, 0, 0],
    },
  ],
  reject: [
    { ins: [[3], [2]], attrs: { axis: 0 }, code: "gather.C1" },
    { ins: [[3], [2]], dtypes: ["float32", "int32"], attrs: { axis: 1 }, code: "gather.C2" },
  ],
}));

/** Indices from one below the axis to one above it. */
function sample(x: readonly number[], indices: readonly number[], axis: number): Sample<IndexAttrs> {
  return {
    ins: [x, indices],
    dtypes: ["*", "int32"],
    domain: [
      [-2, 2],
      [-1, x[axis]!],
    ],
    attrs: { axis },
  };
}
