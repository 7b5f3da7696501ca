import { avalOf, typed } from "../../ir/apply.js";
import { type Aval, formatShape, sameShape, type Val } from "../../ir/aval.js";
import { type Cases, cases, type Sample } from "../../ir/cases.js";
import { type Composite, check, checkAttr, checkDType, defineComposite } from "../../ir/op.js";
import type { Like, SameFloat, ShapeOf } from "../../types/operands.js";
import type { OnAxis } from "../../types/rules/axis.js";
import type { Arg } from "../../types/shape.js";
import { floats } from "../elementwise.js";
import type { Ops } from "../names.js";
import { apply1, axisOf, toFloat } from "../public.js";
import { unreduce } from "../rules.js";

/** The axis along which the results are probabilities. */
export type SoftmaxAttrs = { readonly axis: number };

/** Operands of one float dtype and one shape, which has the axis. */
function inferOnAxis(name: string): (ins: readonly Aval[], attrs: SoftmaxAttrs) => readonly Aval[] {
  return (ins, { axis }) => {
    const { dtype, shape } = ins[0]!;
    checkDType(`${name}.C1`, floats.has(dtype), () => `needs ${floats.words}, got ${dtype}`);
    const inRange = Number.isInteger(axis) && axis >= 0 && axis < shape.length;
    checkAttr(`${name}.C2`, inRange, () => `axis ${axis} is out of range for ${formatShape(shape)}`);
    for (const other of ins.slice(1)) {
      checkDType(`${name}.C3`, other.dtype === dtype, () => `needs one dtype, got ${dtype} and ${other.dtype}`);
      const differ = (): string => `needs equal shapes, got ${formatShape(shape)} and ${formatShape(other.shape)}`;
      check(`${name}.C4`, sameShape(shape, other.shape), differ);
    }
    return [ins[0]!];
  };
}

/** A reduction along `axis`, stretched back. */
function along(b: Ops, op: "reduceSum" | "reduceMax", x: Val, axis: number): Val {
  return unreduce(b, b[op]([x], { axes: [axis] }), [axis], x.aval.shape);
}

export const softmaxOp: Composite<"softmax", SoftmaxAttrs> = defineComposite({
  name: "softmax",
  version: 1,
  arity: 1,
  infer: inferOnAxis("softmax"),
  // The greatest element becomes 0, so that nothing overflows; a row of −∞ alone has none, and is NaN, as in TensorFlow.
  lower(b, [x], { axis }) {
    const e = b.exp([b.sub([x!, along(b, "reduceMax", x!, axis)])]);
    return [b.div([e, along(b, "reduceSum", e, axis)])];
  },
  vjp: (b, [g], _ins, [y], attrs) => [b.softmaxGrad([g!, y!], attrs)],
  batch: (b, [x], _batched, { axis }) => [b.softmax([x!], { axis: axis + 1 })],
});
/**
 * Probabilities along `axis` (the last by default): y = e^x / Σ e^x, which does not overflow. A row of −∞ alone is NaN.
 * @param x rank 1 or more; integers compute in float32
 * @example tf.softmax([0, 0]) // [0.5, 0.5]
 * @method
 */
export function softmax<const X extends Like, const A extends number = -1>(
  x: X,
  axis?: Arg<OnAxis<"softmax", ShapeOf<X>, A>, A>,
): SameFloat<X> {
  const t = toFloat(x);
  const at = axisOf("softmax", (axis as number | undefined) ?? -1, avalOf(t).shape.length);
  return typed(apply1(softmaxOp, t, { axis: at }));
}
export const softmaxCases: Cases<SoftmaxAttrs> = cases(softmaxOp, () => ({
  samples: samples(1),
  edges: [
    {
      ins: [
        [
          [-Infinity, 0],
          [-Infinity, -Infinity],
          [1e30, -1e30],
          [Infinity, 0],
          [NaN, 0],
          [-1e30, -1e30],
        ],
      ],
      attrs: { axis: 1 },
      want: [
        [0, 1],
        [NaN, NaN],
        [1, 0],
        [NaN, NaN],
        [NaN, NaN],
        [0.5, 0.5],
      ],
    },
  ],
  reject: rejects("softmax", 1),
}));

export const softmaxGradOp: Composite<"softmaxGrad", SoftmaxAttrs> = defineComposite({
  name: "softmaxGrad",
  version: 1,
  arity: 2,
  infer: inferOnAxis("softmaxGrad"),
  /** y · (g − Σ g · y) */
  lower: (b, [g, y], { axis }) => [b.mul([y!, b.sub([g!, along(b, "reduceSum", b.mul([g!, y!]), axis)])])],
  vjp: "lower",
  batch: "lower",
});
export const softmaxGradCases: Cases<SoftmaxAttrs> = cases(softmaxGradOp, () => ({
  samples: samples(2),
  edges: [
    {
      ins: [
        [1, 3],
        [0.25, 0.75],
      ],
      attrs: { axis: 0 },
      want: [-0.375, 0.375],
    },
  ],
  reject: rejects("softmaxGrad", 2),
}));

export const logSoftmaxOp: Composite<"logSoftmax", SoftmaxAttrs> = defineComposite({
  name: "logSoftmax",
  version: 1,
  arity: 1,
  infer: inferOnAxis("logSoftmax"),
  lower(b, [x], { axis }) {
    const shifted = b.sub([x!, along(b, "reduceMax", x!, axis)]);
    const sum = b.reduceSum([b.exp([shifted])], { axes: [axis] });
    return [b.sub([shifted, unreduce(b, b.log([sum]), [axis], x!.aval.shape)])];
  },
  vjp: (b, [g], _ins, [y], attrs) => [b.logSoftmaxGrad([g!, y!], attrs)],
  batch: (b, [x], _batched, { axis }) => [b.logSoftmax([x!], { axis: axis + 1 })],
});
/**
 * The logarithm of softmax, exact also where softmax is 0: y = x − log Σ e^x.
 * @param x rank 1 or more; integers compute in float32
 * @example tf.logSoftmax([0, 0]) // [-0.6931472, -0.6931472]
 * @method
 */
export function logSoftmax<const X extends Like, const A extends number = -1>(
  x: X,
  axis?: Arg<OnAxis<"logSoftmax", ShapeOf<X>, A>, A>,
): SameFloat<X> {
  const t = toFloat(x);
  const at = axisOf("logSoftmax", (axis as number | undefined) ?? -1, avalOf(t).shape.length);
  return typed(apply1(logSoftmaxOp, t, { axis: at }));
}
export const logSoftmaxCases: Cases<SoftmaxAttrs> = cases(logSoftmaxOp, () => ({
  samples: samples(1),
  edges: [
    {
      ins: [
        [
          [-Infinity, 0],
          [-Infinity, -Infinity],
          [1000, -1000],
          [Infinity, 0],
          [NaN, 0],
        ],
      ],
      attrs: { axis: 1 },
      want: [
        [-Infinity, 0],
        [NaN, NaN],
        [0, -2000],
        [NaN, NaN],
        [NaN, NaN],
      ],
    },
  ],
  reject: rejects("logSoftmax", 1),
}));

export const logSoftmaxGradOp: Composite<"logSoftmaxGrad", SoftmaxAttrs> = defineComposite({
  name: "logSoftmaxGrad",
  version: 1,
  arity: 2,
  infer: inferOnAxis("logSoftmaxGrad"),
  /** g − e^y · Σ g */
  lower: (b, [g, y], { axis }) => [b.sub([g!, b.mul([b.exp([y!]), along(b, "reduceSum", g!, axis)])])],
  vjp: "lower",
  batch: "lower",
});
export const logSoftmaxGradCases: Cases<SoftmaxAttrs> = cases(logSoftmaxGradOp, () => ({
  samples: samples(2),
  edges: [
    {
      ins: [
        [1, 3],
        [-Infinity, 0],
      ],
      attrs: { axis: 0 },
      want: [1, -1],
    },
  ],
  reject: rejects("logSoftmaxGrad", 2),
}));

function samples(arity: number): Sample<SoftmaxAttrs>[] {
  const sample = (shape: number[], axis: number): Sample<SoftmaxAttrs> => ({
    ins: new Array(arity).fill(shape),
    attrs: { axis },
  });
  return [
    sample([5], 0),
    sample([1], 0),
    sample([0], 0),
    sample([3, 17], 1),
    sample([4, 3], 0),
    sample([2, 3, 4], 1),
    sample([2, 0, 3], 1),
    sample([0, 3], 1),
    sample([1025], 0),
    sample([1, 2, 1, 3, 1, 2], 3),
  ];
}

function rejects(name: string, arity: number): NonNullable<Cases<SoftmaxAttrs>["reject"]> {
  const all = <T>(value: T): T[] => new Array<T>(arity).fill(value);
  const first = [
    { ins: all([2]), dtypes: all("int32" as const), attrs: { axis: 0 }, code: `${name}.C1` },
    { ins: all([2]), attrs: { axis: 1 }, code: `${name}.C2` },
    { ins: all([]), attrs: { axis: 0 }, code: `${name}.C2` },
  ];
  if (arity === 1) return first;
  return [
    ...first,
    { ins: [[2], [2]], dtypes: ["float32", "float64"], attrs: { axis: 0 }, code: `${name}.C3` },
    { ins: [[2], [3]], attrs: { axis: 0 }, code: `${name}.C4` },
  ];
}
