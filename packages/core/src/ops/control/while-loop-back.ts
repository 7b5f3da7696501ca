// The trips of a loop walked back: what its gradient is made of.
import { type Aval, avalsOf, formatAval, type Val } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import type { Graph } from "../../ir/graph.js";
import { inlineGraph } from "../../ir/inline.js";
import { buildRegion } from "../../ir/make-ops.js";
import { type Composite, check, checkAttr, checkDType, defineComposite } from "../../ir/op.js";
import type { Ops } from "../names.js";
import { scalarOf, shift } from "../rules.js";
import { checkRegion } from "./call.js";
import type { WhileAttrs } from "./while-loop.js";

/** What the operands of a walk back are. */
export type WhileBackAttrs = {
  /** The first `carried` operands are what the loop carries; then come its constants, last the state. */
  readonly carried: number;
  /** The numbers of the carried values that a step back reads. */
  readonly kept: readonly number[];
};

/**
 * whileLoopBack(carry…, constants…, state…): the loop of region 0 (its condition) and region 1 (its body) is run, then region 2 for
 * each trip from the last to the first, on the state, the kept carried values as the trip began, and the constants. It gives the
 * next state. A backend that claims it keeps these values on a stack that grows with the trips; its decomposition computes them
 * anew from the start for each trip, in n²/2 steps for n trips.
 */
export const whileLoopBackOp: Composite<"whileLoopBack", WhileBackAttrs, "many"> = defineComposite<
  "whileLoopBack",
  WhileBackAttrs,
  "many"
>({
  name: "whileLoopBack",
  version: 1,
  arity: [0, Number.POSITIVE_INFINITY],
  many: true,
  infer(ins, attrs, regions) {
    const { carried, kept } = attrs;
    const back = regions[2]!;
    const count = back.results.length;
    const fits = carried >= 0 && carried + count <= ins.length && kept.every((i) => i >= 0 && i < carried);
    checkAttr("whileLoopBack.C1", fits, () => `carried ${carried}, kept [${kept}] and a state of ${count} do not fit`);
    const { ofLoop, carry, constants, state } = parts(attrs, ins, count);
    const [test] = checkRegion("whileLoopBack.C2", regions[0]!, ofLoop);
    checkDType("whileLoopBack.C2", test?.dtype === "bool", () => "the condition must give a bool");
    const same = (label: string, given: readonly Aval[], made: readonly Aval[]): void => {
      const [had, has] = [given, made].map((list) => list.map(formatAval).join(", ") || "nothing");
      check(label, had === has, () => `a region must return what it is given: ${had}, got ${has}`);
    };
    same("whileLoopBack.C3", carry, checkRegion("whileLoopBack.C3", regions[1]!, ofLoop));
    const given = [...state, ...kept.map((i) => carry[i]!), ...constants];
    same("whileLoopBack.C4", state, checkRegion("whileLoopBack.C4", back, given));
    return state;
  },
  lower: fromTheStart,
  vjp: "lower",
  batch: "lower",
});
export const whileLoopBackCases: Cases<WhileBackAttrs> = cases(whileLoopBackOp, () => ({ samples: [] }));

function parts<T>({ carried }: WhileBackAttrs, ins: readonly T[], count: number) {
  const ofLoop = ins.slice(0, ins.length - count);
  return { ofLoop, carry: ins.slice(0, carried), constants: ofLoop.slice(carried), state: ins.slice(ofLoop.length) };
}

const int32: Aval = { dtype: "int32", shape: [] };

/** Counts the trips, and runs them again from the start for each step back. */
function fromTheStart(b: Ops, ins: readonly Val[], attrs: WhileBackAttrs, regions: readonly Graph[]): readonly Val[] {
  const [condition, body, back] = regions as readonly [Graph, Graph, Graph];
  const { ofLoop, carry, state } = parts(attrs, ins, back.results.length);
  const counting: WhileAttrs = { carried: carry.length + 1, maximumIterations: 0 };
  const avals = [int32, ...avalsOf(ofLoop)];
  const step = buildRegion(avals, (r, [i, ...rest]) => [shift(r, i!, 1), ...inlineGraph(body, rest, r.apply)]);
  const test = buildRegion(avals, (r, [, ...rest]) => inlineGraph(condition, rest, r.apply));
  const [trips] = b.whileLoop([scalarOf(b, "int32", 0), ...ofLoop], counting, [test, step]);
  const below = buildRegion([...avals, int32], (r, params) => [r.lt([params[0]!, params[params.length - 1]!])]);
  const again = buildRegion([...avals, int32], (r, [i, ...rest]) => {
    return [shift(r, i!, 1), ...inlineGraph(body, rest.slice(0, -1), r.apply)];
  });
  const now = [trips!, ...state];
  const all = avalsOf([...now, ...ofLoop]);
  const left = buildRegion(all, (r, [i]) => [r.ge([i!, scalarOf(r, "int32", 1)])]);
  const walk = buildRegion(all, (r, [i, ...rest]) => {
    const before = shift(r, i!, -1);
    const start = rest.slice(state.length);
    const [, ...values] = r.whileLoop([scalarOf(r, "int32", 0), ...start, before], counting, [below, again]);
    const given = [...rest.slice(0, state.length), ...attrs.kept.map((k) => values[k]!), ...start.slice(carry.length)];
    return [before, ...inlineGraph(back, given, r.apply)];
  });
  return b.whileLoop([...now, ...ofLoop], { carried: now.length, maximumIterations: 0 }, [left, walk]).slice(1);
}
