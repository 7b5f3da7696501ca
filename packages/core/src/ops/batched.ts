// The batching rules carried out: ops and graphs on values of which some have a new leading axis.
import type { Attrs } from "../ir/attrs.js";
import type { Aval, Val } from "../ir/aval.js";
import type { Dim, Guard } from "../ir/dim.js";
import { buildGraph, type Graph, type Value } from "../ir/graph.js";
import { inlineGraph } from "../ir/inline.js";
import { buildingOps, makeOps } from "../ir/make-ops.js";
import { type AnyOp, inferOp, isNoRule } from "../ir/op.js";
import { MillraceError } from "../types/errors.js";
import { withBatch } from "./index/rows.js";
import type { Ops } from "./names.js";

/** How ops are applied to values of this kind. */
type Apply<V> = (op: AnyOp, ins: readonly V[], attrs: Attrs, regions: readonly Graph[]) => readonly V[];

/** A value as one element of the batch sees it; `whole` has the leading axis where it is `batched`. */
export interface Lane<V extends Val> extends Val {
  readonly whole: V;
  readonly batched: boolean;
}

/** A value with or without the leading axis. */
export function laneOf<V extends Val>(whole: V, batched: boolean): Lane<V> {
  const { dtype, shape } = whole.aval;
  return { whole, batched, aval: batched ? { dtype, shape: shape.slice(1) } : whole.aval };
}

/** The value with the leading axis: repeated along it where it has none. */
export function withAxis<V extends Val>(b: Ops, { whole, batched }: Lane<V>, size: Dim): V {
  // boundary: b is over V
  return withBatch(b, whole, batched, size) as V;
}

/**
 * Applies ops to lanes by their batching rules: what depends on no batched operand is computed once.
 * @throws E_UNIMPLEMENTED where an op on a batched operand has no batched form; says why
 */
export function batchedApply<V extends Val>(apply: Apply<V>, size: Dim): Apply<Lane<V>> {
  const b = makeOps<V>(apply);
  const applyToLanes: Apply<Lane<V>> = (op, ins, attrs, regions) => {
    const wholes = ins.map((x) => x.whole);
    if (!ins.some((x) => x.batched)) return apply(op, wholes, attrs, regions).map((y) => laneOf(y, false));
    const rule = op.batch;
    if (isNoRule(rule)) {
      const why = `${op.name} has no batched form: ${rule.reason}`;
      throw new MillraceError("E_UNIMPLEMENTED", `vectorizedMap: ${why}`, { op: op.name });
    }
    // boundary: the decomposition is over lanes, as its operands are
    if (rule === "lower") return op.lower!(lanes, ins, attrs, regions) as readonly Lane<V>[];
    if (rule === "elementwise") {
      const stretched = ins.map((x) => withAxis(b, x, size));
      return apply(op, stretched, attrs, regions).map((y) => laneOf(y, true));
    }
    const batched = ins.map((x) => x.batched);
    const outs = batchedAvals(op, ins, attrs, regions, size);
    // boundary: b is over V
    const made = rule(b, wholes, batched, attrs, outs, regions) as readonly V[];
    return made.map((y) => laneOf(y, true));
  };
  const lanes = makeOps<Lane<V>>(applyToLanes);
  return applyToLanes;
}

/** The results' avals, each with the leading axis. */
function batchedAvals(
  op: AnyOp,
  ins: readonly Val[],
  attrs: Attrs,
  regions: readonly Graph[],
  size: Dim,
): readonly Aval[] {
  // Whoever applies the op inside of the rule holds the same comparisons again.
  const guards: Guard[] = [];
  const avals = ins.map((x) => x.aval);
  return inferOp(op, avals, attrs, regions, guards).map(({ dtype, shape }) => ({ dtype, shape: [size, ...shape] }));
}

/** A graph on batched operands. */
export interface BatchedGraph {
  readonly graph: Graph;
  /** Which results have the leading axis. */
  readonly batched: readonly boolean[];
}

/**
 * The graph on operands of which those in `batched` have a leading axis of `size`. Results that depend on one have it,
 * and those in `wanted`.
 */
export function batchGraph(
  graph: Graph,
  batched: readonly boolean[],
  size: Dim,
  wanted: readonly boolean[] = [],
): BatchedGraph {
  const withLead = ({ dtype, shape }: Aval): Aval => ({ dtype, shape: [size, ...shape] });
  const avals = graph.params.map((p, i) => (batched[i] ? withLead(p.aval) : p.aval));
  let found: readonly boolean[] = [];
  const made = buildGraph(avals, (builder, params) => {
    for (const guard of graph.guards) builder.guard(guard);
    const b = buildingOps(builder);
    const lanes = params.map((p, i) => laneOf<Val>(p, batched[i]!));
    const results = inlineGraph(graph, lanes, batchedApply(b.apply, size));
    found = results.map((x, i) => x.batched || wanted[i] === true);
    // boundary: buildingOps are over Values
    return results.map((x, i) => (found[i] ? withAxis(b, x, size) : x.whole)) as readonly Val[] as readonly Value[];
  });
  return { graph: made, batched: found };
}

/**
 * Which operands of a body that is run again and again have the leading axis, where those in `batched` have it before the first
 * run: a carried one, of the first `carried`, has it as soon as the body makes it of one that has.
 */
export function batchedCarry(body: Graph, batched: readonly boolean[], carried: number, size: Dim): readonly boolean[] {
  const after = batchGraph(body, batched, size).batched;
  const mask = batched.map((lead, i) => lead || (i < carried && after[i] === true));
  return mask.every((lead, i) => lead === batched[i]) ? mask : batchedCarry(body, mask, carried, size);
}
