import { type Cases, cases, type Sample } from "../../ir/cases.js";
import { type Composite, defineComposite } from "../../ir/op.js";
import { recur } from "../control/recurrence.js";
import { fillLike } from "../rules.js";
import {
  checkAvals,
  inferRecurrent,
  joined,
  partsOf,
  product,
  type RecurrentAttrs,
  recurrentAvals,
  written,
} from "./recurrent.js";

/**
 * As gru, with the reset gate before the product, as first published: g = tanh(x_t + (r·h)·U). There is no bias of its own.
 * Results: h of all steps, and the last h.
 */
export const gruResetFirstOp: Composite<"gruResetFirst", RecurrentAttrs, "many"> = defineComposite({
  name: "gruResetFirst",
  version: 1,
  arity: [2, 3],
  many: true,
  infer([x, kernel, ...initial]) {
    const avals = inferRecurrent("gruResetFirst", x!, kernel!, 3);
    checkAvals("gruResetFirst.C4", [x!, ...initial], [avals.gates, avals.state]);
    return [avals.sequence, avals.state];
  },
  lower(b, [x, kernel, ...initial], { reverse }) {
    const avals = recurrentAvals(x!.aval, kernel!.aval, 3);
    const [uz, ur, ug] = partsOf(b, kernel!, avals.units, 3);
    const recurrence = {
      each: [written(b, x!, avals.gates)],
      all: [joined(b, [uz!, ur!]), ug!],
      axis: x!.aval.shape.length - 2,
      reverse,
      start: initial.length > 0 ? initial : undefined,
      states: [avals.state],
      outs: [avals.sequence],
    };
    const { state, outs } = recur(b, recurrence, (s, state, [own], [gates, fresh]) => {
      const [xz, xr, xg] = partsOf(s, own!, avals.units, 3);
      const one = (y: typeof x): typeof xz => s.sub([fillLike(s, y!, 1), y!]);
      if (!state) {
        const h = s.mul([one(s.logistic([xz!]))!, s.tanh([xg!])]);
        return { state: [h], outs: [h] };
      }
      const [sz, sr] = partsOf(s, product(s, state[0]!, gates!), avals.units, 2);
      const [z, r] = [s.logistic([s.add([xz!, sz!])]), s.logistic([s.add([xr!, sr!])])];
      const g = s.tanh([s.add([xg!, product(s, s.mul([r, state[0]!]), fresh!)])]);
      const h = s.add([s.mul([z, state[0]!]), s.mul([one(z)!, g])]);
      return { state: [h], outs: [h] };
    });
    return [outs[0]!, ...state];
  },
  vjp: "lower",
  batch: "elementwise",
});

const sample = (
  lead: number[],
  batch: number,
  time: number,
  units: number,
  reverse: boolean,
): Sample<RecurrentAttrs>[] => {
  const ins = [
    [...lead, batch, time, 3 * units],
    [...lead, units, 3 * units],
    [...lead, batch, units],
  ];
  return [
    { ins, attrs: { reverse } },
    { ins: ins.slice(0, 2), attrs: { reverse } },
  ];
};
const forwards: RecurrentAttrs = { reverse: false };
export const gruResetFirstCases: Cases<RecurrentAttrs> = cases(gruResetFirstOp, () => ({
  samples: [
    ...sample([], 1, 2, 1, false),
    ...sample([], 2, 3, 2, true),
    ...sample([2], 1, 2, 1, false),
    ...sample([], 0, 2, 1, false),
    ...sample([], 2, 0, 1, true),
    ...sample([], 15, 2, 17, false),
  ],
  edges: [
    // r is ½, so g sees half the state: tanh(1 + ½·2·1).
    { ins: [[[[0, 0, 1]]], [[0, 0, 1]], [[2]]], attrs: forwards, want: [[[[1.4820138]]], [[1.4820138]]] },
    // Without a state to start from its kernel is not read.
    { ins: [[[[0, 0, Infinity]]], [[Infinity, Infinity, Infinity]]], attrs: forwards, want: [[[[0.5]]], [[0.5]]] },
  ],
  reject: [
    {
      ins: [
        [1, 1, 3],
        [1, 3],
      ],
      dtypes: ["int32", "int32"],
      attrs: forwards,
      code: "gruResetFirst.C1",
    },
    {
      ins: [
        [2, 3],
        [1, 3],
      ],
      attrs: forwards,
      code: "gruResetFirst.C2",
    },
    {
      ins: [
        [1, 2, 3],
        [2, 3],
      ],
      attrs: forwards,
      code: "gruResetFirst.C3",
    },
    {
      ins: [
        [1, 2, 4],
        [1, 3],
      ],
      attrs: forwards,
      code: "gruResetFirst.C4",
    },
    {
      ins: [
        [1, 2, 3],
        [1, 3],
        [2, 1],
      ],
      attrs: forwards,
      code: "gruResetFirst.C4",
    },
  ],
}));
