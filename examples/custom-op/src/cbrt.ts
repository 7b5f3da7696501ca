// A primitive: nothing in core takes cube roots of negative numbers, so the op is defined by a loop in JavaScript.
// On every backend a program is split there; the gradient is made of ops of core, which are not.
import type { Tensor } from "@millrace/core";
import { applyOp, checkDType, defineOp, type NoAttrs } from "@millrace/core/extend";
import { type Cases, cases } from "@millrace/core/testing";

export const cbrtOp = defineOp({
  name: "acme/cbrt",
  arity: 1,
  infer([x]) {
    const { dtype } = x!;
    checkDType("acme/cbrt.C1", dtype === "float32" || dtype === "float64", () => `needs a float, got ${dtype}`);
    return [x!];
  },
  reference([x], _attrs, [y]) {
    for (let i = 0; i < y!.data.length; i++) y!.data[i] = Math.cbrt(Number(x!.data[i]));
  },
  /** dy/dx = 1 / (3 y²) */
  vjp: (b, [g], _ins, [y]) => {
    const square = b.mul([y!, y!]);
    return [b.div([g!, b.add([square, b.add([square, square])])])];
  },
  batch: "elementwise",
});

/** The cube root, also of negative numbers, element by element. */
export function cbrt(x: Tensor): Tensor {
  return applyOp(cbrtOp, [x]);
}

export const cbrtCases: Cases<NoAttrs> = cases(cbrtOp, () => ({
  samples: [[], [0], [17], [2, 3]].map((shape) => ({ ins: [shape], attrs: {}, domain: [0.5, 8] as const })),
  edges: [{ ins: [[8, -27, 0, -0, Infinity, NaN]], attrs: {}, want: [2, -3, 0, -0, Infinity, NaN] }],
  reject: [{ ins: [[2]], attrs: {}, dtypes: ["int32"], code: "acme/cbrt.C1" }],
}));
