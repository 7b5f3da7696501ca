// Reverse mode through a loop: the trips are walked back, each with the carry that it began with. With a bound on the
// trips the carries are kept on stacks; without one they are computed anew from the start for each trip, in n²/2 steps.
import type { Aval, Val } from "../../ir/aval.js";
import { buildGraph, type Graph, type Value } from "../../ir/graph.js";
import type { AnyOp } from "../../ir/op.js";
import { transforms } from "../../ir/transform.js";
import { addOp, subOp } from "../binary/arithmetic.js";
import { geOp, ltOp } from "../compare/order.js";
import type { Ops } from "../names.js";
import { fillLike, isFloat, scalarOf, stretch } from "../rules.js";
import { floatCotangents, scatterCotangents } from "./call.js";
import { int32, Region } from "./region.js";
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
  carryAt(region: Region, i: Value, kept: readonly Value[], constants: readonly Value[]): readonly Value[];
}

const avalsOf = (values: readonly Val[]): Aval[] => values.map((v) => v.aval);

/** Runs the loop again, with every carry pushed on a stack. */
function onStacks(b: Ops, { condition, body, carry, constants }: Loop, size: number): Replay {
  const n = carry.length;
  const stacks = carry.map((x) => stretch(b, scalarOf(b, x.aval.dtype, 0), [size, ...x.aval.shape], []));
  const start = [scalarOf(b, "int32", 0), ...carry, ...stacks];
  const avals = avalsOf([...start, ...constants]);
  const parts = (params: readonly Value[]) => ({
    i: params[0]!,
    now: params.slice(1, n + 1),
    piles: params.slice(n + 1, 2 * n + 1),
    rest: params.slice(2 * n + 1),
  });
  const test = buildGraph(avals, (builder, params) => {
    const { now, rest } = parts(params);
    return new Region(builder).inline(condition, [...now, ...rest]);
  });
  const step = buildGraph(avals, (builder, params) => {
    const r = new Region(builder);
    const { i, now, piles, rest } = parts(params);
    const pushed = piles.map((stack, k) => r.push(stack, now[k]!, i));
    return [r.apply(addOp, [i, r.int(1)]), ...r.inline(body, [...now, ...rest]), ...pushed];
  });
  const end = b.whileLoop([...start, ...constants], { carried: start.length, maximumIterations: 0 }, [test, step]);
  return { trips: end[0]!, kept: end.slice(n + 1), carryAt: (r, i, kept) => kept.map((stack) => r.pop(stack, i)) };
}

/** Counts the trips, and runs them again from the start for each carry that is asked for. */
function fromTheStart(b: Ops, { condition, body, carry, constants }: Loop): Replay {
  const start = [scalarOf(b, "int32", 0), ...carry];
  const avals = avalsOf([...start, ...constants]);
  const step = buildGraph(avals, (builder, [i, ...rest]) => {
    const r = new Region(builder);
    return [r.apply(addOp, [i!, r.int(1)]), ...r.inline(body, rest)];
  });
  const test = buildGraph(avals, (builder, [, ...rest]) => new Region(builder).inline(condition, rest));
  const end = b.whileLoop([...start, ...constants], { carried: start.length, maximumIterations: 0 }, [test, step]);
  const below = buildGraph([...avals, int32], (builder, params) => {
    return [new Region(builder).apply(ltOp, [params[0]!, params[params.length - 1]!])];
  });
  const again = buildGraph([...avals, int32], (builder, [i, ...rest]) => {
    const r = new Region(builder);
    return [r.apply(addOp, [i!, r.int(1)]), ...r.inline(body, rest.slice(0, -1))];
  });
  return {
    trips: end[0]!,
    kept: carry,
    carryAt(r, i, kept, rest) {
      return r.loop([r.int(0), ...kept], [...rest, i], below, again, loopOp()).slice(1);
    },
  };
}

let loopOp: () => AnyOp = () => {
  throw new TypeError("whileLoop is not defined yet");
};

/** Gives this file the op whose rule it holds: the two cannot import each other's values. */
export function provideWhileLoop(op: AnyOp): void {
  loopOp = () => op;
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
  const test = buildGraph(avals, (builder, [left]) => {
    const r = new Region(builder);
    return [r.apply(geOp, [left!, r.int(1)])];
  });
  const step = buildGraph(avals, (builder, params) => {
    const r = new Region(builder);
    const i = r.apply(subOp, [params[0]!, r.int(1)]);
    const cotangents = params.slice(1, 1 + floatsOfCarry);
    const sums = params.slice(1 + floatsOfCarry, state.length);
    const kept = params.slice(state.length, state.length + keptCount);
    const constants = params.slice(state.length + keptCount);
    const carry = carryAt(r, i, kept, constants);
    const found = r.inline(loop.gradient, [...carry, ...constants, ...cotangents]);
    const added = sums.map((sum, k) => r.apply(addOp, [sum, found[floatsOfCarry + k]!]));
    return [i, ...found.slice(0, floatsOfCarry), ...added];
  });
  return [test, step];
}
