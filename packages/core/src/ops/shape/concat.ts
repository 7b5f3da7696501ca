import { avalOf, typed } from "../../ir/apply.js";
import { formatShape } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { addDim, type Dim, eqDim } from "../../ir/dim.js";
import { countOf } from "../../ir/host.js";
import { check, checkAttr, checkDType, defineOp, type Op } from "../../ir/op.js";
import { promote } from "../../types/dtype.js";
import type { Like, Out, PromoteAll } from "../../types/operands.js";
import type { Concat, Stack } from "../../types/rules/join.js";
import type { Arg } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { apply, apply1, axisOf, castTo, toTensor } from "../public.js";
import { stretch } from "../rules.js";
import { reshapeOp } from "./reshape.js";

/** The axis along which operands follow each other. */
export type ConcatAttrs = { readonly axis: number };

export const concatOp: Op<"concat", ConcatAttrs> = defineOp({
  name: "concat",
  version: 1,
  kind: "shape",
  arity: [1, Number.POSITIVE_INFINITY],
  infer(ins, { axis }) {
    const { dtype, shape } = ins[0]!;
    checkAttr(
      "concat.C1",
      Number.isInteger(axis) && axis >= 0 && axis < shape.length,
      () => `axis ${axis} is out of range for rank ${shape.length}`,
    );
    const joined: Dim[] = [...shape];
    for (const other of ins.slice(1)) {
      checkDType("concat.C2", other.dtype === dtype, () => `needs one dtype, got ${dtype} and ${other.dtype}`);
      const differ = (): string => `${formatShape(shape)} and ${formatShape(other.shape)} differ outside axis ${axis}`;
      check("concat.C3", other.shape.length === shape.length, differ);
      other.shape.forEach((size, i) => {
        if (i === axis) joined[i] = addDim(joined[i]!, size);
        else {
          check("concat.C3", eqDim(joined[i]!, size), differ);
          if (typeof size === "number") joined[i] = size;
        }
      });
    }
    return [{ dtype, shape: joined }];
  },
  reference(ins, { axis }, [out]) {
    const rows = countOf(out!.shape.slice(0, axis));
    let at = 0;
    for (let row = 0; row < rows; row++) {
      for (const { data } of ins) {
        const length = data.length / rows;
        for (let i = 0; i < length; i++) out!.data[at++] = data[row * length + i]!;
      }
    }
  },
  vjp(b, [g], ins, _outs, { axis }) {
    let end: Dim = 0;
    return ins.map(({ aval: { shape } }) => {
      const begin = end;
      end = addDim(end, shape[axis]!);
      const start = shape.map((_, i) => (i === axis ? begin : 0));
      const limit = shape.map((size, i) => (i === axis ? end : size));
      return b.slice([g!], { start, limit, strides: shape.map(() => 1) });
    });
  },
  batch(b, ins, batched, { axis }, [out]) {
    const all = ins.map((x, i) => {
      const { shape } = x.aval;
      return batched[i]
        ? x
        : stretch(
            b,
            x,
            [out!.shape[0]!, ...shape],
            shape.map((_, d) => d + 1),
          );
    });
    return [b.concat(all, { axis: axis + 1 })];
  },
});
/**
 * Tensors one after the other along `axis`; all other sizes agree, and dtypes promote.
 * @throws E_SHAPE where sizes outside of `axis` differ
 * @example tf.concat([[[1], [2]], [[3], [4]]], 1) // [[1, 3], [2, 4]]
 * @public
 */
export function concat<const Xs extends readonly Like[], const A extends number = 0>(
  tensors: Arg<Concat<Xs, A>, Xs>,
  axis?: A,
): Out<Concat<Xs, A>, PromoteAll<Xs>> {
  const list = promotedList("concat", tensors as Xs);
  return typed(apply(concatOp, list, { axis: axisOf("concat", axis ?? 0, avalOf(list[0]!).shape.length) }));
}
/**
 * Tensors of one shape, stacked along a new axis; dtypes promote.
 * @throws E_SHAPE where the shapes differ
 * @example tf.stack([[1, 2], [3, 4]], 1) // [[1, 3], [2, 4]]
 * @public
 */
export function stack<const Xs extends readonly Like[], const A extends number = 0>(
  tensors: Arg<Stack<Xs, A>, Xs>,
  axis?: A,
): Out<Stack<Xs, A>, PromoteAll<Xs>> {
  const list = promotedList("stack", tensors as Xs);
  const { shape } = avalOf(list[0]!);
  const at = axisOf("stack", axis ?? 0, shape.length + 1);
  const raised = list.map((t) => {
    const own = avalOf(t).shape;
    check(
      "stack.C1",
      own.length === shape.length && own.every((d, i) => eqDim(d, shape[i]!) !== false),
      () => `${formatShape(shape)} and ${formatShape(own)} differ`,
    );
    return apply1(reshapeOp, t, { shape: [...own.slice(0, at), 1, ...own.slice(at)] });
  });
  return typed(apply(concatOp, raised, { axis: at }));
}

/** Operands as tensors of the dtype that all of them promote to. */
function promotedList(name: string, operands: readonly Like[]): Tensor[] {
  checkAttr(`${name}.C0`, Array.isArray(operands) && operands.length > 0, () => "needs a list of at least one tensor");
  const list = operands.map((x) => toTensor(x));
  const dtype = list.map((t) => t.dtype).reduce((a, b) => promote(a, b));
  return list.map((t) => castTo(t, dtype));
}

export const concatCases: Cases<ConcatAttrs> = cases(concatOp, () => ({
  samples: [
    { ins: [[3]], attrs: { axis: 0 } },
    { ins: [[3], [17]], attrs: { axis: 0 } },
    { ins: [[3], [0], [2]], attrs: { axis: 0 } },
    {
      ins: [
        [2, 3],
        [2, 1],
      ],
      attrs: { axis: 1 },
    },
    {
      ins: [
        [2, 3],
        [1, 3],
        [4, 3],
      ],
      attrs: { axis: 0 },
    },
    {
      ins: [
        [2, 0],
        [2, 0],
      ],
      attrs: { axis: 0 },
    },
    {
      ins: [
        [2, 2, 3],
        [2, 5, 3],
      ],
      attrs: { axis: 1 },
    },
    {
      ins: [
        [1, 2, 1, 2, 1, 2],
        [1, 2, 1, 2, 3, 2],
      ],
      attrs: { axis: 4 },
    },
  ],
  edges: [
    {
      ins: [
        [[1], [-0]],
        [
          [NaN, 4],
          [5, 6],
        ],
      ],
      attrs: { axis: 1 },
      want: [
        [1, NaN, 4],
        [-0, 5, 6],
      ],
    },
  ],
  reject: [
    { ins: [[2], [2]], attrs: { axis: 1 }, code: "concat.C1" },
    { ins: [[]], attrs: { axis: 0 }, code: "concat.C1" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: { axis: 0 }, code: "concat.C2" },
    {
      ins: [
        [2, 3],
        [2, 4],
      ],
      attrs: { axis: 0 },
      code: "concat.C3",
    },
    { ins: [[2, 3], [2]], attrs: { axis: 0 }, code: "concat.C3" },
  ],
}));
