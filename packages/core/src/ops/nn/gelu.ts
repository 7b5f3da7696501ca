import { typed } from "../../ir/apply.js";
import type { Val } from "../../ir/aval.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import type { Composite } from "../../ir/op.js";
import type { Like, SameFloat } from "../../types/operands.js";
import { withDefaults } from "../../types/options.js";
import { defineElementwise, floats } from "../elementwise.js";
import type { Ops } from "../names.js";
import { apply1, toFloat } from "../public.js";
import { fillLike, scale, shift } from "../rules.js";

/** Whether the normal distribution is approximated by tanh. */
export type GeluAttrs = { readonly approximate: boolean };

/** Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016: Φ(x) ≈ ½ (1 + tanh(√(2/π) (x + 0.044715 x³))). */
const cubic = 0.044715;
const tanhScale = Math.sqrt(2 / Math.PI);

/** Beyond ±40 Φ is 0 or 1 in every dtype; the bound keeps ∞ · 0 from arising. */
const bound = 40;

/** The probability that a normal variable is below x. */
function normalCdf(b: Ops, x: Val, approximate: boolean): Val {
  const t = approximate ? b.tanh([tanhArgument(b, x)]) : b.erf([scale(b, x, Math.SQRT1_2)]);
  return scale(b, shift(b, t, 1), 0.5);
}

function tanhArgument(b: Ops, x: Val): Val {
  return scale(b, b.mul([x, shift(b, scale(b, b.mul([x, x]), cubic), 1)]), tanhScale);
}

/** The derivative of normalCdf at `x`, whose value within the bounds is `inner`: tanh is that of the forward pass. */
function normalDensity(b: Ops, x: Val, inner: Val, approximate: boolean): Val {
  const square = b.mul([inner, inner]);
  if (!approximate) return scale(b, b.exp([scale(b, square, -0.5)]), 1 / Math.sqrt(2 * Math.PI));
  const t = b.tanh([tanhArgument(b, x)]);
  const slope = scale(b, shift(b, scale(b, square, 3 * cubic), 1), tanhScale / 2);
  return b.mul([shift(b, b.neg([b.mul([t, t])]), 1), slope]);
}

const atLeast = (b: Ops, x: Val, low: number): Val => b.max([x, fillLike(b, x, low)]);
const atMost = (b: Ops, x: Val, high: number): Val => b.min([x, fillLike(b, x, high)]);

export const geluOp: Composite<"gelu", GeluAttrs> = defineElementwise<"gelu", GeluAttrs>({
  name: "gelu",
  arity: 1,
  accepts: floats,
  lower: (b, [x], { approximate }) => [b.mul([atLeast(b, x!, -bound), normalCdf(b, x!, approximate)])],
  vjp: (b, [g], [x], _outs, attrs) => [b.geluGrad([g!, x!], attrs)],
});
/** Options of `gelu`. */
export interface GeluOptions {
  /** Approximates the normal distribution by tanh, as the first BERT and GPT-2 did; false by default. */
  readonly approximate?: boolean;
}
/**
 * The Gaussian error linear unit: x · Φ(x), where Φ is the normal distribution.
 * @param x any shape; integers compute in float32
 * @example tf.gelu([-1, 0, 1]) // [-0.15865527, 0, 0.8413447]
 * @public
 */
export function gelu<const X extends Like>(x: X, options?: GeluOptions): SameFloat<X> {
  const { approximate } = withDefaults("gelu", options, { approximate: false });
  return typed(apply1(geluOp, toFloat(x), { approximate }));
}
export const geluCases: Cases<GeluAttrs> = cases(geluOp, () => ({
  samples: [true, false].flatMap((approximate) => elementwiseSamples(1, { approximate })),
  edges: [true, false].map((approximate) => ({
    ins: [[-Infinity, -50, 0, 50, Infinity, NaN]],
    attrs: { approximate },
    want: [-0, -0, 0, 50, Infinity, NaN],
  })),
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: { approximate: false }, code: "gelu.C1" }],
}));

export const geluGradOp: Composite<"geluGrad", GeluAttrs> = defineElementwise<"geluGrad", GeluAttrs>({
  name: "geluGrad",
  arity: 2,
  accepts: floats,
  /** g · (Φ(x) + x · Φ′(x)) */
  lower(b, [g, x], { approximate }) {
    const inner = atMost(b, atLeast(b, x!, -bound), bound);
    const slope = b.mul([inner, normalDensity(b, x!, inner, approximate)]);
    return [b.mul([g!, b.add([normalCdf(b, x!, approximate), slope])])];
  },
  vjp: "lower",
});
export const geluGradCases: Cases<GeluAttrs> = cases(geluGradOp, () => ({
  samples: [true, false].flatMap((approximate) => elementwiseSamples(2, { approximate })),
  edges: [true, false].map((approximate) => ({
    ins: [
      [2, 2, 2, 2],
      [-Infinity, 0, Infinity, NaN],
    ],
    attrs: { approximate },
    want: [0, 1, 2, NaN],
  })),
  reject: [{ ins: [[2], [2]], dtypes: ["int32", "int32"], attrs: { approximate: false }, code: "geluGrad.C1" }],
}));
