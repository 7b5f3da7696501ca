import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Cases, cases, type Edge, elementwiseSamples, type Sample } from "../../ir/cases.js";
import type { NoAttrs, Op } from "../../ir/op.js";
import type { Bin, Like, Out } from "../../types/operands.js";
import type { Arg } from "../../types/shape.js";
import { anyDType, type DTypeSet, defineBinary, numeric } from "../elementwise.js";
import { binary } from "../public.js";

/** A comparison is one rule on numbers and on bigints. */
function defineComparison<N extends string>(
  name: N,
  accepts: DTypeSet,
  holds: <T extends number | bigint>(x: T, y: T) => boolean,
): Op<N, NoAttrs> {
  return defineBinary({
    name,
    accepts,
    result: "bool",
    scalar: { float: holds, int64: holds },
    vjp: () => [null, null],
  });
}

const samples: readonly Sample<NoAttrs>[] = elementwiseSamples(2, noAttrs);

/** Less, equal, both zeros, NaN on either side and on both, greater. */
const edge = (want: readonly number[]): Edge<NoAttrs> => ({
  ins: [
    [1, 2, 0, NaN, 1, NaN, Infinity],
    [2, 2, -0, 1, NaN, NaN, 1],
  ],
  attrs: noAttrs,
  want,
});

/** A difference that float64 does not see. */
const wideEdge = (want: readonly number[]): Edge<NoAttrs> => ({
  ins: [
    [2n ** 62n, 2n ** 62n + 1n, -5n],
    [2n ** 62n + 1n, 2n ** 62n, -5n],
  ],
  dtypes: ["int64", "int64"],
  attrs: noAttrs,
  want,
});

export const eqOp: Op<"eq", NoAttrs> = defineComparison("eq", anyDType, (x, y) => x === y);
/**
 * x = y, element by element, broadcast. False wherever one is NaN.
 * @example tf.equal([1, 2], 2) // [false, true]
 * @method
 */
export function equal<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"equal", A, B>, B>,
): Out<Bin<"equal", A, B>, "bool"> {
  return typed(binary(eqOp, a, b as Like));
}
export const eqCases: Cases<NoAttrs> = cases(eqOp, () => ({
  samples,
  edges: [edge([0, 1, 1, 0, 0, 0, 0]), wideEdge([0, 0, 1])],
  reject: [
    { ins: [[2], [3]], attrs: noAttrs, code: "eq.C3" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: noAttrs, code: "eq.C2" },
  ],
}));

export const neOp: Op<"ne", NoAttrs> = defineComparison("ne", anyDType, (x, y) => x !== y);
/**
 * x ≠ y, element by element, broadcast. True wherever one is NaN.
 * @example tf.notEqual([1, 2], 2) // [true, false]
 * @method
 */
export function notEqual<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"notEqual", A, B>, B>,
): Out<Bin<"notEqual", A, B>, "bool"> {
  return typed(binary(neOp, a, b as Like));
}
export const neCases: Cases<NoAttrs> = cases(neOp, () => ({
  samples,
  edges: [edge([1, 0, 0, 1, 1, 1, 1]), wideEdge([1, 1, 0])],
  reject: [
    { ins: [[2], [3]], attrs: noAttrs, code: "ne.C3" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: noAttrs, code: "ne.C2" },
  ],
}));

export const ltOp: Op<"lt", NoAttrs> = defineComparison("lt", numeric, (x, y) => x < y);
/**
 * x < y, element by element, broadcast. False wherever one is NaN.
 * @example tf.less([1, 2], 2) // [true, false]
 * @method
 */
export function less<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"less", A, B>, B>,
): Out<Bin<"less", A, B>, "bool"> {
  return typed(binary(ltOp, a, b as Like));
}
export const ltCases: Cases<NoAttrs> = cases(ltOp, () => ({
  samples,
  edges: [edge([1, 0, 0, 0, 0, 0, 0]), wideEdge([1, 0, 0])],
  reject: [
    { ins: [[2], [3]], attrs: noAttrs, code: "lt.C3" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: noAttrs, code: "lt.C2" },
    { ins: [[2], [2]], dtypes: ["bool", "bool"], attrs: noAttrs, code: "lt.C1" },
  ],
}));

export const leOp: Op<"le", NoAttrs> = defineComparison("le", numeric, (x, y) => x <= y);
/**
 * x ≤ y, element by element, broadcast. False wherever one is NaN.
 * @example tf.lessEqual([1, 3], 2) // [true, false]
 * @method
 */
export function lessEqual<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"lessEqual", A, B>, B>,
): Out<Bin<"lessEqual", A, B>, "bool"> {
  return typed(binary(leOp, a, b as Like));
}
export const leCases: Cases<NoAttrs> = cases(leOp, () => ({
  samples,
  edges: [edge([1, 1, 1, 0, 0, 0, 0]), wideEdge([1, 0, 1])],
  reject: [
    { ins: [[2], [3]], attrs: noAttrs, code: "le.C3" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: noAttrs, code: "le.C2" },
    { ins: [[2], [2]], dtypes: ["bool", "bool"], attrs: noAttrs, code: "le.C1" },
  ],
}));

export const gtOp: Op<"gt", NoAttrs> = defineComparison("gt", numeric, (x, y) => x > y);
/**
 * x > y, element by element, broadcast. False wherever one is NaN.
 * @example tf.greater([1, 3], 2) // [false, true]
 * @method
 */
export function greater<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"greater", A, B>, B>,
): Out<Bin<"greater", A, B>, "bool"> {
  return typed(binary(gtOp, a, b as Like));
}
export const gtCases: Cases<NoAttrs> = cases(gtOp, () => ({
  samples,
  edges: [edge([0, 0, 0, 0, 0, 0, 1]), wideEdge([0, 1, 0])],
  reject: [
    { ins: [[2], [3]], attrs: noAttrs, code: "gt.C3" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: noAttrs, code: "gt.C2" },
    { ins: [[2], [2]], dtypes: ["bool", "bool"], attrs: noAttrs, code: "gt.C1" },
  ],
}));

export const geOp: Op<"ge", NoAttrs> = defineComparison("ge", numeric, (x, y) => x >= y);
/**
 * x ≥ y, element by element, broadcast. False wherever one is NaN.
 * @example tf.greaterEqual([1, 2], 2) // [false, true]
 * @method
 */
export function greaterEqual<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"greaterEqual", A, B>, B>,
): Out<Bin<"greaterEqual", A, B>, "bool"> {
  return typed(binary(geOp, a, b as Like));
}
export const geCases: Cases<NoAttrs> = cases(geOp, () => ({
  samples,
  edges: [edge([0, 1, 1, 0, 0, 0, 1]), wideEdge([0, 1, 1])],
  reject: [
    { ins: [[2], [3]], attrs: noAttrs, code: "ge.C3" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: noAttrs, code: "ge.C2" },
    { ins: [[2], [2]], dtypes: ["bool", "bool"], attrs: noAttrs, code: "ge.C1" },
  ],
}));
