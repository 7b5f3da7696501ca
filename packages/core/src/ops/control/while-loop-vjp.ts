// Reverse mode through a loop: the trips are walked back, each with the carry that it began with. With a bound on the
// trips the carries are kept on stacks of that size, else on one that grows.
import { avalsOf, type Val } from "../../ir/aval.js";
import { type Graph, type Node, Value } from "../../ir/graph.js";
import { inlineGraph } from "../../ir/inline.js";
import { buildRegion } from "../../ir/make-ops.js";
import { transforms } from "../../ir/transform.js";
import type { TypedArray } from "../../types/dtype.js";
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
  const gradient = transforms.current.vjp(body!);
  const read = readParams(gradient);
  const kept = read.filter((i) => i < attrs.carried);
  const loop: Loop = {
    condition: condition!,
    body: body!,
    gradient,
    carry: ins.slice(0, attrs.carried),
    constants: ins.slice(attrs.carried),
    kept,
  };
  const sums = loop.constants.filter(isFloat).map((x) => fillLike(b, x, 0));
  const state = [...floatCotangents(b, gs, outs), ...sums];
  const { maximumIterations } = attrs;
  return scatterCotangents(
    ins,
    maximumIterations > 0
      ? onStacks(b, loop, state, maximumIterations)
      : b.whileLoopBack([...ins, ...state], { carried: attrs.carried, kept }, [
          loop.condition,
          loop.body,
          backStep(loop, state),
        ]),
  );
}

interface Loop {
  readonly condition: Graph;
  readonly body: Graph;
  readonly gradient: Graph;
  readonly carry: readonly Val[];
  readonly constants: readonly Val[];
  /** The carried values that the gradient of the body reads: only these are kept. */
  readonly kept: readonly number[];
}

/** The numbers of the parameters that the results of a graph depend on. */
function readParams(graph: Graph): number[] {
  const read = new Set<Node | Value>(graph.results.map((v) => v.node ?? v));
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!read.has(node) && !node.effect) continue;
    const inputs = node.op.name === "call" ? readParams(node.regions[0]!).map((k) => node.inputs[k]!) : node.inputs;
    for (const v of inputs) read.add(v.node ?? v);
  }
  return graph.params.flatMap((p, i) => (read.has(p) ? [i] : []));
}

/** One trip back: the cotangents of the carry, and sums of those of the constants. */
function backStep({ carry, constants, gradient, kept }: Loop, state: readonly Val[]): Graph {
  const floats = carry.filter(isFloat).length;
  const avals = avalsOf([...state, ...kept.map((i) => carry[i]!), ...constants]);
  return buildRegion(avals, (r, params) => {
    const sums = params.slice(floats, state.length);
    const values = carry.map((x, i) => {
      const at = kept.indexOf(i);
      return at < 0 ? fillLike(r, x, 0) : params[state.length + at]!;
    });
    const rest = params.slice(state.length + kept.length);
    const found = inlineGraph(gradient, [...values, ...rest, ...params.slice(0, floats)], r.apply);
    return [...found.slice(0, floats), ...sums.map((sum, k) => added(r, sum, found[floats + k]!))];
  });
}

/** sum + g; where g is zeros with rows added, as the cotangent of a gather is, the rows are added to the sum. */
function added(b: Ops, sum: Val, g: Val): Val {
  const node = g instanceof Value ? g.node : null;
  if (node?.op.name !== "scatterAdd" || !isZero(node.inputs[0]!)) return b.add([sum, g]);
  const [, indices, updates] = node.inputs;
  // boundary: the attributes of scatterAdd
  return b.scatterAdd([sum, indices!, updates!], node.attrs as { readonly axis: number });
}

/** Whether a value is a constant zero, stretched or not. */
function isZero({ node }: Value): boolean {
  if (node?.op.name === "broadcastInDim") return isZero(node.inputs[0]!);
  if (node?.op.name !== "constant") return false;
  // boundary: the attributes of a constant
  return (node.attrs.data as TypedArray).every((x) => Object.is(x, 0) || x === 0n);
}

/** Runs the loop again with every kept value pushed on a stack of `size`, then walks back over these. */
function onStacks(b: Ops, loop: Loop, state: readonly Val[], size: number): readonly Val[] {
  const { condition, body, carry, constants, kept } = loop;
  const n = carry.length;
  const stacks = kept.map((i) => stackOf(b, carry[i]!, size));
  const start = [scalarOf(b, "int32", 0), ...carry, ...stacks];
  const avals = avalsOf([...start, ...constants]);
  const test = buildRegion(avals, (r, params) => {
    return inlineGraph(condition, [...params.slice(1, n + 1), ...params.slice(start.length)], r.apply);
  });
  const step = buildRegion(avals, (r, params) => {
    const i = params[0]!;
    const now = params.slice(1, n + 1);
    const pushed = kept.map((k, at) => withRow(r, params[n + 1 + at]!, now[k]!, i));
    return [shift(r, i, 1), ...inlineGraph(body, [...now, ...params.slice(start.length)], r.apply), ...pushed];
  });
  const forward = { carried: start.length, maximumIterations: 0 };
  const end = b.whileLoop([...start, ...constants], forward, [test, step]);
  const back = backStep(loop, state);
  const left = [end[0]!, ...state];
  const given = [...end.slice(n + 1), ...constants];
  const all = avalsOf([...left, ...given]);
  const goesOn = buildRegion(all, (r, [i]) => [r.ge([i!, scalarOf(r, "int32", 1)])]);
  const walk = buildRegion(all, (r, [i, ...params]) => {
    const before = shift(r, i!, -1);
    const rows = params.slice(state.length, state.length + kept.length).map((stack) => rowAt(r, stack, before));
    const rest = params.slice(state.length + kept.length);
    return [before, ...inlineGraph(back, [...params.slice(0, state.length), ...rows, ...rest], r.apply)];
  });
  return b.whileLoop([...left, ...given], { carried: left.length, maximumIterations: 0 }, [goesOn, walk]).slice(1);
}
