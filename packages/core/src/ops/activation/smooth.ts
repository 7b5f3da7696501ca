// Smooth activations, in forms that stay finite where the textbook's overflow; NaN passes.
import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import type { Val } from "../../ir/aval.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { Composite, NoAttrs } from "../../ir/op.js";
import type { Like, SameFloat } from "../../types/operands.js";
import { defineElementwise, floats } from "../elementwise.js";
import type { Ops } from "../names.js";
import { apply1, toFloat } from "../public.js";
import { fillLike, positive, scale, shift, zeroLike } from "../rules.js";

/** min(x, 0), so that e^x does not overflow on the side that is not taken. */
const negativePart = (b: Ops, x: Val): Val => b.min([x, zeroLike(b, x)]);
const positivePart = (b: Ops, x: Val): Val => b.max([x, zeroLike(b, x)]);

export const eluOp: Composite<"elu", NoAttrs> = defineElementwise({
  name: "elu",
  arity: 1,
  accepts: floats,
  lower: (b, [x]) => [b.select([positive(b, x!), x!, b.expm1([x!])])],
  vjp: (b, [g], [x]) => [b.select([positive(b, x!), g!, b.mul([g!, b.exp([negativePart(b, x!)])])])],
});
/**
 * x where it is positive, else e^x − 1.
 * @example tf.elu([-1, 2]) // [-0.63212055, 2]
 * @method
 */
export function elu<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(eluOp, toFloat(x)));
}
export const eluCases: Cases<NoAttrs> = cases(eluOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[-Infinity, -200, 0, -0, 200, Infinity, NaN]], attrs: noAttrs, want: [-1, -1, 0, -0, 200, Infinity, NaN] },
  ],
  gradients: [{ ins: [[-1000, 0, 1000, Infinity]], attrs: noAttrs, want: [[0, 1, 1, 1]] }],
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: noAttrs, code: "elu.C1" }],
}));

/** Klambauer et al., "Self-Normalizing Neural Networks", 2017. */
const [seluAlpha, seluScale] = [1.6732632423543772, 1.0507009873554805];

export const seluOp: Composite<"selu", NoAttrs> = defineElementwise({
  name: "selu",
  arity: 1,
  accepts: floats,
  lower(b, [x]) {
    const below = scale(b, b.expm1([x!]), seluScale * seluAlpha);
    return [b.select([positive(b, x!), scale(b, x!, seluScale), below])];
  },
  vjp(b, [g], [x]) {
    const below = scale(b, b.exp([negativePart(b, x!)]), seluScale * seluAlpha);
    return [b.mul([g!, b.select([positive(b, x!), fillLike(b, x!, seluScale), below])])];
  },
});
/**
 * The scaled elu of self-normalizing networks: 1.0507 · (x where it is positive, else 1.67326 · (e^x − 1)).
 * @example tf.selu([-1, 2]) // [-1.1113307, 2.101402]
 * @method
 */
export function selu<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(seluOp, toFloat(x)));
}
export const seluCases: Cases<NoAttrs> = cases(seluOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    {
      ins: [[-Infinity, 0, -0, Infinity, NaN]],
      attrs: noAttrs,
      want: [-seluAlpha * seluScale, 0, -0, Infinity, NaN],
    },
  ],
  gradients: [{ ins: [[-1000, 1000, Infinity]], attrs: noAttrs, want: [[0, seluScale, seluScale]] }],
}));

/** Below every x whose sigmoid is not 0, so that −∞ · 0 becomes −0 instead of NaN. */
const silenced = -1e30;

export const siluOp: Composite<"silu", NoAttrs> = defineElementwise({
  name: "silu",
  arity: 1,
  accepts: floats,
  lower: (b, [x]) => [b.mul([b.max([x!, fillLike(b, x!, silenced)]), b.logistic([x!])])],
  vjp(b, [g], [x]) {
    // d/dx x·s(x) = s(x) · (1 + x · (1 − s(x))), and 1 − s(x) = s(−x) keeps its digits where s(x) is near 1.
    const bounded = b.max([b.min([x!, fillLike(b, x!, -silenced)]), fillLike(b, x!, silenced)]);
    const slope = b.mul([b.logistic([x!]), shift(b, b.mul([bounded, b.logistic([b.neg([x!])])]), 1)]);
    return [b.mul([g!, slope])];
  },
});
/**
 * x · sigmoid(x), also called swish.
 * @example tf.silu([-1, 2]) // [-0.26894143, 1.7615942]
 * @method
 */
export function silu<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(siluOp, toFloat(x)));
}
export const siluCases: Cases<NoAttrs> = cases(siluOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [{ ins: [[-Infinity, 0, 200, Infinity, NaN]], attrs: noAttrs, want: [-0, 0, 200, Infinity, NaN] }],
  gradients: [{ ins: [[-Infinity, 0, Infinity]], attrs: noAttrs, want: [[0, 0.5, 1]] }],
}));

export const softplusOp: Composite<"softplus", NoAttrs> = defineElementwise({
  name: "softplus",
  arity: 1,
  accepts: floats,
  lower: (b, [x]) => [b.add([positivePart(b, x!), b.log1p([b.exp([b.neg([b.abs([x!])])])])])],
  vjp: (b, [g], [x]) => [b.mul([g!, b.logistic([x!])])],
});
/**
 * log(1 + e^x), which is x for a large x.
 * @example tf.softplus([0, 100]) // [0.6931472, 100]
 * @method
 */
export function softplus<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(softplusOp, toFloat(x)));
}
export const softplusCases: Cases<NoAttrs> = cases(softplusOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[-Infinity, -200, 0, 100, Infinity, NaN]], attrs: noAttrs, want: [0, 0, Math.LN2, 100, Infinity, NaN] },
    { ins: [[-50, 1000]], dtypes: ["float64"], attrs: noAttrs, want: [1.9287498479639178e-22, 1000] },
  ],
  gradients: [{ ins: [[-Infinity, 0, 1000]], attrs: noAttrs, want: [[0, 0.5, 1]] }],
}));

export const logSigmoidOp: Composite<"logSigmoid", NoAttrs> = defineElementwise({
  name: "logSigmoid",
  arity: 1,
  accepts: floats,
  lower: (b, [x]) => [b.sub([negativePart(b, x!), b.log1p([b.exp([b.neg([b.abs([x!])])])])])],
  vjp: (b, [g], [x]) => [b.mul([g!, b.logistic([b.neg([x!])])])],
});
/**
 * log(sigmoid(x)) = −softplus(−x), which is x for a very negative x.
 * @example tf.logSigmoid([0, -100]) // [-0.6931472, -100]
 * @method
 */
export function logSigmoid<const X extends Like>(x: X): SameFloat<X> {
  return typed(apply1(logSigmoidOp, toFloat(x)));
}
export const logSigmoidCases: Cases<NoAttrs> = cases(logSigmoidOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [{ ins: [[-Infinity, -100, 0, 200, NaN]], attrs: noAttrs, want: [-Infinity, -100, -Math.LN2, 0, NaN] }],
  gradients: [{ ins: [[-1000, 0, Infinity]], attrs: noAttrs, want: [[1, 0.5, 0]] }],
}));
