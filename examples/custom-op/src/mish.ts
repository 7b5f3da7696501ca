// A composite: the decomposition is all that is needed. It fuses, has a gradient and runs on every backend.
import type { Tensor } from "@millrace/core";
import { applyOp, defineComposite, type NoAttrs } from "@millrace/core/extend";
import { type Cases, cases } from "@millrace/core/testing";

export const mishOp = defineComposite({
  name: "acme/mish",
  arity: 1,
  lower: (b, [x]) => [b.mul([x!, b.tanh([b.softplus([x!])])])],
});

/** x · tanh(log(1 + eˣ)), element by element (Misra, "Mish", 2019). */
export function mish(x: Tensor): Tensor {
  return applyOp(mishOp, [x]);
}

export const mishCases: Cases<NoAttrs> = cases(mishOp, () => ({
  samples: [[], [0], [17], [2, 3]].map((shape) => ({ ins: [shape], attrs: {} })),
  edges: [{ ins: [[0, 100, -200, Infinity, NaN]], attrs: {}, want: [0, 100, -0, Infinity, NaN] }],
}));
