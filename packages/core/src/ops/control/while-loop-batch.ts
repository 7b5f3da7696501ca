// A batch of loops is one loop. Where the condition is the same for every element it is the loop on batched values; else
// it runs until no element goes on, and those that have ended keep what they have.
import { type Aval, avalsOf, type Val } from "../../ir/aval.js";
import type { Dim } from "../../ir/dim.js";
import type { Graph } from "../../ir/graph.js";
import { inlineGraph } from "../../ir/inline.js";
import { buildRegion } from "../../ir/make-ops.js";
import { batchedCarry, batchGraph } from "../batched.js";
import { withBatch } from "../index/rows.js";
import type { Ops } from "../names.js";
import { stretch } from "../rules.js";
import type { WhileAttrs } from "./while-loop.js";

export function whileLoopBatch(
  b: Ops,
  ins: readonly Val[],
  batched: readonly boolean[],
  attrs: WhileAttrs,
  outs: readonly Aval[],
  [condition, body]: readonly Graph[],
): readonly Val[] {
  const { carried } = attrs;
  const size = outs[0]!.shape[0]!;
  let mask = batchedCarry(body!, batched, carried, size);
  const test = batchGraph(condition!, mask, size);
  const ends = test.batched[0]!;
  if (ends) mask = mask.map((lead, i) => lead || i < carried);
  const step = batchGraph(body!, mask, size, mask.slice(0, carried)).graph;
  const operands = ins.map((x, i) => (mask[i] ? withBatch(b, x, batched[i], size) : x));
  const regions = ends ? masked(operands, condition!, step, mask, size) : [test.graph, step];
  return b.whileLoop(operands, attrs, regions).map((y, i) => withBatch(b, y, mask[i], size));
}

/** Regions of the loop in which every element has a condition of its own. */
function masked(
  operands: readonly Val[],
  condition: Graph,
  step: Graph,
  mask: readonly boolean[],
  size: Dim,
): [Graph, Graph] {
  const avals = avalsOf(operands);
  const active = batchGraph(condition, mask, size, [true]).graph;
  const any = buildRegion(avals, (r, params) => {
    const [test] = inlineGraph(active, params, r.apply);
    return [r.reduceOr([test!], { axes: [0] })];
  });
  const next = buildRegion(avals, (r, params) => {
    const [test] = inlineGraph(active, params, r.apply);
    return inlineGraph(step, params, r.apply).map((fresh, i) => {
      return r.select([stretch(r, test!, fresh.aval.shape, [0]), fresh, params[i]!]);
    });
  });
  return [any, next];
}
