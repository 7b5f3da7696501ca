import type { Val } from "../../ir/aval.js";
import { type Cases, cases, type Sample } from "../../ir/cases.js";
import { type Dim, mulDim } from "../../ir/dim.js";
import { forEachIndex, type HostArray } from "../../ir/host.js";
import { checkAttr, defineOp, type Op } from "../../ir/op.js";
import { multiplyAddIn } from "../contract/dot-reference.js";
import { axesFirst } from "../index/rows.js";
import type { Ops } from "../names.js";
import { axesOf } from "../rules.js";
import { filterGradient, inputGradient } from "./gradients.js";
import { type ConvAttrs, convolvedShape, partOf } from "./shape.js";

/**
 * Cross-correlation: x [n, spatial…, c] with w [spatial…, c/groups, o] gives [n, spatial'…, o]. Padding is zeros, or left
 * out: where it meets an infinite element of the filter the result may be NaN.
 */
export const convGeneralOp: Op<"convGeneral", ConvAttrs> = defineOp({
  name: "convGeneral",
  version: 1,
  kind: "contract",
  arity: 2,
  sizeAttrs: ["low", "high"],
  infer: ([x, w], attrs) => [{ dtype: x!.dtype, shape: convolvedShape("convGeneral", x!, w!, attrs) }],
  reference([x, w], attrs, [out]) {
    convolve(x!, w!, attrs, out!);
  },
  vjp(b, [g], [x, w], _outs, attrs, _regions, [ofX, ofW] = [true, true]) {
    const { lhsDilation, fastMath: _, ...plain } = attrs;
    const [inputShape, filterShape] = [x!.aval.shape, w!.aval.shape];
    if (lhsDilation.some((n) => n !== 1)) {
      return [inputGradient(b, g!, w!, inputShape, attrs), filterGradient(b, x!, g!, filterShape, attrs)];
    }
    return [
      ofX ? b.convInputGrad([g!, w!], { inputShape, ...plain }) : null,
      ofW ? b.convFilterGrad([x!, g!], { filterShape, ...plain }) : null,
    ];
  },
  batch(b, [x, w], batched, attrs, [out]) {
    const { shape } = out!;
    if (!batched[1]) {
      const rows = [mulDim(shape[0]!, shape[1]!), ...x!.aval.shape.slice(2)];
      return [b.reshape([b.convGeneral([b.reshape([x!], { shape: rows }), w!], attrs)], { shape })];
    }
    // A batch of filters makes more results of each group, a batch of both more groups.
    if (!batched[0])
      return [outOfChannels(b, b.convGeneral([x!, intoChannels(b, w!, attrs.groups)], attrs), attrs.groups, shape)];
    const [batch] = shape;
    checkAttr(
      "convGeneral.batch",
      typeof batch === "number",
      () => `a batch of inputs and filters needs a known size, got ${batch}`,
    );
    const groups = Number(batch) * attrs.groups;
    const y = b.convGeneral([intoChannels(b, x!, 1), intoChannels(b, w!, 1)], { ...attrs, groups });
    return [outOfChannels(b, y, 1, shape)];
  },
});

/** [batch, …, groups·n] → [..., groups·batch·n] */
function intoChannels(b: Ops, x: Val, groups: number): Val {
  const { shape } = x.aval;
  const last = shape.length - 1;
  const each = partOf(shape[last]!, groups);
  const apart = b.reshape([x], { shape: [...shape.slice(0, -1), groups, each] });
  const moved = b.transpose([apart], { perm: [...axesOf(last + 1).slice(1), 0, last + 1] });
  return b.reshape([moved], { shape: [...shape.slice(1, -1), mulDim(shape[0]!, shape[last]!)] });
}

/** [..., groups·batch·n] → [batch, …, groups·n], which is `shape`. */
function outOfChannels(b: Ops, y: Val, groups: number, shape: readonly Dim[]): Val {
  const last = shape.length - 1;
  const each = partOf(shape[last]!, groups);
  const apart = b.reshape([y], { shape: [...y.aval.shape.slice(0, -1), groups, shape[0]!, each] });
  return b.reshape([b.transpose([apart], { perm: axesFirst(last + 2, [last]) })], { shape });
}

function convolve(x: HostArray, w: HostArray, attrs: ConvAttrs, out: HostArray): void {
  const { strides, low, lhsDilation, rhsDilation, groups } = attrs;
  const rank = strides.length;
  const [filter, sizes] = [w.shape.slice(0, rank), x.shape.slice(1, -1)];
  const [seen, results] = [w.shape[rank]!, w.shape[rank + 1]!];
  const [channels, each] = [seen * groups, results / groups];
  const { zero, multiplyAdd } = multiplyAddIn(x.dtype);
  forEachIndex(out.shape.slice(0, -1), (place, row) => {
    const sums = new Array<number | bigint>(results).fill(zero);
    forEachIndex(filter, (offset, tap) => {
      let from = place[0]!;
      for (let axis = 0; axis < rank; axis++) {
        const spread = place[axis + 1]! * strides[axis]! + offset[axis]! * rhsDilation[axis]! - Number(low[axis]);
        const i = spread / lhsDilation[axis]!;
        if (!Number.isInteger(i) || i < 0 || i >= sizes[axis]!) return;
        from = from * sizes[axis]! + i;
      }
      for (let o = 0; o < results; o++) {
        const first = from * channels + Math.floor(o / each) * seen;
        for (let c = 0; c < seen; c++) {
          sums[o] = multiplyAdd(sums[o]!, x.data[first + c]!, w.data[(tap * seen + c) * results + o]!);
        }
      }
    });
    for (let o = 0; o < results; o++) out.data[row * results + o] = sums[o]!;
  });
}

/** Strides, paddings, dilations and groups over one to three spatial axes. */
export function convSamples(): Sample<ConvAttrs>[] {
  const ones = (rank: number): number[] => new Array<number>(rank).fill(1);
  const sample = (x: number[], w: number[], changed: Partial<ConvAttrs>): Sample<ConvAttrs> => {
    const rank = x.length - 2;
    const none = new Array<number>(rank).fill(0);
    const plain = {
      strides: ones(rank),
      low: none,
      high: none,
      lhsDilation: ones(rank),
      rhsDilation: ones(rank),
      groups: 1,
    };
    return { ins: [x, w], attrs: { ...plain, ...changed } };
  };
  return [
    sample([2, 5, 3], [3, 3, 2], {}),
    sample([1, 7, 2], [3, 2, 2], { strides: [2], low: [1], high: [1] }),
    sample([1, 8, 2], [2, 2, 3], { strides: [3], low: [0], high: [1] }),
    sample([1, 7, 1], [2, 1, 1], { rhsDilation: [3] }),
    sample([1, 4, 2], [3, 2, 2], { lhsDilation: [2], low: [2], high: [1] }),
    sample([1, 5, 1], [2, 1, 2], { low: [-1], high: [-1] }),
    sample([1, 4, 4], [2, 2, 6], { groups: 2 }),
    sample([2, 5, 3], [3, 1, 6], { groups: 3, low: [1], high: [1] }),
    sample([1, 5, 6, 2], [3, 2, 2, 3], { strides: [2, 1], low: [1, 0], high: [1, 1] }),
    sample([1, 5, 5, 2], [2, 2, 1, 4], {
      strides: [2, 2],
      rhsDilation: [2, 1],
      lhsDilation: [1, 2],
      groups: 2,
      low: [1, 1],
      high: [0, 2],
    }),
    sample([1, 3, 3, 3, 1], [2, 2, 2, 1, 2], {}),
    sample([0, 4, 2], [2, 2, 3], {}),
    sample([1, 4, 0], [2, 0, 2], {}),
    sample([1, 2, 1], [3, 1, 1], {}),
  ];
}

const plain: ConvAttrs = { strides: [1], low: [0], high: [0], lhsDilation: [1], rhsDilation: [1], groups: 1 };
export const convGeneralCases: Cases<ConvAttrs> = cases(convGeneralOp, () => ({
  samples: convSamples(),
  edges: [
    // Not turned around: the first tap meets the first element.
    { ins: [[[[1], [2], [3]]], [[[10]], [[1]]]], attrs: plain, want: [[[12], [23]]] },
    { ins: [[[[NaN], [1]]], [[[0]]]], attrs: plain, want: [[[NaN], [0]]] },
    { ins: [[[[65537]]], [[[65537]]]], dtypes: ["int32", "int32"], attrs: plain, want: [[[131073]]] },
  ],
  reject: [
    {
      ins: [
        [1, 1],
        [1, 1],
      ],
      attrs: { ...plain, strides: [], low: [], high: [], lhsDilation: [], rhsDilation: [] },
      code: "convGeneral.C3",
    },
    {
      ins: [
        [1, 3, 1],
        [2, 1, 1],
      ],
      dtypes: ["bool", "bool"],
      attrs: plain,
      code: "convGeneral.C1",
    },
    {
      ins: [
        [1, 3, 1],
        [2, 1, 1],
      ],
      dtypes: ["float32", "int32"],
      attrs: plain,
      code: "convGeneral.C2",
    },
    {
      ins: [
        [1, 3, 1],
        [1, 1],
      ],
      attrs: plain,
      code: "convGeneral.C3",
    },
    {
      ins: [
        [1, 3, 1],
        [2, 1, 1],
      ],
      attrs: { ...plain, strides: [0] },
      code: "convGeneral.C4",
    },
    {
      ins: [
        [1, 3, 1],
        [2, 1, 1],
      ],
      attrs: { ...plain, groups: 0 },
      code: "convGeneral.C5",
    },
    {
      ins: [
        [1, 3, 2],
        [2, 1, 1],
      ],
      attrs: plain,
      code: "convGeneral.C6",
    },
    {
      ins: [
        [1, 3, 2],
        [2, 1, 3],
      ],
      attrs: { ...plain, groups: 2 },
      code: "convGeneral.C7",
    },
    {
      ins: [
        [1, 3, 1],
        [6, 1, 1],
      ],
      attrs: plain,
      code: "convGeneral.C8",
    },
  ],
}));
