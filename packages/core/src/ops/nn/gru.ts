import { avalOf, dispatch, typed } from "../../ir/apply.js";
import type { Aval } from "../../ir/aval.js";
import { type Cases, type Content, cases, type Sample } from "../../ir/cases.js";
import { mulDim } from "../../ir/dim.js";
import { type Composite, defineComposite } from "../../ir/op.js";
import type { DType, FloatOf } from "../../types/dtype.js";
import type { DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import { withDefaults } from "../../types/options.js";
import type { Recurrent, WithoutTime } from "../../types/rules/recurrent.js";
import type { Arg } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { recur } from "../control/recurrence.js";
import { apply1, castTo, toFloat, toTensor } from "../public.js";
import { axesOf, fillLike } from "../rules.js";
import { broadcastInDimOp } from "../shape/broadcast.js";
import { unstack } from "../shape/split.js";
import { gruResetFirstOp } from "./gru-reset-first.js";
import { withMask } from "./masked-steps.js";
import {
  checkAvals,
  inferRecurrent,
  joined,
  partsOf,
  product,
  projected,
  type RecurrentAttrs,
  type RecurrentAvals,
  recurrentAvals,
  sumOf,
  written,
} from "./recurrent.js";

/** The shapes of a gated recurrent unit. */
export interface GruAvals extends RecurrentAvals {
  /** [..., 3 · units] */
  readonly bias: Aval;
  /** z, r, g and n side by side. */
  readonly saved: Aval;
}
export function gruAvals(avals: RecurrentAvals): GruAvals {
  const { gates, kernel, units } = avals;
  const [columns, lead] = [gates.shape.at(-1)!, kernel.shape.slice(0, -2)];
  return {
    ...avals,
    bias: { dtype: gates.dtype, shape: [...lead, columns] },
    saved: { dtype: gates.dtype, shape: [...gates.shape.slice(0, -1), mulDim(4, units)] },
  };
}
/** Those of the results of gru. */
export const gruOuts = ({ sequence, state, saved }: GruAvals): readonly Aval[] => [sequence, state, saved];

/**
 * The recurrent part of a gated recurrent unit (Cho and others, 2014) whose reset gate comes after the product, in Keras's
 * order of gates. With x_t what comes from the input, and s = h·U + b: z, r = σ(x_t + s), g = tanh(x_t + r·n), where n is the
 * last third of s; h = z·h + (1 − z)·g. Operands: x [..., batch, time, 3 · units], U [..., units, 3 · units], b [..., 3 · units],
 * and h [..., batch, units] to start from; without it the first step has neither h·U nor z·h. Results: h of all steps, the
 * last h, and as the gradient needs them z, r, g and n side by side.
 */
export const gruOp: Composite<"gru", RecurrentAttrs, "many"> = defineComposite({
  name: "gru",
  version: 1,
  arity: [3, 4],
  many: true,
  infer([x, kernel, bias, ...initial]) {
    const avals = gruAvals(inferRecurrent("gru", x!, kernel!, 3));
    checkAvals("gru.C4", [x!, bias!, ...initial], [avals.gates, avals.bias, avals.state]);
    return gruOuts(avals);
  },
  lower(b, [x, kernel, bias, ...initial], { reverse }) {
    const avals = gruAvals(recurrentAvals(x!.aval, kernel!.aval, 3));
    const { units } = avals;
    const rows = b.reshape([bias!], { shape: [...avals.bias.shape.slice(0, -1), 1, avals.bias.shape.at(-1)!] });
    const recurrence = {
      each: [written(b, x!, avals.gates)],
      all: [written(b, kernel!, avals.kernel), rows],
      axis: x!.aval.shape.length - 2,
      reverse,
      start: initial.length > 0 ? initial : undefined,
      states: [avals.state],
      outs: [avals.sequence, avals.saved],
    };
    const { state, outs } = recur(b, recurrence, (s, state, [own], [u, row]) => {
      const [h] = state ?? [];
      const added = s.broadcastInDim([row!], { shape: own!.aval.shape, dims: axesOf(own!.aval.shape.length) });
      const sums = h ? s.add([product(s, h, u!), added]) : added;
      const [xz, xr, xg] = partsOf(s, own!, units, 3);
      const [sz, sr, n] = partsOf(s, sums, units, 3);
      const [z, r] = [s.logistic([s.add([xz!, sz!])]), s.logistic([s.add([xr!, sr!])])];
      const g = s.tanh([s.add([xg!, s.mul([r, n!])])]);
      const fresh = s.mul([s.sub([fillLike(s, z, 1), z]), g]);
      const next = h ? s.add([s.mul([z, h]), fresh]) : fresh;
      return { state: [next], outs: [next, joined(s, [z, r, g, n!])] };
    });
    return [outs[0]!, ...state, outs[1]!];
  },
  vjp(b, gs, [x, kernel, bias, ...initial], [h, , saved], { reverse }) {
    const outputs = gs.flatMap((g, i) => (g ? [i] : []));
    const given = gs.filter((g) => g !== null);
    const [gX, gKernel, ...gInitial] = b.gruGrad([kernel!, h!, saved!, ...initial, ...given], { reverse, outputs });
    // Of the sums for z and r the cotangents are those of x; n reaches g through r.
    const { units } = recurrentAvals(x!.aval, kernel!.aval, 3);
    const rank = gX!.aval.shape.length;
    const overSteps = (y: typeof gX): typeof gX => b.reduceSum([y!], { axes: [rank - 3, rank - 2] });
    const [gz, gr] = partsOf(b, overSteps(gX)!, units, 3);
    const through = b.mul([partsOf(b, saved!, units, 4)[1]!, partsOf(b, gX!, units, 3)[2]!]);
    const own = gs[2] && partsOf(b, gs[2], units, 4)[3];
    const gBias = joined(b, [gz!, gr!, overSteps(sumOf(b, through, own ?? undefined))!]);
    return [gX!, gKernel!, written(b, gBias, bias!.aval), ...gInitial];
  },
  batch: "elementwise",
});

/** Options of `gru`. */
export interface GruOptions {
  /** [3 · units], or [2, 3 · units]: what is added to x_t · kernel, and to h · recurrentKernel. */
  readonly bias?: Like;
  /** The state [batch, units] to start from; zeros by default. */
  readonly initialState?: Like;
  /** Whether the last step comes first. Each step's result stands at its own place all the same. */
  readonly reverse?: boolean;
  /** Whether the reset gate multiplies h · recurrentKernel (the default), or h before that product. */
  readonly resetAfter?: boolean;
  /** Bool [batch, time]: steps where it is false leave the state as it is. */
  readonly mask?: Like;
}
/** Results of `gru`: h after each step, and after the last. */
export interface GruResult<S, D extends DType> {
  readonly sequence: Out<S, D>;
  readonly state: Out<WithoutTime<S>, D>;
}
/**
 * A gated recurrent unit over a whole sequence, as Keras's layer computes it: with x_t · kernel + bias₀ and
 * h · recurrentKernel + bias₁ in three parts each, z, r = logistic of both parts' sum, g = tanh(x part + r · h part), then
 * h = z·h + (1 − z)·g. The parts are in the order z, r, g. Without `resetAfter` the h part of g is (r·h) · recurrentKernel.
 * @param x [batch, time, features]; `kernel` [features, 3 · units]; `recurrentKernel` [units, 3 · units]; integers compute in float32
 * @throws E_SHAPE where these do not fit
 * @example tf.gru([[[1], [2]]], [[0, 0, 1]], [[0, 0, 0]]).sequence // [[[0.38079708], [0.67241234]]]
 * @public
 */
export function gru<const X extends Like, const K extends Like, const R extends Like>(
  x: Arg<Recurrent<"gru", ShapeOf<X>, ShapeOf<K>, ShapeOf<R>>, X>,
  kernel: K,
  recurrentKernel: R,
  options?: GruOptions,
): GruResult<Recurrent<"gru", ShapeOf<X>, ShapeOf<K>, ShapeOf<R>>, FloatOf<DTypeOf<X>>> {
  const defaults = { bias: undefined, initialState: undefined, reverse: false, resetAfter: true, mask: undefined };
  const { bias, initialState, resetAfter, reverse, mask } = withDefaults("gru", options, defaults);
  const given = bias === undefined ? undefined : toTensor(bias);
  const isPair = resetAfter && given?.rank === 2;
  const [own, recurrent] = isPair ? (unstack(given as Tensor) as readonly Tensor[]) : [given];
  const t = toFloat(x as Like);
  const like = (value: Like): Tensor => castTo(toTensor(value, t.dtype), t.dtype);
  const u = like(recurrentKernel);
  const added = resetAfter ? [recurrent ? like(recurrent) : zeroBias(u)] : [];
  const start = initialState === undefined ? [] : [like(initialState)];
  const { along, last } = withMask(t, mask, reverse, start, (steps) => {
    const ins = [projected("gru", steps, kernel, own), u, ...added, ...start];
    const [h, end] = dispatch.current.apply(resetAfter ? gruOp : gruResetFirstOp, ins, { reverse });
    return { along: [h!], last: [end!] };
  });
  return { sequence: typed(along[0]!), state: typed(last[0]!) };
}

/** Zeros, one for each column of a kernel. */
const zeroBias = (kernel: Tensor): Tensor =>
  apply1(broadcastInDimOp, toTensor(0, kernel.dtype), { shape: [avalOf(kernel).shape[1]!], dims: [] });

const forwards: RecurrentAttrs = { reverse: false };
/** Shapes of x, U and the bias, and of the state to start from. */
/* @__NO_SIDE_EFFECTS__ */
const shapesOf = (lead: number[], batch: number, time: number, units: number): number[][] => [
  [...lead, batch, time, 3 * units],
  [...lead, units, 3 * units],
  [...lead, 3 * units],
  [...lead, batch, units],
];
export const gruKinds: readonly { readonly dims: number[][]; readonly reverse: boolean }[] = [
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
const oneStep = (h: number, saved: readonly number[]): Content[] => [[[[h]]], [[h]], [[saved]]];
export const gruCases: Cases<RecurrentAttrs> = cases(gruOp, () => ({
  samples: gruKinds.flatMap(({ dims, reverse }): Sample<RecurrentAttrs>[] => [
    { ins: dims, attrs: { reverse } },
    { ins: dims.slice(0, 3), attrs: { reverse } },
  ]),
  edges: [
    { ins: [[[[0, 0, 0]]], [[1, 1, 1]], [0, 0, 0], [[0]]], attrs: forwards, want: oneStep(0, [0.5, 0.5, 0, 0]) },
    {
      ins: [[[[0, 0, 0]]], [[0, 0, 0]], [0, 0, 2], [[4]]],
      attrs: forwards,
      want: oneStep(2.3807971, [0.5, 0.5, 0.76159416, 2]),
    },
    // Gates that are open keep the state; what is shut adds nothing.
    {
      ins: [[[[Infinity, -Infinity, 3]]], [[0, 0, 0]], [0, 0, 1], [[7]]],
      attrs: forwards,
      want: oneStep(7, [1, 0, 0.9950548, 1]),
    },
    { ins: [[[[0, 0, NaN]]], [[0, 0, 0]], [0, 0, 0]], attrs: forwards, want: oneStep(NaN, [0.5, 0.5, NaN, 0]) },
    // Without a state to start from its kernel is not read: infinity times nothing would be NaN.
    {
      ins: [[[[0, 0, Infinity]]], [[Infinity, Infinity, Infinity]], [0, 0, 0]],
      attrs: forwards,
      want: oneStep(0.5, [0.5, 0.5, 1, 0]),
    },
  ],
  reject: [
    { ins: shapesOf([], 1, 1, 1), dtypes: ["int32", "int32", "int32", "int32"], attrs: forwards, code: "gru.C1" },
    { ins: [[2, 3], [1, 3], [3]], attrs: forwards, code: "gru.C2" },
    { ins: [[1, 2, 3], [2, 3], [3]], attrs: forwards, code: "gru.C3" },
    {
      ins: [
        [2, 1, 2, 3],
        [1, 1, 3],
        [2, 3],
      ],
      attrs: forwards,
      code: "gru.C3",
    },
    { ins: [[1, 2, 4], [1, 3], [3]], attrs: forwards, code: "gru.C4" },
    { ins: [[1, 2, 3], [1, 3], [1]], attrs: forwards, code: "gru.C4" },
    { ins: [[1, 2, 3], [1, 3], [3], [2, 1]], attrs: forwards, code: "gru.C4" },
  ],
}));
