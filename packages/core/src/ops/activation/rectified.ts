// Activations with a kink at 0. The kink's derivative is 0, or that of the negative side, as in TensorFlow; NaN passes.
import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { Composite, NoAttrs } from "../../ir/op.js";
import type { FloatOf } from "../../types/dtype.js";
import type { Bin, Like, Out, PromoteOf, Same, SameFloat } from "../../types/operands.js";
import type { Arg } from "../../types/shape.js";
import { defineElementwise, floats, numeric } from "../elementwise.js";
import { apply1, binaryFloat, toFloat, toTensor } from "../public.js";
import { fillLike, positive, scale, zeroLike } from "../rules.js";

export const reluOp: Composite<"relu", NoAttrs> = defineElementwise({
  name: "relu",
  arity: 1,
  accepts: numeric,
  lower: (b, [x]) => [b.max([x!, zeroLike(b, x!)])],
  vjp: (b, [g], _ins, [y]) => [b.select([positive(b, y!), g!, zeroLike(b, g!)])],
});
/**
 * max(x, 0). The derivative at 0 is 0.
 * @example tf.relu([-1, 2]) // [0, 2]
 * @method
 */
export function relu<const X extends Like>(x: X): Same<X> {
  return typed(apply1(reluOp, toTensor(x)));
}
export const reluCases: Cases<NoAttrs> = cases(reluOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[-Infinity, -1, -0, 0, Infinity, NaN]], attrs: noAttrs, want: [0, 0, 0, 0, Infinity, NaN] },
    { ins: [[-5, 5]], dtypes: ["int32"], attrs: noAttrs, want: [0, 5] },
  ],
  gradients: [{ ins: [[-1, 0, -0, 2]], attrs: noAttrs, want: [[0, 0, 0, 1]] }],
  reject: [{ ins: [[2]], dtypes: ["bool"], attrs: noAttrs, code: "relu.C1" }],
}));

export const relu6Op: Composite<"relu6", NoAttrs> = defineElementwise({
  name: "relu6",
  arity: 1,
  accepts: numeric,
  lower: (b, [x]) => [b.min([b.max([x!, zeroLike(b, x!)]), fillLike(b, x!, 6)])],
  vjp(b, [g], _ins, [y]) {
    const inside = b.and([positive(b, y!), b.lt([y!, fillLike(b, y!, 6)])]);
    return [b.select([inside, g!, zeroLike(b, g!)])];
  },
});
/**
 * min(max(x, 0), 6). The derivative at 0 and at 6 is 0.
 * @example tf.relu6([-1, 2, 8]) // [0, 2, 6]
 * @method
 */
export function relu6<const X extends Like>(x: X): Same<X> {
  return typed(apply1(relu6Op, toTensor(x)));
}
export const relu6Cases: Cases<NoAttrs> = cases(relu6Op, () => ({
  samples: elementwiseSamples(1, noAttrs, [-3, 9]),
  edges: [{ ins: [[-Infinity, -1, -0, 6, Infinity, NaN]], attrs: noAttrs, want: [0, 0, 0, 6, 6, NaN] }],
  gradients: [{ ins: [[-1, 0, 3, 6, 7]], attrs: noAttrs, want: [[0, 0, 1, 0, 0]] }],
}));

/** The slope of the negative side. */
export type SlopeAttrs = { readonly alpha: number };

export const leakyReluOp: Composite<"leakyRelu", SlopeAttrs> = defineElementwise({
  name: "leakyRelu",
  arity: 1,
  accepts: floats,
  lower: (b, [x], { alpha }) => [b.select([positive(b, x!), x!, scale(b, x!, alpha)])],
  vjp: (b, [g], [x], _outs, { alpha }) => [b.select([positive(b, x!), g!, scale(b, g!, alpha)])],
});
/**
 * x where it is positive, else alpha · x, which is the derivative's side at 0 too.
 * @example tf.leakyRelu([-1, 2], 0.5) // [-0.5, 2]
 * @method
 */
export function leakyRelu<const X extends Like>(x: X, alpha = 0.2): SameFloat<X> {
  return typed(apply1(leakyReluOp, toFloat(x), { alpha }));
}
export const leakyReluCases: Cases<SlopeAttrs> = cases(leakyReluOp, () => ({
  samples: [0.2, -1.5].flatMap((alpha) => elementwiseSamples(1, { alpha })),
  edges: [
    { ins: [[-Infinity, -2, -0, Infinity, NaN]], attrs: { alpha: 0.5 }, want: [-Infinity, -1, -0, Infinity, NaN] },
  ],
  gradients: [{ ins: [[-1, 0, 3]], attrs: { alpha: 0.5 }, want: [[0.5, 0.5, 1]] }],
}));

export const preluOp: Composite<"prelu", NoAttrs> = defineElementwise({
  name: "prelu",
  arity: 2,
  accepts: floats,
  lower: (b, [x, alpha]) => [b.select([positive(b, x!), x!, b.mul([x!, alpha!])])],
  vjp(b, [g], [x, alpha]) {
    const isPositive = positive(b, x!);
    const zero = zeroLike(b, g!);
    return [b.select([isPositive, g!, b.mul([g!, alpha!])]), b.select([isPositive, zero, b.mul([g!, x!])])];
  },
});
/**
 * x where it is positive, else alpha · x, with a slope for each element, broadcast: leakyRelu with learned slopes.
 * @example tf.prelu([-1, 2], [0.5, 3]) // [-0.5, 2]
 * @method
 */
export function prelu<const X extends Like, const A extends Like>(
  x: X,
  alpha: Arg<Bin<"prelu", X, A>, A>,
): Out<Bin<"prelu", X, A>, FloatOf<PromoteOf<X, A>>> {
  return typed(binaryFloat(preluOp, x, alpha as Like));
}
export const preluCases: Cases<NoAttrs> = cases(preluOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [-2, 3, NaN, Infinity],
        [0.5, NaN, 1, 0],
      ],
      attrs: noAttrs,
      want: [-1, 3, NaN, Infinity],
    },
  ],
  reject: [{ ins: [[2], [3]], attrs: noAttrs, code: "prelu.C3" }],
}));

export const stepOp: Composite<"step", SlopeAttrs> = defineElementwise({
  name: "step",
  arity: 1,
  accepts: floats,
  lower(b, [x], { alpha }) {
    const stepped = b.select([positive(b, x!), fillLike(b, x!, 1), fillLike(b, x!, alpha)]);
    return [b.select([b.eq([x!, x!]), stepped, x!])];
  },
  vjp: (b, [g]) => [zeroLike(b, g!)],
});
/**
 * 1 where x is positive, else alpha; NaN stays. The derivative is 0.
 * @example tf.step([-1, 0, 2]) // [0, 0, 1]
 * @method
 */
export function step<const X extends Like>(x: X, alpha = 0): SameFloat<X> {
  return typed(apply1(stepOp, toFloat(x), { alpha }));
}
export const stepCases: Cases<SlopeAttrs> = cases(stepOp, () => ({
  samples: [0, -0.5].flatMap((alpha) => elementwiseSamples(1, { alpha })),
  edges: [{ ins: [[-Infinity, -0, 1e-30, Infinity, NaN]], attrs: { alpha: 0.25 }, want: [0.25, 0.25, 1, 1, NaN] }],
}));
