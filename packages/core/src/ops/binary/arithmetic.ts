import { dispatch, typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { NoAttrs, Op } from "../../ir/op.js";
import type { FloatOf } from "../../types/dtype.js";
import { MillraceError } from "../../types/errors.js";
import type { Bin, DTypeOf, Like, Out, PromoteOf, ShapeOf } from "../../types/operands.js";
import type { Arg } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { defineBinary, numeric } from "../elementwise.js";
import { binary, binaryFloat, toTensor } from "../public.js";

export const addOp: Op<"add", NoAttrs> = defineBinary({
  name: "add",
  accepts: numeric,
  scalar: { float: (x, y) => x! + y!, int64: (x, y) => x! + y! },
  vjp: (_b, [g]) => [g!, g!],
});
/**
 * x + y, element by element, broadcast. Integers wrap.
 * @example tf.add([1, 2], 3) // [4, 5]
 * @method
 */
export function add<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"add", A, B>, B>,
): Out<Bin<"add", A, B>, PromoteOf<A, B>> {
  return typed(binary(addOp, a, b as Like));
}
export const addCases: Cases<NoAttrs> = cases(addOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [Infinity, Infinity, NaN, -0],
        [1, -Infinity, 1, -0],
      ],
      attrs: noAttrs,
      want: [Infinity, NaN, NaN, -0],
    },
    { ins: [[2147483647], [1]], dtypes: ["int32", "int32"], attrs: noAttrs, want: [-2147483648] },
    { ins: [[255], [2]], dtypes: ["uint8", "uint8"], attrs: noAttrs, want: [1] },
  ],
  reject: [
    { ins: [[2], [3]], attrs: noAttrs, code: "add.C3" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: noAttrs, code: "add.C2" },
    { ins: [[2], [2]], dtypes: ["bool", "bool"], attrs: noAttrs, code: "add.C1" },
  ],
}));

export const subOp: Op<"sub", NoAttrs> = defineBinary({
  name: "sub",
  accepts: numeric,
  scalar: { float: (x, y) => x! - y!, int64: (x, y) => x! - y! },
  vjp: (b, [g]) => [g!, b.neg([g!])],
});
/**
 * x − y, element by element, broadcast. Integers wrap.
 * @example tf.sub([1, 2], 3) // [-2, -1]
 * @method
 */
export function sub<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"sub", A, B>, B>,
): Out<Bin<"sub", A, B>, PromoteOf<A, B>> {
  return typed(binary(subOp, a, b as Like));
}
export const subCases: Cases<NoAttrs> = cases(subOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [Infinity, 0, -0, NaN],
        [Infinity, 0, 0, 1],
      ],
      attrs: noAttrs,
      want: [NaN, 0, -0, NaN],
    },
  ],
  reject: [{ ins: [[2], [2, 1]], attrs: noAttrs, code: "sub.C3" }],
}));

export const mulOp: Op<"mul", NoAttrs> = defineBinary({
  name: "mul",
  accepts: numeric,
  scalar: { float: (x, y) => x! * y!, small: (x, y) => Math.imul(x!, y!), int64: (x, y) => x! * y! },
  vjp: (b, [g], [x, y]) => [b.mul([g!, y!]), b.mul([g!, x!])],
});
/**
 * x · y, element by element, broadcast. Integers wrap.
 * @example tf.mul([1, 2], 3) // [3, 6]
 * @method
 */
export function mul<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"mul", A, B>, B>,
): Out<Bin<"mul", A, B>, PromoteOf<A, B>> {
  return typed(binary(mulOp, a, b as Like));
}
export const mulCases: Cases<NoAttrs> = cases(mulOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [Infinity, 0, -0, NaN],
        [0, -1, 1, 0],
      ],
      attrs: noAttrs,
      want: [NaN, -0, -0, NaN],
    },
    { ins: [[65537], [65537]], dtypes: ["int32", "int32"], attrs: noAttrs, want: [131073] },
  ],
  reject: [{ ins: [[2], [3]], attrs: noAttrs, code: "mul.C3" }],
}));

/** Integer division truncates toward zero; by zero it gives 0, as the kernels do, since a program cannot trap. */
const truncatingDivision = (x: number, y: number): number => (y === 0 ? 0 : Math.trunc(x / y));

export const divOp: Op<"div", NoAttrs> = defineBinary({
  name: "div",
  accepts: numeric,
  scalar: {
    float: (x, y) => x! / y!,
    small: (x, y) => truncatingDivision(x!, y!),
    int64: (x, y) => (y === 0n ? 0n : x! / y!),
  },
  vjp: (b, [g], [, y], [z]) => {
    const gx = b.div([g!, y!]);
    return [gx, b.neg([b.mul([gx, z!])])];
  },
});
/**
 * x / y, element by element, broadcast. Two integers give a float32, as in TensorFlow; `floorDiv` stays with integers.
 * @example tf.div([1, 3], 2) // [0.5, 1.5]
 * @method
 */
export function div<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Bin<"div", A, B>, B>,
): Out<Bin<"div", A, B>, FloatOf<PromoteOf<A, B>>> {
  return typed(binaryFloat(divOp, a, b as Like));
}
export const divCases: Cases<NoAttrs> = cases(divOp, () => ({
  samples: elementwiseSamples(2, noAttrs, [0.5, 3]),
  edges: [
    {
      ins: [
        [1, -1, 0, Infinity],
        [0, 0, 0, Infinity],
      ],
      attrs: noAttrs,
      want: [Infinity, -Infinity, NaN, NaN],
    },
    {
      ins: [
        [7, -7, 7],
        [2, 2, 0],
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [3, -3, 0],
    },
  ],
  reject: [{ ins: [[2], [3]], attrs: noAttrs, code: "div.C3" }],
}));

/**
 * The sum of a list of tensors of one shape and dtype.
 * @example tf.addN([[1, 2], [3, 4]]) // [4, 6]
 * @public
 */
export function addN<const X extends Like>(tensors: readonly X[]): Out<ShapeOf<X>, DTypeOf<X>> {
  const [first, ...rest] = tensors.map((x) => toTensor(x));
  if (first === undefined) throw new MillraceError("E_ARGUMENT", "addN: needs at least one tensor", { op: "addN" });
  return typed(rest.reduce<Tensor>((sum, x) => dispatch.current.apply2(addOp, sum, x), first));
}
