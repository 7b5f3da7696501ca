import { dispatch, typed } from "../../ir/apply.js";
import type { Aval } from "../../ir/aval.js";
import { type Cases, type Content, cases, type Sample } from "../../ir/cases.js";
import { type Composite, checkAttr, defineComposite } from "../../ir/op.js";
import type { DType, FloatOf } from "../../types/dtype.js";
import type { DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import { withDefaults } from "../../types/options.js";
import type { Recurrent, WithoutTime } from "../../types/rules/recurrent.js";
import type { Arg } from "../../types/shape.js";
import { recur } from "../control/recurrence.js";
import { castTo, toFloat, toTensor } from "../public.js";
import { zerosOf } from "../rules.js";
import { withMask } from "./masked-steps.js";
import {
  before,
  checkAvals,
  inferRecurrent,
  joined,
  kernelCotangent,
  logisticSlope,
  partsOf,
  product,
  projected,
  type RecurrentAttrs,
  type RecurrentAvals,
  type RecurrentGradAttrs,
  recurrentAvals,
  sumOf,
  tanhSlope,
  written,
} from "./recurrent.js";

/** The states and gates of all steps, as the gradient needs them: h, the last h and c, c, and i, f, g, o side by side. */
const outsOf = ({ sequence, state, gates }: RecurrentAvals): readonly Aval[] => [
  sequence,
  state,
  state,
  sequence,
  gates,
];

/**
 * The recurrent part of long short-term memory (Hochreiter and Schmidhuber, 1997; the forget gate of Gers and others, 2000),
 * in Keras's order of gates. With x_t what comes from the input: i, f, o = σ(x_t + h·U), g = tanh(x_t + h·U), each for its
 * quarter; c = f·c + i·g, h = o·tanh(c). Operands: x [..., batch, time, 4 · units], U [..., units, 4 · units], and h and c
 * [..., batch, units] to start from; without them the first step has neither h·U nor f·c.
 */
export const lstmOp: Composite<"lstm", RecurrentAttrs, "many"> = defineComposite({
  name: "lstm",
  version: 1,
  arity: [2, 4],
  many: true,
  infer([x, kernel, ...initial]) {
    const avals = inferRecurrent("lstm", x!, kernel!, 4);
    checkAvals("lstm.C4", [x!], [avals.gates]);
    checkAttr("lstm.C5", initial.length !== 1, () => "needs both states to start from, or none");
    checkAvals("lstm.C5", initial, [avals.state, avals.state]);
    return outsOf(avals);
  },
  lower(b, [x, kernel, ...initial], { reverse }) {
    const avals = recurrentAvals(x!.aval, kernel!.aval, 4);
    const recurrence = {
      each: [written(b, x!, avals.gates)],
      all: [written(b, kernel!, avals.kernel)],
      axis: x!.aval.shape.length - 2,
      reverse,
      start: initial.length > 0 ? initial : undefined,
      states: [avals.state, avals.state],
      outs: [avals.sequence, avals.sequence, avals.gates],
    };
    const { state, outs } = recur(b, recurrence, (s, state, [own], [u]) => {
      const [i, f, g, o] = partsOf(s, state ? s.add([own!, product(s, state[0]!, u!)]) : own!, avals.units, 4);
      const gates = [s.logistic([i!]), s.logistic([f!]), s.tanh([g!]), s.logistic([o!])] as const;
      const added = s.mul([gates[0], gates[2]]);
      const c = state ? s.add([s.mul([gates[1], state[1]!]), added]) : added;
      const h = s.mul([gates[3], s.tanh([c])]);
      return { state: [h, c], outs: [h, c, joined(s, gates)] };
    });
    return [outs[0]!, ...state, outs[1]!, outs[2]!];
  },
  vjp(b, gs, [, kernel, ...initial], [h, , , c, gates], { reverse }) {
    const outputs = gs.flatMap((g, i) => (g ? [i] : []));
    const given = gs.filter((g) => g !== null);
    return b.lstmGrad([kernel!, h!, c!, gates!, ...initial, ...given], { reverse, outputs });
  },
  batch: "elementwise",
});

/** Options of `lstm`. */
export interface LstmOptions {
  /** [4 · units] */
  readonly bias?: Like;
  /** The states h and c [batch, units] to start from; zeros by default. */
  readonly initialState?: readonly [h: Like, c: Like];
  /** Whether the last step comes first. Each step's result stands at its own place all the same. */
  readonly reverse?: boolean;
  /** Bool [batch, time]: steps where it is false leave the states as they are. */
  readonly mask?: Like;
}
/** Results of `lstm`: h after each step, and both states after the last. */
export interface LstmResult<S, D extends DType> {
  readonly sequence: Out<S, D>;
  readonly state: readonly [h: Out<WithoutTime<S>, D>, c: Out<WithoutTime<S>, D>];
}
/**
 * Long short-term memory over a whole sequence, as Keras's layer computes it: with s_t = x_t · kernel + h · recurrentKernel + bias
 * in four parts, i, f, o = logistic(s), g = tanh(s), then c = f·c + i·g and h = o·tanh(c). The parts are in the order i, f, g, o.
 * @param x [batch, time, features]; `kernel` [features, 4 · units]; `recurrentKernel` [units, 4 · units]; integers compute in float32
 * @throws E_SHAPE where these do not fit
 * @example tf.lstm([[[1], [2]]], [[0, 0, 1, 0]], [[0, 0, 0, 0]]).sequence // [[[0.18169974], [0.29328224]]]
 * @public
 */
export function lstm<const X extends Like, const K extends Like, const R extends Like>(
  x: Arg<Recurrent<"lstm", ShapeOf<X>, ShapeOf<K>, ShapeOf<R>>, X>,
  kernel: K,
  recurrentKernel: R,
  options?: LstmOptions,
): LstmResult<Recurrent<"lstm", ShapeOf<X>, ShapeOf<K>, ShapeOf<R>>, FloatOf<DTypeOf<X>>> {
  const defaults = { bias: undefined, initialState: undefined, reverse: false, mask: undefined };
  const { bias, initialState = [], reverse, mask } = withDefaults("lstm", options, defaults);
  const t = toFloat(x as Like);
  const [u, ...start] = [recurrentKernel, ...initialState].map((value) => castTo(toTensor(value, t.dtype), t.dtype));
  const { along, last } = withMask(t, mask, reverse, start, (steps) => {
    const ins = [projected("lstm", steps, kernel, bias), u!, ...start];
    const [sequence, h, c, cells] = dispatch.current.apply(lstmOp, ins, { reverse });
    return { along: [sequence!, cells!], last: [h!, c!] };
  });
  return { sequence: typed(along[0]!), state: [typed(last[0]!), typed(last[1]!)] };
}

/**
 * The cotangents of lstm's operands. Its own: U, the results h, c and gates, the states to start from if there were any, and
 * the cotangents of those results of lstm that `outputs` numbers.
 */
export const lstmGradOp: Composite<"lstmGrad", RecurrentGradAttrs, "many"> = defineComposite({
  name: "lstmGrad",
  version: 1,
  arity: [4, 11],
  many: true,
  infer([kernel, h, c, gates, ...rest], { outputs }) {
    const avals = inferRecurrent("lstmGrad", h!, kernel!, 4);
    const outs = outsOf(avals);
    checkAvals("lstmGrad.C4", [h!, c!, gates!], [avals.sequence, avals.sequence, avals.gates]);
    const ascending = outputs.every((k, n) => Number.isInteger(k) && k > (outputs[n - 1] ?? -1) && k < outs.length);
    checkAttr("lstmGrad.C5", ascending, () => `outputs [${outputs}] must be numbers of results of lstm, ascending`);
    const initial = rest.length - outputs.length;
    checkAttr("lstmGrad.C6", initial === 0 || initial === 2, () => `needs 0 or 2 states to start from, got ${initial}`);
    const states = [avals.state, avals.state].slice(0, initial);
    checkAvals("lstmGrad.C7", rest, [...states, ...outputs.map((k) => outs[k]!)]);
    return [avals.gates, avals.kernel, ...states];
  },
  lower(b, [kernel, h, c, gates, ...rest], { reverse, outputs }) {
    const avals = recurrentAvals(h!.aval, kernel!.aval, 4);
    const initial = rest.slice(0, rest.length - outputs.length);
    const cotangents = rest.slice(initial.length);
    const [gLastH, gLastC] = [1, 2].map((k) => cotangents[outputs.indexOf(k)] ?? zerosOf(b, avals.state));
    const along = outputs.filter((k) => k !== 1 && k !== 2);
    const given = along.map((k) => cotangents[outputs.indexOf(k)]!);
    const recurrence = {
      each: [
        written(b, gates!, avals.gates),
        c!,
        before(b, c!, initial[1], reverse),
        ...given.map((g, n) => (along[n] === 4 ? written(b, g, avals.gates) : g)),
      ],
      all: [written(b, kernel!, avals.kernel)],
      axis: h!.aval.shape.length - 2,
      reverse: !reverse,
      start: [gLastH!, gLastC!],
      states: [avals.state, avals.state],
      outs: [avals.gates],
    };
    const { state, outs } = recur(b, recurrence, (s, state, [now, cNow, cBefore, ...each], [u]) => {
      const [ofH, ofC, ofGates] = [0, 3, 4].map((k) => each[along.indexOf(k)]);
      const [i, f, g, o] = partsOf(s, now!, avals.units, 4);
      const t = s.tanh([cNow!]);
      const dh = sumOf(s, state![0]!, ofH);
      const dc = sumOf(s, s.mul([s.mul([dh, o!]), tanhSlope(s, t)]), state![1]!, ofC);
      const added = ofGates ? partsOf(s, ofGates, avals.units, 4) : [];
      const ofGate = [s.mul([dc, g!]), s.mul([dc, cBefore!]), s.mul([dc, i!]), s.mul([dh, t])];
      const slopes = [logisticSlope(s, i!), logisticSlope(s, f!), tanhSlope(s, g!), logisticSlope(s, o!)];
      const sums = joined(
        s,
        ofGate.map((d, k) => s.mul([sumOf(s, d, added[k]), slopes[k]!])),
      );
      return { state: [product(s, sums, u!, true), s.mul([dc, f!])], outs: [sums] };
    });
    const gKernel = kernelCotangent(b, h!, outs[0]!, initial[0], reverse);
    return [outs[0]!, gKernel, ...(initial.length > 0 ? state : [])];
  },
  vjp: "lower",
  batch: "elementwise",
});

const forwards: RecurrentAttrs = { reverse: false };
/** Shapes of x and U, and of the states to start from. */
/* @__NO_SIDE_EFFECTS__ */
const shapesOf = (lead: number[], batch: number, time: number, units: number): number[][] => [
  [...lead, batch, time, 4 * units],
  [...lead, units, 4 * units],
  [...lead, batch, units],
  [...lead, batch, units],
];
const kinds = [
  { dims: shapesOf([], 1, 2, 1), reverse: false },
  { dims: shapesOf([], 2, 3, 2), reverse: false },
  { dims: shapesOf([], 2, 3, 2), reverse: true },
  { dims: shapesOf([2], 1, 2, 1), reverse: true },
  { dims: shapesOf([], 15, 1, 3), reverse: false },
  { dims: shapesOf([], 17, 2, 17), reverse: true },
  { dims: shapesOf([], 0, 2, 1), reverse: false },
  { dims: shapesOf([], 2, 0, 1), reverse: true },
  { dims: shapesOf([1, 2], 1, 2, 1), reverse: false },
];
const oneStep = (h: number, c: number, gates: readonly number[]): Content[] => [
  [[[h]]],
  [[h]],
  [[c]],
  [[[c]]],
  [[gates]],
];
export const lstmCases: Cases<RecurrentAttrs> = cases(lstmOp, () => ({
  samples: kinds.flatMap(({ dims, reverse }): Sample<RecurrentAttrs>[] => [
    { ins: dims, attrs: { reverse } },
    { ins: dims.slice(0, 2), attrs: { reverse } },
  ]),
  edges: [
    {
      ins: [[[[0, 0, 0, 0]]], [[1, 1, 1, 1]], [[0]], [[4]]],
      attrs: forwards,
      want: oneStep(0.4820138, 2, [0.5, 0.5, 0, 0.5]),
    },
    // Gates that are shut and open; what the state is multiplied by reaches it through the forget gate alone.
    {
      ins: [[[[Infinity, -Infinity, Infinity, Infinity]]], [[0, 0, 0, 0]], [[7]], [[1e30]]],
      attrs: forwards,
      want: oneStep(0.7615942, 1, [1, 0, 1, 1]),
    },
    { ins: [[[[0, 0, NaN, 0]]], [[0, 0, 0, 0]]], attrs: forwards, want: oneStep(NaN, NaN, [0.5, 0.5, NaN, 0.5]) },
    // Without a state to start from its kernel is not read: infinity times nothing would be NaN.
    {
      ins: [[[[0, 0, Infinity, 0]]], [[Infinity, Infinity, Infinity, Infinity]]],
      attrs: forwards,
      want: oneStep(0.23105858, 0.5, [0.5, 0.5, 1, 0.5]),
    },
  ],
  reject: [
    { ins: shapesOf([], 1, 1, 1), dtypes: ["int32", "int32", "int32", "int32"], attrs: forwards, code: "lstm.C1" },
    {
      ins: [
        [2, 4],
        [1, 4],
      ],
      attrs: forwards,
      code: "lstm.C2",
    },
    {
      ins: [
        [1, 2, 4],
        [2, 4],
      ],
      attrs: forwards,
      code: "lstm.C3",
    },
    {
      ins: [
        [2, 1, 2, 4],
        [1, 1, 4],
      ],
      attrs: forwards,
      code: "lstm.C3",
    },
    {
      ins: [
        [1, 2, 4],
        [1, 4],
      ],
      dtypes: ["float32", "float64"],
      attrs: forwards,
      code: "lstm.C3",
    },
    {
      ins: [
        [1, 2, 5],
        [1, 4],
      ],
      attrs: forwards,
      code: "lstm.C4",
    },
    {
      ins: [
        [1, 2, 4],
        [1, 4],
        [1, 1],
      ],
      attrs: forwards,
      code: "lstm.C5",
    },
    {
      ins: [
        [1, 2, 4],
        [1, 4],
        [1, 1],
        [2, 1],
      ],
      attrs: forwards,
      code: "lstm.C5",
    },
  ],
}));
export const lstmGradCases: Cases<RecurrentGradAttrs> = cases(lstmGradOp, () => ({
  samples: kinds.flatMap(({ dims: [x, kernel, state], reverse }, n): Sample<RecurrentGradAttrs>[] => {
    const sequence = [...x!.slice(0, -1), state!.at(-1)!];
    const outs = [sequence, state!, state!, sequence, x!];
    const of = (outputs: number[], initial: number): Sample<RecurrentGradAttrs> => ({
      ins: [kernel!, sequence, sequence, x!, ...[state!, state!].slice(0, initial), ...outputs.map((k) => outs[k]!)],
      attrs: { reverse, outputs },
    });
    return [of([0, 1, 2, 3, 4], 2), of(n % 2 === 0 ? [0] : [1], 0), of([2, 3], n % 2 === 0 ? 2 : 0)];
  }),
  edges: [
    // One step from h = 3 and c = 4 with all gates ½ and c = 0: of h = ½ tanh c it is ½ to c, so i gets ½·½·¼, f ½·4·¼, g ½·½·¾.
    {
      ins: [[[2, 0, 0, 0]], [[[0]]], [[[0]]], [[[0.5, 0.5, 0.5, 0.5]]], [[3]], [[4]], [[1]]],
      attrs: { reverse: false, outputs: [1] },
      want: [[[[0.0625, 0.5, 0.1875, 0]]], [[0.1875, 1.5, 0.5625, 0]], [[0.125]], [[0.25]]],
    },
  ],
  reject: [
    {
      ins: [
        [1, 4],
        [1, 2, 1],
        [1, 2, 1],
        [1, 2, 3],
      ],
      attrs: { reverse: false, outputs: [] },
      code: "lstmGrad.C4",
    },
    {
      ins: [
        [1, 4],
        [1, 2, 1],
        [1, 2, 1],
        [1, 2, 4],
        [1, 1],
      ],
      attrs: { reverse: false, outputs: [5] },
      code: "lstmGrad.C5",
    },
    {
      ins: [
        [1, 4],
        [1, 2, 1],
        [1, 2, 1],
        [1, 2, 4],
        [1, 1],
      ],
      attrs: { reverse: false, outputs: [] },
      code: "lstmGrad.C6",
    },
    {
      ins: [
        [1, 4],
        [1, 2, 1],
        [1, 2, 1],
        [1, 2, 4],
        [1, 1],
      ],
      attrs: { reverse: false, outputs: [0] },
      code: "lstmGrad.C7",
    },
  ],
}));
