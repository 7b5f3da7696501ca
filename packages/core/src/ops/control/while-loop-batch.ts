// A batch of loops is one loop. Where the condition is the same for every element it is the loop on batched values; else
// it runs until no element goes on, and those that have ended keep what they have.
import { noAttrs } from "../../ir/attrs.js";
import type { Aval, Val } from "../../ir/aval.js";
import type { Dim } from "../../ir/dim.js";
import { buildGraph, type Graph, type Value } from "../../ir/graph.js";
import { inlineGraph } from "../../ir/inline.js";
import type { AnyOp } from "../../ir/op.js";
import { transforms } from "../../ir/transform.js";
import { selectOp } from "../compare/select.js";
import type { Ops } from "../names.js";
import { reduceOrOp } from "../reduce/logical.js";
import { stretch } from "../rules.js";
import { broadcastInDimOp } from "../shape/broadcast.js";
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
  let mask = [...batched];
  for (;;) {
    const after = transforms.current.batch(body!, mask, size).batched;
    if (after.every((lead, i) => !lead || mask[i])) break;
    mask = mask.map((lead, i) => lead || after[i] === true);
  }
  const test = transforms.current.batch(condition!, mask, size);
  const ends = test.batched[0]!;
  if (ends) mask = mask.map((lead, i) => lead || i < carried);
  const step = transforms.current.batch(body!, mask, size, mask.slice(0, carried)).graph;
  const operands = ins.map((x, i) => (mask[i] && !batched[i] ? lead(b, x, size) : x));
  const regions = ends ? masked(operands, condition!, step, mask, size) : [test.graph, step];
  return b.whileLoop(operands, attrs, regions).map((y, i) => (mask[i] ? y : lead(b, y, size)));
}

/** Repeated along a new leading axis. */
function lead(b: Ops, x: Val, size: Dim): Val {
  const { shape } = x.aval;
  return stretch(
    b,
    x,
    [size, ...shape],
    shape.map((_, i) => i + 1),
  );
}

/** Regions of the loop in which every element has a condition of its own. */
function masked(
  operands: readonly Val[],
  condition: Graph,
  step: Graph,
  mask: readonly boolean[],
  size: Dim,
): [Graph, Graph] {
  const avals = operands.map((x) => x.aval);
  const active = transforms.current.batch(condition, mask, size, [true]).graph;
  const any = buildGraph(avals, (builder, params) => {
    const apply = (op: AnyOp, xs: readonly Value[], a = noAttrs, r: readonly Graph[] = []) =>
      builder.apply(op, xs, a, r);
    const [test] = inlineGraph<Value>(active, params, apply);
    return apply(reduceOrOp, [test!], { axes: [0] });
  });
  const next = buildGraph(avals, (builder, params) => {
    const apply = (op: AnyOp, xs: readonly Value[], a = noAttrs, r: readonly Graph[] = []) =>
      builder.apply(op, xs, a, r);
    const [test] = inlineGraph<Value>(active, params, apply);
    return inlineGraph<Value>(step, params, apply).map((fresh, i) => {
      const { shape } = fresh.aval;
      const [goesOn] = shape.length > 1 ? apply(broadcastInDimOp, [test!], { shape, dims: [0] }) : [test!];
      return apply(selectOp, [goesOn!, fresh, params[i]!])[0]!;
    });
  });
  return [any, next];
}
