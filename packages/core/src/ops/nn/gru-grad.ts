import { type Cases, cases, type Sample } from "../../ir/cases.js";
import { type Composite, checkAttr, defineComposite } from "../../ir/op.js";
import { recur } from "../control/recurrence.js";
import { fillLike, zerosOf } from "../rules.js";
import { gruAvals, gruKinds, gruOuts } from "./gru.js";
import {
  before,
  checkAvals,
  inferRecurrent,
  joined,
  kernelCotangent,
  logisticSlope,
  partsOf,
  product,
  type RecurrentGradAttrs,
  recurrentAvals,
  sumOf,
  tanhSlope,
  written,
} from "./recurrent.js";

/**
 * The cotangents of gru's operands but the bias, which follows from that of x. Its own: U, the results h and saved, the state
 * to start from if there was one, and the cotangents of those results of gru that `outputs` numbers.
 */
export const gruGradOp: Composite<"gruGrad", RecurrentGradAttrs, "many"> = defineComposite({
  name: "gruGrad",
  version: 1,
  arity: [3, 7],
  many: true,
  infer([kernel, h, saved, ...rest], { outputs }) {
    const avals = gruAvals(inferRecurrent("gruGrad", h!, kernel!, 3));
    const outs = gruOuts(avals);
    checkAvals("gruGrad.C4", [h!, saved!], [avals.sequence, avals.saved]);
    const ascending = outputs.every((k, n) => Number.isInteger(k) && k > (outputs[n - 1] ?? -1) && k < outs.length);
    checkAttr("gruGrad.C5", ascending, () => `outputs [${outputs}] must be numbers of results of gru, ascending`);
    const initial = rest.length - outputs.length;
    checkAttr(
      "gruGrad.C6",
      initial === 0 || initial === 1,
      () => `needs at most 1 state to start from, got ${initial}`,
    );
    const states = [avals.state].slice(0, initial);
    checkAvals("gruGrad.C7", rest, [...states, ...outputs.map((k) => outs[k]!)]);
    return [avals.gates, avals.kernel, ...states];
  },
  lower(b, [kernel, h, saved, ...rest], { reverse, outputs }) {
    const avals = gruAvals(recurrentAvals(h!.aval, kernel!.aval, 3));
    const { units } = avals;
    const initial = rest.slice(0, rest.length - outputs.length);
    const cotangents = rest.slice(initial.length);
    const of = (k: number) => cotangents[outputs.indexOf(k)];
    const [gH, gSaved] = [of(0), of(2)];
    const recurrence = {
      each: [
        written(b, saved!, avals.saved),
        before(b, h!, initial[0], reverse),
        ...(gH ? [gH] : []),
        ...(gSaved ? [written(b, gSaved, avals.saved)] : []),
      ],
      all: [written(b, kernel!, avals.kernel)],
      axis: h!.aval.shape.length - 2,
      reverse: !reverse,
      start: [of(1) ?? zerosOf(b, avals.state)],
      states: [avals.state],
      outs: [avals.gates, avals.gates],
    };
    const { state, outs } = recur(b, recurrence, (s, state, [now, found, ...each], [u]) => {
      const [ofH, ofSaved] = [gH && each[0], gSaved && each.at(-1)];
      const [z, r, g, n] = partsOf(s, now!, units, 4);
      const [ofZ, ofR, ofG, ofN] = ofSaved ? partsOf(s, ofSaved, units, 4) : [];
      const dh = sumOf(s, state![0]!, ofH);
      const keep = s.sub([fillLike(s, z!, 1), z!]);
      const dg = s.mul([sumOf(s, s.mul([dh, keep]), ofG), tanhSlope(s, g!)]);
      const dr = s.mul([sumOf(s, s.mul([dg, n!]), ofR), logisticSlope(s, r!)]);
      const dz = s.mul([sumOf(s, s.mul([dh, s.sub([found!, g!])]), ofZ), logisticSlope(s, z!)]);
      const sums = joined(s, [dz, dr, sumOf(s, s.mul([dg, r!]), ofN)]);
      const back = s.add([s.mul([dh, z!]), product(s, sums, u!, true)]);
      return { state: [back], outs: [joined(s, [dz, dr, dg]), sums] };
    });
    const gKernel = kernelCotangent(b, h!, outs[1]!, initial[0], reverse);
    return [outs[0]!, gKernel, ...(initial.length > 0 ? state : [])];
  },
  vjp: "lower",
  batch: "elementwise",
});

export const gruGradCases: Cases<RecurrentGradAttrs> = cases(gruGradOp, () => ({
  samples: gruKinds.flatMap(({ dims: [x, kernel, , state], reverse }, n): Sample<RecurrentGradAttrs>[] => {
    const units = state!.at(-1)!;
    const [sequence, saved] = [units, 4 * units].map((size) => [...x!.slice(0, -1), size]);
    const outs = [sequence!, state!, saved!];
    const of = (outputs: number[], initial: number): Sample<RecurrentGradAttrs> => {
      const ins = [kernel!, sequence!, saved!, ...[state!].slice(0, initial), ...outputs.map((k) => outs[k]!)];
      // Gates are between 0 and 1: others would make the cotangents of 17 steps, and their errors, grow without bound.
      return { ins, domain: ins.map((_, i) => (i === 2 ? [0.1, 0.9] : [-1, 1])), attrs: { reverse, outputs } };
    };
    return [of([0, 1, 2], 1), of(n % 2 === 0 ? [0] : [1], 0), of([2], n % 2)];
  }),
  edges: [
    // One step from h = 3 with z = r = ½, g = 0 and n = 2: of h it is 3·¼ to z, ½ to g, ½·2·¼ to r and ½·½ to n.
    {
      ins: [[[2, 0, 4]], [[[0]]], [[[0.5, 0.5, 0, 2]]], [[3]], [[1]]],
      attrs: { reverse: false, outputs: [1] },
      want: [[[[0.75, 0.25, 0.5]]], [[2.25, 0.75, 0.75]], [[3]]],
    },
  ],
  reject: [
    {
      ins: [
        [1, 3],
        [1, 2, 1],
        [1, 2, 3],
      ],
      attrs: { reverse: false, outputs: [] },
      code: "gruGrad.C4",
    },
    {
      ins: [
        [1, 3],
        [1, 2, 1],
        [1, 2, 4],
        [1, 1],
      ],
      attrs: { reverse: false, outputs: [3] },
      code: "gruGrad.C5",
    },
    {
      ins: [
        [1, 3],
        [1, 2, 1],
        [1, 2, 4],
        [1, 1],
        [1, 1],
      ],
      attrs: { reverse: false, outputs: [] },
      code: "gruGrad.C6",
    },
    {
      ins: [
        [1, 3],
        [1, 2, 1],
        [1, 2, 4],
        [1, 1],
      ],
      attrs: { reverse: false, outputs: [0] },
      code: "gruGrad.C7",
    },
  ],
}));
