// What rules say, carried out: the derivative and the batched form of one op, over any way of applying ops.
import type { Attrs } from "../ir/attrs.js";
import { avalsOf, type Val } from "../ir/aval.js";
import { type Graph, GraphBuilder, type Value } from "../ir/graph.js";
import { buildingOps, buildRegion } from "../ir/make-ops.js";
import { type AnyOp, isNoRule } from "../ir/op.js";
import { batchedApply, laneOf, withAxis } from "../ops/batched.js";
import type { Ops } from "../ops/names.js";
import { fillLike, isFloat } from "../ops/rules.js";
import { dtypes } from "../types/dtype.js";
import { applyHost, type HostVal, hostOps } from "./host.js";

type MaybeVal = Val | null;

/** The decomposition of a composite as a graph. */
function loweredGraph(op: AnyOp, ins: readonly Val[], attrs: Attrs, regions: readonly Graph[]): Graph {
  return buildRegion(avalsOf(ins), (b, params) => op.lower!(b, params, attrs, regions));
}

/** The cotangents of an op's operands: its rule, or that of its decomposition. */
export function pullBack(
  b: Ops,
  op: AnyOp,
  gs: readonly MaybeVal[],
  ins: readonly Val[],
  attrs: Attrs,
  regions: readonly Graph[] = [],
  outs?: readonly Val[],
): readonly MaybeVal[] {
  if (op.vjp === "lower") return pullBackGraph(b, loweredGraph(op, ins, attrs, regions), gs, ins);
  if (isNoRule(op.vjp)) throw new Error(`${op.name} has no derivative: ${op.vjp.reason}`);
  return op.vjp(b, gs, ins, outs ?? b.apply(op, ins, attrs, regions), attrs, regions);
}

/** One output of a node, or a parameter: where its value and the sum of its cotangents are kept. */
interface Cells {
  readonly values: readonly Val[];
  readonly cotangents: MaybeVal[];
}

const cellsOf = (values: readonly Val[]): Cells => ({ values, cotangents: values.map(() => null) });

/** Reverse mode over a whole graph. */
export function pullBackGraph(
  b: Ops,
  graph: Graph,
  gs: readonly MaybeVal[],
  args: readonly Val[],
): readonly MaybeVal[] {
  const params = cellsOf(args);
  const nodes = new Map<Graph["nodes"][number], Cells>();
  const cells = (v: Value): Cells => (v.node ? nodes.get(v.node)! : params);
  const insOf = (node: Graph["nodes"][number]): Val[] => node.inputs.map((v) => cells(v).values[v.index]!);
  const add = (to: Value, g: MaybeVal | undefined): void => {
    if (!g || !dtypes[to.aval.dtype].isFloat) return;
    const { cotangents } = cells(to);
    const sum = cotangents[to.index];
    cotangents[to.index] = sum ? b.add([sum, g]) : g;
  };
  for (const node of graph.nodes) nodes.set(node, cellsOf(b.apply(node.op, insOf(node), node.attrs, node.regions)));
  for (const [i, r] of graph.results.entries()) add(r, gs[i]);
  for (const node of [...graph.nodes].reverse()) {
    const { values, cotangents } = nodes.get(node)!;
    if (cotangents.every((g) => g === null)) continue;
    const gIns = pullBack(b, node.op, cotangents, insOf(node), node.attrs, node.regions, values);
    for (const [i, v] of node.inputs.entries()) add(v, gIns[i]);
  }
  return params.cotangents;
}

/** The gradient of a graph, as GraphTransforms defines it, by the rules that are tested: what rules of control flow need. */
export function gradientGraph(graph: Graph): Graph {
  const builder = new GraphBuilder();
  for (const guard of graph.guards) builder.guard(guard);
  const params = graph.params.map((p) => builder.param(p.aval));
  const gs = graph.results.map((r) => (isFloat(r) ? builder.param(r.aval) : null));
  const b = buildingOps(builder);
  const found = pullBackGraph(b, graph, gs, params);
  // boundary: the ops are over Values
  return builder.finish(params.filter(isFloat).map((p) => (found[p.index] ?? fillLike(b, p, 0)) as Value));
}

/** An op on operands of which some have a new leading axis, by its batching rule; every result has that axis. */
export function applyBatched(
  op: AnyOp,
  ins: readonly HostVal[],
  batched: readonly boolean[],
  attrs: Attrs,
  size: number,
): readonly HostVal[] {
  const apply = batchedApply<HostVal>(applyHost, size);
  const lanes = ins.map((x, i) => laneOf(x, batched[i]!));
  return apply(op, lanes, attrs, []).map((y) => withAxis(hostOps, y, size));
}
