// and, or, xor: of truth values, or of the bits of integers.
import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { NoAttrs, Op } from "../../ir/op.js";
import type { Bin, Like, Out } from "../../types/operands.js";
import type { Arg } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { bits, defineBinary } from "../elementwise.js";
import { binary, requireBool, toTensor } from "../public.js";

function logical(name: string, op: Op<string, NoAttrs>, a: Like, b: Like): Tensor {
  return binary(op, requireBool(name, toTensor(a)), requireBool(name, toTensor(b)));
}

export const andOp: Op<"and", NoAttrs> = defineBinary({
  name: "and",
  accepts: bits,
  scalar: { small: (x, y) => x & y, int64: (x, y) => x & y },
  vjp: () => [null, null],
});
/**
 * True where both are true. Element by element, broadcast; both operands are bool.
 * @example tf.logicalAnd([true, false], true) // [true, false]
 * @method
 */
export function logicalAnd<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"logicalAnd", A, B>, B>,
): Out<Bin<"logicalAnd", A, B>, "bool"> {
  return typed(logical("logicalAnd", andOp, a, b as Like));
}
export const andCases: Cases<NoAttrs> = cases(andOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [1, 1, 0, 0],
        [1, 0, 1, 0],
      ],
      dtypes: ["bool", "bool"],
      attrs: noAttrs,
      want: [1, 0, 0, 0],
    },
    {
      ins: [
        [12, -1],
        [10, 0],
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [8, 0],
    },
    { ins: [[5], [3]], dtypes: ["int64", "int64"], attrs: noAttrs, want: [1] },
  ],
  reject: [
    { ins: [[2], [2]], attrs: noAttrs, code: "and.C1" },
    { ins: [[2], [2]], dtypes: ["bool", "int32"], attrs: noAttrs, code: "and.C2" },
  ],
}));

export const orOp: Op<"or", NoAttrs> = defineBinary({
  name: "or",
  accepts: bits,
  scalar: { small: (x, y) => x | y, int64: (x, y) => x | y },
  vjp: () => [null, null],
});
/**
 * True where one or both are true. Element by element, broadcast; both operands are bool.
 * @example tf.logicalOr([true, false], true) // [true, true]
 * @method
 */
export function logicalOr<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"logicalOr", A, B>, B>,
): Out<Bin<"logicalOr", A, B>, "bool"> {
  return typed(logical("logicalOr", orOp, a, b as Like));
}
export const orCases: Cases<NoAttrs> = cases(orOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [1, 1, 0, 0],
        [1, 0, 1, 0],
      ],
      dtypes: ["bool", "bool"],
      attrs: noAttrs,
      want: [1, 1, 1, 0],
    },
    {
      ins: [
        [12, -1],
        [10, 0],
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [14, -1],
    },
    { ins: [[5], [3]], dtypes: ["int64", "int64"], attrs: noAttrs, want: [7] },
  ],
  reject: [
    { ins: [[2], [2]], attrs: noAttrs, code: "or.C1" },
    { ins: [[2], [2]], dtypes: ["bool", "int32"], attrs: noAttrs, code: "or.C2" },
  ],
}));

export const xorOp: Op<"xor", NoAttrs> = defineBinary({
  name: "xor",
  accepts: bits,
  scalar: { small: (x, y) => x ^ y, int64: (x, y) => x ^ y },
  vjp: () => [null, null],
});
/**
 * True where exactly one is true. Element by element, broadcast; both operands are bool.
 * @example tf.logicalXor([true, false], true) // [false, true]
 * @method
 */
export function logicalXor<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"logicalXor", A, B>, B>,
): Out<Bin<"logicalXor", A, B>, "bool"> {
  return typed(logical("logicalXor", xorOp, a, b as Like));
}
export const xorCases: Cases<NoAttrs> = cases(xorOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [1, 1, 0, 0],
        [1, 0, 1, 0],
      ],
      dtypes: ["bool", "bool"],
      attrs: noAttrs,
      want: [0, 1, 1, 0],
    },
    {
      ins: [
        [12, -1],
        [10, 0],
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [6, -1],
    },
    { ins: [[5], [3]], dtypes: ["int64", "int64"], attrs: noAttrs, want: [6] },
  ],
  reject: [
    { ins: [[2], [2]], attrs: noAttrs, code: "xor.C1" },
    { ins: [[2], [2]], dtypes: ["bool", "int32"], attrs: noAttrs, code: "xor.C2" },
  ],
}));
