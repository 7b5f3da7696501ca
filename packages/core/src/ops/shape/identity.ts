// Ops that change no value: what they say is for autodiff and the optimizer.
import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Cases, cases } from "../../ir/cases.js";
import type { HostArray } from "../../ir/host.js";
import { defineOp, type NoAttrs, type Op } from "../../ir/op.js";
import type { Like, Same } from "../../types/operands.js";
import { apply1, toTensor } from "../public.js";
import { stretch } from "../rules.js";

function copy(ins: readonly HostArray[], outs: readonly HostArray[]): void {
  ins.forEach(({ data }, i) => {
    for (let j = 0; j < data.length; j++) outs[i]!.data[j] = data[j]!;
  });
}

export const identityOp: Op<"identity", NoAttrs> = defineOp({
  name: "identity",
  version: 1,
  kind: "shape",
  arity: 1,
  infer: ([x]) => [x!],
  reference: (ins, _attrs, outs) => copy(ins, outs),
  vjp: (_b, [g]) => [g!],
  batch: "elementwise",
});
export const identityCases: Cases<NoAttrs> = cases(identityOp, () => ({
  samples: [[], [0], [17], [2, 3], [1, 2, 1, 2, 1, 2]].map((shape) => ({ ins: [shape], attrs: noAttrs })),
  edges: [{ ins: [[1, NaN, -0, Infinity]], attrs: noAttrs, want: [1, NaN, -0, Infinity] }],
}));

export const stopGradientOp: Op<"stopGradient", NoAttrs> = defineOp({
  name: "stopGradient",
  version: 1,
  kind: "shape",
  arity: 1,
  infer: ([x]) => [x!],
  reference: (ins, _attrs, outs) => copy(ins, outs),
  vjp: () => [null],
  batch: "elementwise",
});
/**
 * `x` itself, as a constant to differentiation: no gradient flows through it.
 * @example tf.stopGradient([1, 2]) // [1, 2]
 * @method
 */
export function stopGradient<const X extends Like>(x: X): Same<X> {
  return typed(apply1(stopGradientOp, toTensor(x)));
}
export const stopGradientCases: Cases<NoAttrs> = cases(stopGradientOp, () => ({
  samples: [[], [0], [17], [2, 3], [1, 2, 1, 2, 1, 2]].map((shape) => ({
    ins: [shape],
    attrs: noAttrs,
    smooth: false,
  })),
  edges: [{ ins: [[1, NaN, -0, Infinity]], attrs: noAttrs, want: [1, NaN, -0, Infinity] }],
}));

/** Its outputs are its operands, but no pass computes across it: what is recomputed for memory's sake stays recomputed. */
export const optimizationBarrierOp: Op<"optimizationBarrier", NoAttrs, "many"> = defineOp({
  name: "optimizationBarrier",
  version: 1,
  kind: "control",
  arity: [1, Number.POSITIVE_INFINITY],
  many: true,
  infer: (ins) => ins,
  reference: (ins, _attrs, outs) => copy(ins, outs),
  vjp: (_b, gs) => gs,
  batch: (b, ins, batched, _attrs, outs) =>
    b.optimizationBarrier(
      ins.map((x, i) =>
        batched[i]
          ? x
          : stretch(
              b,
              x,
              outs[i]!.shape,
              x.aval.shape.map((_, d) => d + 1),
            ),
      ),
    ),
});
export const optimizationBarrierCases: Cases<NoAttrs> = cases(optimizationBarrierOp, () => ({
  samples: [
    { ins: [[2, 3]], attrs: noAttrs },
    { ins: [[], [17], [0, 2]], attrs: noAttrs },
  ],
  edges: [{ ins: [[1, NaN], [-0]], attrs: noAttrs, want: [[1, NaN], [-0]] }],
}));
