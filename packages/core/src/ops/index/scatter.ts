import { type Aval, formatShape, sameShape, sizeOf, type Val } from "../../ir/aval.js";
import { type Cases, cases, type Sample } from "../../ir/cases.js";
import { check, checkDType, defineOp, type Op } from "../../ir/op.js";
import { numeric } from "../elementwise.js";
import type { Ops } from "../names.js";
import { fillLike, scalarOf, stretch } from "../rules.js";
import {
  forEachRow,
  type IndexAttrs,
  indexedShape,
  picksFirst,
  rowIndices,
  toRows,
  transposed,
  withBatch,
} from "./rows.js";

/** Operands of a scatter: `updates` has the shape that gather would give for these indices. */
function inferScatter(name: string, [x, indices, updates]: readonly Aval[], axis: number): readonly Aval[] {
  const want = indexedShape(name, x!, indices!, axis);
  checkDType(`${name}.C3`, updates!.dtype === x!.dtype, () => `needs one dtype, got ${x!.dtype} and ${updates!.dtype}`);
  const fits = sameShape(want, updates!.shape);
  check(`${name}.C4`, fits, () => `needs updates of shape ${formatShape(want)}, got ${formatShape(updates!.shape)}`);
  return [x!];
}

type Scatter = Ops["scatterAdd"];

/** Batches a scatter: along its own axis where the indices are shared, else into rows of all batches. */
function batchScatter(
  b: Ops,
  scatter: Scatter,
  ins: readonly Val[],
  batched: readonly boolean[],
  axis: number,
  out: Aval,
): Val {
  const size = out.shape[0]!;
  const [x, updates] = [withBatch(b, ins[0]!, batched[0], size), withBatch(b, ins[2]!, batched[2], size)];
  if (!batched[1]) return scatter([x, ins[1]!, updates], { axis: axis + 1 });
  const rows = toRows(b, x, axis);
  const indices = rowIndices(b, ins[1]!, x.aval.shape[axis + 1]!);
  const moved = transposed(b, updates, picksFirst(updates.aval.shape.length, axis, indices.aval.shape.length));
  return rows.restore(scatter([rows.val, indices, moved], { axis: 0 }));
}

export const scatterAddOp: Op<"scatterAdd", IndexAttrs> = defineOp({
  name: "scatterAdd",
  version: 1,
  kind: "index",
  computes: true,
  arity: 3,
  infer(ins, { axis }) {
    checkDType("scatterAdd.C5", numeric.has(ins[0]!.dtype), () => `needs ${numeric.words}, got ${ins[0]!.dtype}`);
    return inferScatter("scatterAdd", ins, axis);
  },
  reference([x, indices, updates], { axis }, [out]) {
    // Sums are kept exactly, or in doubles, and rounded once.
    const wide = x!.dtype === "int64";
    const sums: (number | bigint)[] = Array.from<number | bigint>(x!.data);
    forEachRow(out!, indices!, axis, (from, to, length) => {
      for (let i = 0; i < length && from >= 0; i++) {
        const [sum, more] = [sums[from + i]!, updates!.data[to + i]!];
        sums[from + i] = wide ? BigInt(sum) + BigInt(more) : Number(sum) + Number(more);
      }
    });
    sums.forEach((sum, i) => {
      out!.data[i] = sum;
    });
  },
  vjp: (b, [g], [, indices], _outs, { axis }) => [g!, null, b.gather([g!, indices!], { axis })],
  batch: (b, ins, batched, { axis }, [out]) => [batchScatter(b, b.scatterAdd, ins, batched, axis, out!)],
});
export const scatterAddCases: Cases<IndexAttrs> = cases(scatterAddOp, () => ({
  samples: scatterSamples(),
  edges: [
    {
      ins: [
        [1, 2, 3],
        [2, 0, 2, -1, 3],
        [10, 20, 30, 40, NaN],
      ],
      dtypes: ["float32", "int32", "float32"],
      attrs: { axis: 0 },
      want: [21, 2, 43],
    },
    { ins: [[250], [0, 0], [5, 3]], dtypes: ["uint8", "int32", "uint8"], attrs: { axis: 0 }, want: [2] },
    { ins: [[[1, 2]], [1], [[7]]], dtypes: ["int64", "int64", "int64"], attrs: { axis: 1 }, want: [[1, 9]] },
  ],
  reject: scatterRejects("scatterAdd"),
}));

export const scatterSetOp: Op<"scatterSet", IndexAttrs> = defineOp({
  name: "scatterSet",
  version: 1,
  kind: "index",
  arity: 3,
  infer: (ins, { axis }) => inferScatter("scatterSet", ins, axis),
  reference([x, indices, updates], { axis }, [out]) {
    for (let i = 0; i < x!.data.length; i++) out!.data[i] = x!.data[i]!;
    forEachRow(out!, indices!, axis, (from, to, length) => {
      for (let i = 0; i < length && from >= 0; i++) out!.data[from + i] = updates!.data[to + i]!;
    });
  },
  vjp(b, [g], [, indices, updates], _outs, { axis }) {
    const nothing = fillLike(b, updates!, 0);
    const picked = b.gather([g!, indices!], { axis });
    return [
      b.scatterSet([g!, indices!, nothing], { axis }),
      null,
      b.select([isLast(b, indices!, g!.aval, picked.aval, axis), picked, nothing]),
    ];
  },
  batch: (b, ins, batched, { axis }, [out]) => [batchScatter(b, b.scatterSet, ins, batched, axis, out!)],
});

/** Where an update is the last one to its place, in the shape of the updates: earlier ones were overwritten. */
function isLast(b: Ops, indices: Val, x: Aval, updates: Aval, axis: number): Val {
  const { shape } = indices.aval;
  const flat = b.reshape([indices], { shape: [sizeOf(indices.aval)] });
  const turn = b.iota([], { shape: flat.aval.shape, axis: 0, dtype: "int32" });
  const none = stretch(b, scalarOf(b, "int32", -1), [x.shape[axis]!], []);
  const winners = b.scatterSet([none, flat, turn], { axis: 0 });
  const won = b.reshape([b.eq([b.gather([winners, flat], { axis: 0 }), turn])], { shape });
  return stretch(
    b,
    won,
    updates.shape,
    shape.map((_, i) => axis + i),
  );
}

export const scatterSetCases: Cases<IndexAttrs> = cases(scatterSetOp, () => ({
  samples: scatterSamples(),
  edges: [
    {
      ins: [
        [1, 2, 3],
        [2, 0, 2, -1, 3],
        [10, NaN, -0, 40, 50],
      ],
      dtypes: ["float32", "int32", "float32"],
      attrs: { axis: 0 },
      want: [NaN, 2, -0],
    },
    { ins: [[[1, 2]], [1], [[7]]], dtypes: ["int64", "int64", "int64"], attrs: { axis: 1 }, want: [[1, 7]] },
  ],
  reject: scatterRejects("scatterSet"),
}));

/** Indices from one below the axis to one above it, so that some meet and some are dropped. */
function scatterSamples(): Sample<IndexAttrs>[] {
  const sample = (x: readonly number[], indices: readonly number[], axis: number): Sample<IndexAttrs> => ({
    ins: [x, indices, [...x.slice(0, axis), ...indices, ...x.slice(axis + 1)]],
    dtypes: ["*", "int32", "*"],
    domain: [
      [-2, 2],
      [-1, x[axis]!],
      [-2, 2],
    ],
    attrs: { axis },
  });
  return [
    sample([5], [3], 0),
    sample([3], [17], 0),
    sample([5], [], 0),
    sample([4, 3], [2], 0),
    sample([4, 3], [2, 2], 1),
    sample([2, 3, 4], [5], 1),
    sample([2, 3, 4], [0], 1),
    sample([0, 3], [2], 0),
    sample([1, 2, 1, 3, 2, 2], [2], 3),
  ];
}

function scatterRejects(name: string): NonNullable<Cases<IndexAttrs>["reject"]> {
  return [
    { ins: [[3], [2], [2]], attrs: { axis: 0 }, code: `${name}.C1` },
    { ins: [[3], [2], [2]], dtypes: ["float32", "int32", "float32"], attrs: { axis: 1 }, code: `${name}.C2` },
    { ins: [[3], [2], [2]], dtypes: ["float32", "int32", "int32"], attrs: { axis: 0 }, code: `${name}.C3` },
    { ins: [[3], [2], [3]], dtypes: ["float32", "int32", "float32"], attrs: { axis: 0 }, code: `${name}.C4` },
  ];
}
