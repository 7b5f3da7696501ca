import { type Aval, formatShape, sameShape } from "../../ir/aval.js";
import { type Cases, cases, type Sample } from "../../ir/cases.js";
import type { Dim } from "../../ir/dim.js";
import { type Composite, check, defineComposite } from "../../ir/op.js";
import { convSamples } from "./conv-general.js";
import { filterGradient, inputGradient } from "./gradients.js";
import { type ConvAttrs, convolvedShape } from "./shape.js";

/** A convolution whose input is not dilated. */
type PlainConvAttrs = Omit<ConvAttrs, "lhsDilation" | "fastMath">;

/** The gradient in the input of a convolution, and that input's whole shape. */
export type ConvInputGradAttrs = PlainConvAttrs & { readonly inputShape: readonly Dim[] };

/** The gradient in the filter of a convolution, and that filter's shape. */
export type ConvFilterGradAttrs = PlainConvAttrs & { readonly filterShape: readonly Dim[] };

/** The attributes of the convolution itself. */
function forward({ strides, low, high, rhsDilation, groups }: PlainConvAttrs): ConvAttrs {
  return { strides, low, high, lhsDilation: strides.map(() => 1), rhsDilation, groups };
}

/** Holds that `g` is a cotangent of the convolution of x with w. */
function checkCotangent(name: string, x: Aval, w: Aval, g: Aval, attrs: PlainConvAttrs): void {
  const want = convolvedShape(name, x, w, forward(attrs));
  check(
    `${name}.C9`,
    sameShape(want, g.shape),
    () => `needs a cotangent of shape ${formatShape(want)}, got ${formatShape(g.shape)}`,
  );
}

export const convInputGradOp: Composite<"convInputGrad", ConvInputGradAttrs> = defineComposite({
  name: "convInputGrad",
  version: 1,
  arity: 2,
  sizeAttrs: ["inputShape", "low", "high"],
  infer([g, w], attrs) {
    const x = { dtype: g!.dtype, shape: attrs.inputShape };
    checkCotangent("convInputGrad", x, w!, g!, attrs);
    return [x];
  },
  lower: (b, [g, w], attrs) => [inputGradient(b, g!, w!, attrs.inputShape, forward(attrs))],
  // It is linear in both operands: ⟨t, convInputGrad(g, w)⟩ = ⟨convGeneral(t, w), g⟩.
  vjp(b, [t], [g, w], _outs, { inputShape: _, ...attrs }) {
    const filterShape = w!.aval.shape;
    return [b.convGeneral([t!, w!], forward(attrs)), b.convFilterGrad([t!, g!], { ...attrs, filterShape })];
  },
  batch: "lower",
});
export const convInputGradCases: Cases<ConvInputGradAttrs> = cases(convInputGradOp, () => ({
  samples: plainSamples().map(({ x, w, g, attrs }) => ({ ins: [g, w], attrs: { ...attrs, inputShape: x } })),
  edges: [
    {
      ins: [[[[1], [10]]], [[[3]], [[4]]]],
      attrs: { inputShape: [1, 3, 1], strides: [1], low: [0], high: [0], rhsDilation: [1], groups: 1 },
      want: [[[3], [34], [40]]],
    },
  ],
  reject: [
    {
      ins: [
        [1, 3, 1],
        [2, 1, 1],
      ],
      attrs: { inputShape: [1, 3, 1], strides: [1], low: [0], high: [0], rhsDilation: [1], groups: 1 },
      code: "convInputGrad.C9",
    },
  ],
}));

export const convFilterGradOp: Composite<"convFilterGrad", ConvFilterGradAttrs> = defineComposite({
  name: "convFilterGrad",
  version: 1,
  arity: 2,
  sizeAttrs: ["filterShape", "low", "high"],
  infer([x, g], attrs) {
    const w = { dtype: x!.dtype, shape: attrs.filterShape };
    checkCotangent("convFilterGrad", x!, w, g!, attrs);
    return [w];
  },
  lower: (b, [x, g], attrs) => [filterGradient(b, x!, g!, attrs.filterShape, forward(attrs))],
  // As convInputGrad: ⟨t, convFilterGrad(x, g)⟩ = ⟨convGeneral(x, t), g⟩.
  vjp(b, [t], [x, g], _outs, { filterShape: _, ...attrs }) {
    const inputShape = x!.aval.shape;
    return [b.convInputGrad([g!, t!], { ...attrs, inputShape }), b.convGeneral([x!, t!], forward(attrs))];
  },
  batch: "lower",
});
export const convFilterGradCases: Cases<ConvFilterGradAttrs> = cases(convFilterGradOp, () => ({
  samples: plainSamples().map(({ x, w, g, attrs }) => ({ ins: [x, g], attrs: { ...attrs, filterShape: w } })),
  edges: [
    {
      ins: [[[[1], [2], [3]]], [[[1], [10]]]],
      attrs: { filterShape: [2, 1, 1], strides: [1], low: [0], high: [0], rhsDilation: [1], groups: 1 },
      want: [[[21]], [[32]]],
    },
  ],
  reject: [
    {
      ins: [
        [1, 3, 1],
        [1, 3, 1],
      ],
      attrs: { filterShape: [2, 1, 1], strides: [1], low: [0], high: [0], rhsDilation: [1], groups: 1 },
      code: "convFilterGrad.C9",
    },
  ],
}));

interface PlainSample {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly g: readonly number[];
  readonly attrs: PlainConvAttrs;
}

/** The samples of convGeneral whose input is not dilated, with the shape of the result. */
function plainSamples(): PlainSample[] {
  const isPlain = ({ attrs }: Sample<ConvAttrs>): boolean => attrs.lhsDilation.every((n) => n === 1);
  return convSamples()
    .filter(isPlain)
    .map(({ ins: [x, w], attrs: { lhsDilation: _, ...attrs } }) => {
      const [p, q] = [x!, w!].map((shape): Aval => ({ dtype: "float32", shape }));
      return { x: x!, w: w!, g: convolvedShape("convGeneral", p!, q!, forward(attrs)).map(Number), attrs };
    });
}
