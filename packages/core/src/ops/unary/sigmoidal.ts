// Functions that rise from one bound to another: tanh, logistic and erf.
import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { NoAttrs, Op } from "../../ir/op.js";
import type { Like, SameFloat } from "../../types/operands.js";
import { defineUnary, floats } from "../elementwise.js";
import { errorFunction } from "../error-function.js";
import { apply1, toFloat } from "../public.js";
import { fillLike, scale } from "../rules.js";

export const tanhOp: Op<"tanh", NoAttrs> = defineUnary({
  name: "tanh",
  accepts: floats,
  scalar: { float: Math.tanh },
  vjp: (b, [g], _ins, [y]) => [b.mul([g!, b.sub([fillLike(b, y!, 1), b.mul([y!, y!])])])],
});
/**
 * The hyperbolic tangent, from −1 to 1.
 * @example tf.tanh([0, 1]) // [0, 0.7615942]
 * @method
 */
export function tanh<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(tanhOp, toFloat(x)));
}
export const tanhCases: Cases<NoAttrs> = cases(tanhOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [{ ins: [[-Infinity, 0, -0, 50, Infinity, NaN]], attrs: noAttrs, want: [-1, 0, -0, 1, 1, NaN] }],
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: noAttrs, code: "tanh.C1" }],
}));

/** 1 / (1 + e^−x), by the form that keeps its digits on either side of 0. */
function logistic(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

export const logisticOp: Op<"logistic", NoAttrs> = defineUnary({
  name: "logistic",
  accepts: floats,
  scalar: { float: logistic },
  vjp: (b, [g], _ins, [y]) => [b.mul([g!, b.mul([y!, b.sub([fillLike(b, y!, 1), y!])])])],
});
/**
 * The logistic function 1 / (1 + e^−x), from 0 to 1.
 * @example tf.sigmoid([0, 1]) // [0.5, 0.7310586]
 * @method
 */
export function sigmoid<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(logisticOp, toFloat(x)));
}
export const logisticCases: Cases<NoAttrs> = cases(logisticOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[-Infinity, 0, -0, 100, Infinity, NaN]], attrs: noAttrs, want: [0, 0.5, 0.5, 1, 1, NaN] },
    { ins: [[-100]], dtypes: ["float64"], attrs: noAttrs, want: [3.7200759760208356e-44] },
  ],
}));

export const erfOp: Op<"erf", NoAttrs> = defineUnary({
  name: "erf",
  accepts: floats,
  scalar: { float: errorFunction },
  vjp(b, [g], [x]) {
    const bell = b.exp([b.neg([b.mul([x!, x!])])]);
    return [b.mul([g!, scale(b, bell, 2 / Math.sqrt(Math.PI))])];
  },
});
/**
 * The error function 2/√π ∫₀ˣ e^−t² dt, from −1 to 1.
 * @example tf.erf([0, 1]) // [0, 0.8427008]
 * @method
 */
export function erf<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(erfOp, toFloat(x)));
}
export const erfCases: Cases<NoAttrs> = cases(erfOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    {
      ins: [[-Infinity, 0, -0, 0.5, 6, Infinity, NaN]],
      attrs: noAttrs,
      want: [-1, 0, -0, 0.5204998778130465, 1, 1, NaN],
    },
  ],
}));
