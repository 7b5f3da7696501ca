// Over 400 lines: half of them are its cases.
import { formatShape, type Val } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { eqDim } from "../../ir/dim.js";
import { check, checkAttr, checkDType, defineOp, type Op } from "../../ir/op.js";
import { type DType, dtypes } from "../../types/dtype.js";
import { numeric } from "../elementwise.js";
import type { Ops } from "../names.js";
import { axesOf, inversePerm } from "../rules.js";
import { contract, freeAxes } from "./dot-reference.js";
import { dotRepairs } from "./dot-repairs.js";

/** Which axes pair up: batch axes go side by side, contracted axes are summed over. */
export type DotAttrs = {
  readonly lhsBatch: readonly number[];
  readonly rhsBatch: readonly number[];
  readonly lhsContract: readonly number[];
  readonly rhsContract: readonly number[];
  /** That of the result, where it is not the operands' but the one that their products are summed in. */
  readonly dtype?: DType;
};

function isAxisList(axes: readonly number[], rank: number): boolean {
  return new Set(axes).size === axes.length && axes.every((a) => Number.isInteger(a) && a >= 0 && a < rank);
}

export const dotGeneralOp: Op<"dotGeneral", DotAttrs> = defineOp({
  name: "dotGeneral",
  version: 1,
  kind: "contract",
  arity: 2,
  infer([a, b], { lhsBatch, rhsBatch, lhsContract, rhsContract, dtype = a!.dtype }) {
    const [s, t] = [a!.shape, b!.shape];
    checkDType("dotGeneral.C1", numeric.has(a!.dtype), () => `needs ${numeric.words}, got ${a!.dtype}`);
    checkDType("dotGeneral.C2", a!.dtype === b!.dtype, () => `needs one dtype, got ${a!.dtype} and ${b!.dtype}`);
    const { sumsIn } = dtypes[a!.dtype];
    checkDType(
      "dotGeneral.C6",
      dtype === a!.dtype || dtype === sumsIn,
      () => `products of ${a!.dtype} are given in ${sumsIn ? `${sumsIn} or ` : ""}${a!.dtype}, not in ${dtype}`,
    );
    const legal =
      isAxisList([...lhsBatch, ...lhsContract], s.length) && isAxisList([...rhsBatch, ...rhsContract], t.length);
    const paired = lhsBatch.length === rhsBatch.length && lhsContract.length === rhsContract.length;
    checkAttr(
      "dotGeneral.C3",
      legal && paired,
      () =>
        `axes [${lhsBatch}], [${lhsContract}] of ${formatShape(s)} and [${rhsBatch}], [${rhsContract}] of ${formatShape(t)} do not pair up`,
    );
    const meet = (label: string, what: string, i: number, j: number): void =>
      check(
        label,
        eqDim(s[i]!, t[j]!),
        () => `${what} sizes ${s[i]} and ${t[j]} differ: ${formatShape(s)} x ${formatShape(t)}`,
      );
    for (const [n, i] of lhsBatch.entries()) meet("dotGeneral.C4", "batch", i, rhsBatch[n]!);
    for (const [n, i] of lhsContract.entries()) meet("dotGeneral.C5", "inner", i, rhsContract[n]!);
    const batch = lhsBatch.map((i, n) => (typeof s[i] === "number" ? s[i]! : t[rhsBatch[n]!]!));
    const rows = freeAxes(s.length, lhsBatch, lhsContract).map((i) => s[i]!);
    const columns = freeAxes(t.length, rhsBatch, rhsContract).map((j) => t[j]!);
    return [{ dtype, shape: [...batch, ...rows, ...columns] }];
  },
  reference([a, b], attrs, [out]) {
    contract(a!, b!, attrs, out!);
  },
  vjp(b, [g], [x, y], _outs, { lhsBatch, rhsBatch, lhsContract, rhsContract }, _regions, [ofX, ofY] = [true, true]) {
    const [rankX, rankY] = [x!.aval.shape.length, y!.aval.shape.length];
    const [freeX, freeY] = [freeAxes(rankX, lhsBatch, lhsContract), freeAxes(rankY, rhsBatch, rhsContract)];
    const batch = axesOf(lhsBatch.length);
    const rows = freeX.map((_, i) => batch.length + i);
    const columns = freeY.map((_, i) => batch.length + freeX.length + i);
    // The cotangent of a wider result meets operands that are cast up, and what comes out is rounded once.
    const { dtype } = g!.aval;
    const [up, down] = [castTo(b, dtype), castTo(b, x!.aval.dtype)];
    const [gFromX, gFromY] = [
      { val: g!, batch, contract: columns, names: freeX },
      { val: g!, batch, contract: rows, names: freeY },
    ];
    const yFactor = { val: up(y!), batch: rhsBatch, contract: freeY, names: pairedWith(rhsContract, lhsContract) };
    const xFactor = { val: up(x!), batch: lhsBatch, contract: freeX, names: pairedWith(lhsContract, rhsContract) };
    return [
      ofX ? down(productInto(b, lhsBatch, gFromX, yFactor)) : null,
      ofY ? down(productInto(b, rhsBatch, xFactor, gFromY)) : null,
    ];
  },
  batch(b, [x, y], batched, attrs) {
    const { lhsBatch, rhsBatch, lhsContract, rhsContract } = attrs;
    const up = (axes: readonly number[], by: boolean | undefined): number[] => axes.map((a) => (by ? a + 1 : a));
    const moved = {
      ...attrs,
      lhsBatch: up(lhsBatch, batched[0]),
      rhsBatch: up(rhsBatch, batched[1]),
      lhsContract: up(lhsContract, batched[0]),
      rhsContract: up(rhsContract, batched[1]),
    };
    if (batched[0] && batched[1]) {
      return [b.dotGeneral([x!, y!], { ...moved, lhsBatch: [0, ...moved.lhsBatch], rhsBatch: [0, ...moved.rhsBatch] })];
    }
    // The new axis is a free one: it comes after the batch axes, and after the lhs's free axes where it is the rhs's.
    const z = b.dotGeneral([x!, y!], moved);
    const at = batched[0] ? lhsBatch.length : x!.aval.shape.length - lhsContract.length;
    return [at === 0 ? z : b.transpose([z], { perm: [at, ...axesOf(z.aval.shape.length).filter((i) => i !== at)] })];
  },
  repairs: dotRepairs,
});

const castTo = (b: Ops, dtype: DType) => (x: Val) => (x.aval.dtype === dtype ? x : b.cast([x], { dtype }));

/** An operand of a product of the vjp rule: `names` says which axes of the result its free axes are, in order. */
interface Factor {
  readonly val: Val;
  readonly batch: readonly number[];
  readonly contract: readonly number[];
  readonly names: readonly number[];
}

/** The partners of `axes`, in the order in which `axes` rise: what a product leaves free comes out rising. */
function pairedWith(axes: readonly number[], partners: readonly number[]): number[] {
  return axes
    .map((a, i) => [a, partners[i]!] as const)
    .sort((p, q) => p[0] - q[0])
    .map(([, partner]) => partner);
}

/** The product of two factors with its axes where their names say; of the two orders, the one that needs no transposition. */
function productInto(b: Ops, batchNames: readonly number[], x: Factor, y: Factor): Val {
  const order = (p: Factor, q: Factor): number[] => inversePerm([...batchNames, ...p.names, ...q.names]);
  const isPlain = (perm: readonly number[]): boolean => perm.every((p, i) => p === i);
  const [p, q] = isPlain(order(y, x)) && !isPlain(order(x, y)) ? [y, x] : [x, y];
  const attrs = { lhsBatch: p.batch, rhsBatch: q.batch, lhsContract: p.contract, rhsContract: q.contract };
  const product = b.dotGeneral([p.val, q.val], attrs);
  const perm = order(p, q);
  return isPlain(perm) ? product : b.transpose([product], { perm });
}

const pairs = (lhsBatch: number[], rhsBatch: number[], lhsContract: number[], rhsContract: number[]): DotAttrs => ({
  lhsBatch,
  rhsBatch,
  lhsContract,
  rhsContract,
});
export const dotGeneralCases: Cases<DotAttrs> = cases(dotGeneralOp, () => ({
  samples: [
    {
      ins: [
        [2, 3],
        [3, 4],
      ],
      attrs: pairs([], [], [1], [0]),
    },
    {
      ins: [
        [2, 3],
        [4, 3],
      ],
      attrs: pairs([], [], [1], [1]),
    },
    {
      ins: [
        [3, 2],
        [3, 4],
      ],
      attrs: pairs([], [], [0], [0]),
    },
    {
      ins: [
        [3, 2],
        [4, 3],
      ],
      attrs: pairs([], [], [0], [1]),
    },
    { ins: [[5], [5]], attrs: pairs([], [], [0], [0]) },
    { ins: [[3], [4]], attrs: pairs([], [], [], []) },
    { ins: [[], [2]], attrs: pairs([], [], [], []) },
    { ins: [[3], [3]], attrs: pairs([0], [0], [], []) },
    {
      ins: [
        [2, 3, 4],
        [2, 4, 5],
      ],
      attrs: pairs([0], [0], [2], [1]),
    },
    {
      ins: [
        [2, 3, 4],
        [4, 2, 5],
      ],
      attrs: pairs([0], [1], [2], [0]),
    },
    {
      ins: [
        [3, 4, 2],
        [2, 5, 4],
      ],
      attrs: pairs([2], [0], [1], [2]),
    },
    {
      ins: [
        [2, 3, 4],
        [4, 3, 5],
      ],
      attrs: pairs([], [], [1, 2], [1, 0]),
    },
    {
      ins: [
        [4, 2, 3],
        [5, 3, 4],
      ],
      attrs: pairs([], [], [2, 0], [1, 2]),
    },
    {
      ins: [
        [2, 3, 2, 4],
        [3, 4, 2, 5],
      ],
      attrs: pairs([0, 1], [2, 0], [3], [1]),
    },
    {
      ins: [
        [2, 0],
        [0, 3],
      ],
      attrs: pairs([], [], [1], [0]),
    },
    {
      ins: [
        [0, 2],
        [2, 3],
      ],
      attrs: pairs([], [], [1], [0]),
    },
    {
      ins: [
        [1, 17],
        [17, 15],
      ],
      attrs: pairs([], [], [1], [0]),
    },
    {
      ins: [
        [2, 33, 70],
        [2, 70, 35],
      ],
      dtypes: ["int8", "int8"],
      attrs: { ...pairs([0], [0], [2], [1]), dtype: "int32" },
      domain: [-128, 127],
    },
    {
      ins: [
        [2, 33, 70],
        [35, 2, 70],
      ],
      dtypes: ["bfloat16", "bfloat16"],
      attrs: { ...pairs([0], [1], [2], [2]), dtype: "float32" },
    },
  ],
  edges: [
    { ins: [[[1, 0]], [[NaN], [2]]], attrs: pairs([], [], [1], [0]), want: [[NaN]] },
    { ins: [[[1, 0]], [[2], [Infinity]]], attrs: pairs([], [], [1], [0]), want: [[NaN]] },
    {
      ins: [
        [65537, 1],
        [65537, 1],
      ],
      dtypes: ["int32", "int32"],
      attrs: pairs([], [], [0], [0]),
      want: 131074,
    },
    {
      ins: [
        [16, 1],
        [16, 3],
      ],
      dtypes: ["uint8", "uint8"],
      attrs: pairs([], [], [0], [0]),
      want: 3,
    },
    { ins: [[[-128, -128]], [[-128], [-128]]], dtypes: ["int8", "int8"], attrs: pairs([], [], [1], [0]), want: [[0]] },
    {
      ins: [[[-128, -128]], [[-128], [-128]]],
      dtypes: ["int8", "int8"],
      attrs: { ...pairs([], [], [1], [0]), dtype: "int32" },
      want: [[32768]],
    },
    {
      ins: [
        [256, 1],
        [1, 1],
      ],
      dtypes: ["bfloat16", "bfloat16"],
      attrs: pairs([], [], [0], [0]),
      want: 256,
    },
    {
      ins: [
        [256, 1],
        [1, 1],
      ],
      dtypes: ["bfloat16", "bfloat16"],
      attrs: { ...pairs([], [], [0], [0]), dtype: "float32" },
      want: 257,
    },
    {
      ins: [
        [2 ** 40, 1],
        [2 ** 40, 5],
      ],
      dtypes: ["int64", "int64"],
      attrs: pairs([], [], [0], [0]),
      want: 5,
    },
  ],
  reject: [
    { ins: [[2], [2]], dtypes: ["bool", "bool"], attrs: pairs([], [], [0], [0]), code: "dotGeneral.C1" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: pairs([], [], [0], [0]), code: "dotGeneral.C2" },
    { ins: [[2], [2]], attrs: { ...pairs([], [], [0], [0]), dtype: "float64" }, code: "dotGeneral.C6" },
    {
      ins: [
        [2, 3],
        [3, 4],
      ],
      attrs: pairs([], [], [2], [0]),
      code: "dotGeneral.C3",
    },
    {
      ins: [
        [2, 3],
        [3, 4],
      ],
      attrs: pairs([], [], [1, 1], [0, 0]),
      code: "dotGeneral.C3",
    },
    {
      ins: [
        [2, 3],
        [3, 4],
      ],
      attrs: pairs([], [], [1], []),
      code: "dotGeneral.C3",
    },
    {
      ins: [
        [2, 3],
        [3, 3],
      ],
      attrs: pairs([0], [0], [1], [1]),
      code: "dotGeneral.C4",
    },
    {
      ins: [
        [2, 3],
        [4, 5],
      ],
      attrs: pairs([], [], [1], [0]),
      code: "dotGeneral.C5",
    },
  ],
  repairs: [
    {
      ins: [
        [2, 3],
        [5, 3],
      ],
      attrs: pairs([], [], [1], [0]),
      want: "transposeB: true would give [2,5]",
    },
    {
      ins: [
        [3, 2],
        [3, 5],
      ],
      attrs: pairs([], [], [1], [0]),
      want: "transposeA: true would give [2,5]",
    },
    {
      ins: [
        [2, 3],
        [3, 5],
      ],
      attrs: pairs([], [], [1], [1]),
      want: "transposeB: false would give [2,5]",
    },
    {
      ins: [
        [2, 3],
        [5, 2],
      ],
      attrs: pairs([], [], [1], [0]),
      want: "swapping a and b would give [5,3]",
    },
    {
      ins: [
        [7, 2, 3],
        [7, 5, 3],
      ],
      attrs: pairs([0], [0], [2], [1]),
      want: "transposeB: true would give [7,2,5]",
    },
    {
      ins: [
        [7, 2, 3],
        [7, 3],
      ],
      attrs: pairs([], [], [2], [0]),
      want: "expandDims(b, -1) would give [7,2,1]",
    },
    {
      ins: [
        [7, 3],
        [7, 3, 4],
      ],
      attrs: pairs([], [], [1], [1]),
      want: "expandDims(a, -2) would give [7,1,4]",
    },
    { ins: [[3], [3, 4]], attrs: pairs([], [], [0], [0]), want: "expandDims(a, 0) would give [1,4]" },
    { ins: [[2, 3], [3]], attrs: pairs([], [], [1], [0]), want: "expandDims(b, 1) would give [2,1]" },
    {
      ins: [
        [2, 3],
        [2, 3],
      ],
      attrs: pairs([], [], [1], [0]),
      want: undefined,
    },
    {
      ins: [
        [2, 3],
        [4, 5],
      ],
      attrs: pairs([], [], [1], [0]),
      want: undefined,
    },
  ],
}));
