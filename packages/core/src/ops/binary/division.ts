// Division with a remainder, and division that forgives a zero.
import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import type { Val } from "../../ir/aval.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { Composite, NoAttrs, Op } from "../../ir/op.js";
import { dtypes, type FloatOf } from "../../types/dtype.js";
import type { Bin, Like, Out, PromoteOf } from "../../types/operands.js";
import type { Arg } from "../../types/shape.js";
import { defineBinary, defineElementwise, floats, numeric } from "../elementwise.js";
import type { Ops } from "../names.js";
import { binary, binaryFloat } from "../public.js";
import { fillLike, zeroLike } from "../rules.js";

export const remOp: Op<"rem", NoAttrs> = defineBinary({
  name: "rem",
  accepts: numeric,
  scalar: {
    float: (x, y) => x % y,
    small: (x, y) => (y === 0 ? 0 : x % y),
    int64: (x, y) => (y === 0n ? 0n : x % y),
  },
  // z = x − n·y with n = trunc(x / y), which does not change with x or y.
  vjp: (b, [g], [x, y], [z]) => [g!, b.neg([b.mul([g!, b.div([b.sub([x!, z!]), y!])])])],
});
export const remCases: Cases<NoAttrs> = cases(remOp, () => ({
  samples: elementwiseSamples(2, noAttrs, [
    [-7, 7],
    [0.6, 2],
  ]),
  edges: [
    {
      ins: [
        [5, -5, 5, -0, 1, Infinity, 2, NaN],
        [3, 3, -3, 1, 0, 1, Infinity, 1],
      ],
      attrs: noAttrs,
      want: [2, -2, 2, -0, NaN, NaN, 2, NaN],
    },
    {
      ins: [
        [7, -7, 7, -2147483648],
        [3, 3, 0, -1],
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [1, -1, 0, 0],
    },
    {
      ins: [
        [-7, 7],
        [4, 0],
      ],
      dtypes: ["int64", "int64"],
      attrs: noAttrs,
      want: [-3, 0],
    },
  ],
  reject: [{ ins: [[2], [3]], attrs: noAttrs, code: "rem.C3" }],
}));

/** Where the remainder of truncating division has not the divisor's sign, so that flooring takes one more. */
function isShort(b: Ops, remainder: Val, divisor: Val): Val {
  const zero = zeroLike(b, divisor);
  const opposite = b.xor([b.lt([remainder, zero]), b.lt([divisor, zero])]);
  return b.and([b.ne([remainder, zero]), opposite]);
}

export const floorModOp: Composite<"floorMod", NoAttrs> = defineElementwise({
  name: "floorMod",
  arity: 2,
  accepts: numeric,
  lower(b, [x, y]) {
    const remainder = b.rem([x!, y!]);
    return [b.select([isShort(b, remainder, y!), b.add([remainder, y!]), remainder])];
  },
  vjp: (b, [g], [x, y], [z]) => [g!, b.neg([b.mul([g!, b.div([b.sub([x!, z!]), y!])])])],
});
/**
 * The remainder of x / y with the sign of y, element by element, broadcast: x = floorDiv(x, y) · y + mod(x, y).
 * For integers a division by zero gives 0.
 * @example tf.mod([5, -5], 3) // [2, 1]
 * @method
 */
export function mod<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"mod", A, B>, B>,
): Out<Bin<"mod", A, B>, PromoteOf<A, B>> {
  return typed(binary(floorModOp, a, b as Like));
}
export const floorModCases: Cases<NoAttrs> = cases(floorModOp, () => ({
  samples: elementwiseSamples(2, noAttrs, [
    [-7, 7],
    [0.6, 2],
  ]),
  edges: [
    {
      ins: [
        [5, -5, 5, -5, 6, 1, Infinity],
        [3, 3, -3, -3, 3, 0, 1],
      ],
      attrs: noAttrs,
      want: [2, 1, -1, -2, 0, NaN, NaN],
    },
    {
      ins: [
        [7, -7, 7, -7],
        [3, 3, -3, 0],
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [1, 2, -2, 0],
    },
    {
      ins: [
        [-7, -7],
        [4, 7],
      ],
      dtypes: ["int64", "int64"],
      attrs: noAttrs,
      want: [1, 0],
    },
    { ins: [[7], [4]], dtypes: ["uint8", "uint8"], attrs: noAttrs, want: [3] },
  ],
}));

export const floorDivOp: Composite<"floorDiv", NoAttrs> = defineElementwise({
  name: "floorDiv",
  arity: 2,
  accepts: numeric,
  lower(b, [x, y]) {
    if (dtypes[x!.aval.dtype].isFloat) return [b.floor([b.div([x!, y!])])];
    const [quotient, remainder] = [b.div([x!, y!]), b.rem([x!, y!])];
    return [b.select([isShort(b, remainder, y!), b.sub([quotient, fillLike(b, y!, 1)]), quotient])];
  },
  vjp: (b, [g]) => [zeroLike(b, g!), zeroLike(b, g!)],
});
/**
 * floor(x / y), element by element, broadcast; two integers stay integers, and their division by zero gives 0.
 * @example tf.floorDiv([5, -5], 3) // [1, -2]
 * @method
 */
export function floorDiv<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"floorDiv", A, B>, B>,
): Out<Bin<"floorDiv", A, B>, PromoteOf<A, B>> {
  return typed(binary(floorDivOp, a, b as Like));
}
export const floorDivCases: Cases<NoAttrs> = cases(floorDivOp, () => ({
  samples: elementwiseSamples(2, noAttrs, [
    [-7, 7],
    [0.6, 2],
  ]),
  edges: [
    {
      ins: [
        [5, -5, 5, 0, 1, -1],
        [3, 3, -3, 0, 0, Infinity],
      ],
      attrs: noAttrs,
      want: [1, -2, -2, NaN, Infinity, -0],
    },
    {
      ins: [
        [7, -7, 7, -6, 7],
        [2, 2, -2, 3, 0],
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [3, -4, -4, -2, 0],
    },
    { ins: [[7], [4]], dtypes: ["uint8", "uint8"], attrs: noAttrs, want: [1] },
  ],
}));

export const divNoNanOp: Composite<"divNoNan", NoAttrs> = defineElementwise({
  name: "divNoNan",
  arity: 2,
  accepts: floats,
  lower(b, [x, y]) {
    const zero = zeroLike(b, y!);
    return [b.select([b.eq([y!, zero]), zero, b.div([x!, y!])])];
  },
  vjp(b, [g], [, y], [z]) {
    const gx = b.divNoNan([g!, y!]);
    return [gx, b.neg([b.mul([gx, z!])])];
  },
});
/**
 * x / y, but 0 wherever y is 0, element by element, broadcast. There the derivative is 0 too.
 * @example tf.divNoNan([1, 3], [0, 2]) // [0, 1.5]
 * @method
 */
export function divNoNan<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"divNoNan", A, B>, B>,
): Out<Bin<"divNoNan", A, B>, FloatOf<PromoteOf<A, B>>> {
  return typed(binaryFloat(divNoNanOp, a, b as Like));
}
export const divNoNanCases: Cases<NoAttrs> = cases(divNoNanOp, () => ({
  samples: elementwiseSamples(2, noAttrs, [
    [-3, 3],
    [0.5, 3],
  ]),
  edges: [
    {
      ins: [
        [1, 0, NaN, Infinity, 3],
        [0, 0, 0, -0, 2],
      ],
      attrs: noAttrs,
      want: [0, 0, 0, 0, 1.5],
    },
  ],
  reject: [{ ins: [[2], [2]], dtypes: ["int32", "int32"], attrs: noAttrs, code: "divNoNan.C1" }],
}));
