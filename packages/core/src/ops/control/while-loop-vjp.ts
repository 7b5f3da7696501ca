// Reverse mode through a loop: the trips are walked back, each with the carry that it began with. With a bound on the
// trips the carries are kept on stacks; without one they are computed anew from the start for each trip, in n²/2 steps.
import { type Aval, avalsOf, type Val } from "../../ir/aval.js";
import type { Graph } from "../../ir/graph.js";
import { inlineGraph } from "../../ir/inline.js";
import { buildRegion } from "../../ir/make-ops.js";
import { transforms } from "../../ir/transform.js";
import type { Ops } from "../names.js";
import { fillLike, isFloat, scalarOf, shift } from "../rules.js";
import { floatCotangents, scatterCotangents } from "./call.js";
import { rowAt, stackOf, withRow } from "./stacks.js";
import type { WhileAttrs } from "./while-loop.js";

export function whileLoopVjp(
  b: Ops,
  gs: readonly (Val | null)[],
  ins: readonly Val[],
  outs: readonly Val[],
  attrs: WhileAttrs,
  [condition, body]: readonly Graph[],
): readonly (Val | null)[] {
  const loop: Loop = {
    condition: condition!,
    body: body!,
    carry: ins.slice(0, attrs.carried),
    constants: ins.slice(attrs.carried),
    gradient: transforms.current.vjp(body!),
  };
  const seeds = floatCotangents(b, gs, outs);
  const sums = loop.constants.filter(isFloat).map((x) => fillLike(b, x, 0));
  const replay = attrs.maximumIterations > 0 ? onStacks(b, loop, attrs.maximumIterations) : fromTheStart(b, loop);
  const state = [replay.trips, ...seeds, ...sums];
  const given = [...replay.kept, ...loop.constants];
  const back = walkBack(loop, replay.carryAt, state, given, replay.kept.length);
  const after = b.whileLoop([...state, ...given], { carried: state.length, maximumIterations: 0 }, back);
  return scatterCotangents(ins, after.slice(1));
}

interface Loop {
  readonly condition: Graph;
  readonly body: Graph;
  readonly carry: readonly Val[];
  readonly constants: readonly Val[];
  readonly gradient: Graph;
}

/** How the carry of an earlier trip is had again. */
interface Replay {
  readonly trips: Val;
  /** What the walk back reads besides the constants. */
  readonly kept: readonly Val[];
  /** The carry at the start of trip `i`. */
  carryAt(b: Ops, i: Val, kept: readonly Val[], constants: readonly Val[]): readonly Val[];
}

const int32: Aval = { dtype: "int32", shape: [] };

/** Runs the loop again, with every carry pushed on a stack. */
function onStacks(b: Ops, { condition, body, carry, constants }: Loop, size: number): Replay {
  const n = carry.length;
  const stacks = carry.map((x) => stackOf(b, x, size));
  const start = [scalarOf(b, "int32", 0), ...carry, ...stacks];
  const avals = avalsOf([...start, ...constants]);
  const parts = (params: readonly Val[]) => ({
    i: params[0]!,
    now: params.slice(1, n + 1),
    piles: params.slice(n + 1, 2 * n + 1),
    rest: params.slice(2 * n + 1),
  });
  const test = buildRegion(avals, (r, params) => {
    const { now, rest } = parts(params);
    return inlineGraph(condition, [...now, ...rest], r.apply);
  });
  const step = buildRegion(avals, (r, params) => {
    const { i, now, piles, rest } = parts(params);
    const pushed = piles.map((stack, k) => withRow(r, stack, now[k]!, i));
    return [shift(r, i, 1), ...inlineGraph(body, [...now, ...rest], r.apply), ...pushed];
  });
  const end = b.whileLoop([...start, ...constants], { carried: start.length, maximumIterations: 0 }, [test, step]);
  return { trips: end[0]!, kept: end.slice(n + 1), carryAt: (r, i, kept) => kept.map((stack) => rowAt(r, stack, i)) };
}

/** Counts the trips, and runs them again from the start for each carry that is asked for. */
function fromTheStart(b: Ops, { condition, body, carry, constants }: Loop): Replay {
  const start = [scalarOf(b, "int32", 0), ...carry];
  const avals = avalsOf([...start, ...constants]);
  const attrs: WhileAttrs = { carried: start.length, maximumIterations: 0 };
  const step = buildRegion(avals, (r, [i, ...rest]) => [shift(r, i!, 1), ...inlineGraph(body, rest, r.apply)]);
  const test = buildRegion(avals, (r, [, ...rest]) => inlineGraph(condition, rest, r.apply));
  const end = b.whileLoop([...start, ...constants], attrs, [test, step]);
  const below = buildRegion([...avals, int32], (r, params) => [r.lt([params[0]!, params[params.length - 1]!])]);
  const again = buildRegion([...avals, int32], (r, [i, ...rest]) => {
    return [shift(r, i!, 1), ...inlineGraph(body, rest.slice(0, -1), r.apply)];
  });
  return {
    trips: end[0]!,
    kept: carry,
    carryAt(r, i, kept, rest) {
      return r.whileLoop([scalarOf(r, "int32", 0), ...kept, ...rest, i], attrs, [below, again]).slice(1);
    },
  };
}

/** The loop over (trips left, cotangents of the carry, sums of cotangents of the constants). */
function walkBack(
  loop: Loop,
  carryAt: Replay["carryAt"],
  state: readonly Val[],
  given: readonly Val[],
  keptCount: number,
): [Graph, Graph] {
  const avals = avalsOf([...state, ...given]);
  const floatsOfCarry = loop.carry.filter(isFloat).length;
  const test = buildRegion(avals, (r, [left]) => [r.ge([left!, scalarOf(r, "int32", 1)])]);
  const step = buildRegion(avals, (r, params) => {
    const i = r.sub([params[0]!, scalarOf(r, "int32", 1)]);
    const cotangents = params.slice(1, 1 + floatsOfCarry);
    const sums = params.slice(1 + floatsOfCarry, state.length);
    const kept = params.slice(state.length, state.length + keptCount);
    const constants = params.slice(state.length + keptCount);
    const carry = carryAt(r, i, kept, constants);
    const found = inlineGraph(loop.gradient, [...carry, ...constants, ...cotangents], r.apply);
    const added = sums.map((sum, k) => r.add([sum, found[floatsOfCarry + k]!]));
    return [i, ...found.slice(0, floatsOfCarry), ...added];
  });
  return [test, step];
}
