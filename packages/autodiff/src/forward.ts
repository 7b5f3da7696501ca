import { MillraceError } from "@millrace/core";
import { fillLike, isFloat, isNoRule, makeOps, type Val } from "@millrace/core/graph";
import { type Application, type ApplyOp, backward, beside, recordedOps, refuseGradient, seedsOf } from "./backward.js";

type Maybe<V> = V | null;

/**
 * Forward-mode differentiation of a list of applications: from tangents of some values to those of all that depend on
 * them. `tangents` is added to.
 */
export function forward<V extends Val>(
  applications: readonly Application<V>[],
  tangents: Map<V, V>,
  apply: ApplyOp<V>,
): void {
  for (const application of applications) {
    const ts = application.ins.map((x) => tangents.get(x) ?? null);
    if (ts.every((t) => t === null)) continue;
    beside(application.outs[0], () => pushForward(application, ts, apply)).forEach((t, i) => {
      if (t) tangents.set(application.outs[i]!, t);
    });
  }
}

/** The tangents of one op's results: by its own rule, that of its decomposition, or its gradient's gradient. */
function pushForward<V extends Val>(
  application: Application<V>,
  ts: readonly Maybe<V>[],
  apply: ApplyOp<V>,
): readonly Maybe<V>[] {
  const { op, ins, outs, attrs } = application;
  const rule = op.jvp ?? (op.vjp === "lower" || isNoRule(op.vjp) ? op.vjp : undefined);
  if (isNoRule(rule)) throw refuseGradient(application, rule);
  // boundary: makeOps(apply) is over V, so what rules make of V are V
  if (typeof rule === "function") return rule(makeOps<V>(apply), ts, ins, outs, attrs) as readonly Maybe<V>[];
  return rule === "lower" ? throughDecomposition(application, ts, apply) : twiceBackward(application, ts, apply);
}

function throughDecomposition<V extends Val>(
  { op, ins, attrs, regions }: Application<V>,
  ts: readonly Maybe<V>[],
  apply: ApplyOp<V>,
): readonly Maybe<V>[] {
  const { recorded, inner } = recordedOps(apply);
  // boundary: as in pushForward
  const outs = op.lower!(recorded, ins, attrs, regions) as readonly V[];
  // An operand that is passed twice has one tangent.
  const tangents = new Map(ins.flatMap((x, i) => (ts[i] ? [[x, ts[i]] as const] : [])));
  forward(inner, tangents, apply);
  return outs.map((y) => tangents.get(y) ?? null);
}

/** A gradient is linear in the cotangents that it is given: its own gradient by these is the tangent of the result. */
function twiceBackward<V extends Val>(
  { op, ins, outs, attrs, regions }: Application<V>,
  ts: readonly Maybe<V>[],
  apply: ApplyOp<V>,
): readonly Maybe<V>[] {
  const { recorded, inner } = recordedOps(apply);
  // boundary: as in pushForward
  const cotangents = outs.map((y) => (isFloat(y) ? placeholder(y, apply) : null));
  const rule = op.vjp;
  // boundary: neither a reason nor "lower", as pushForward has seen
  if (typeof rule !== "function") throw new MillraceError("E_INTERNAL", `${op.name} has no rule`);
  // boundary: as in pushForward
  const given = rule(recorded, cotangents, ins, outs, attrs, regions) as readonly Maybe<V>[];
  const pairs = given.flatMap((g, i) => (g && ts[i] ? [[g, ts[i]] as const] : []));
  const seeds = seedsOf(
    pairs.map(([g]) => g),
    pairs.map(([, t]) => t),
    apply,
  );
  const sources = cotangents.filter((g) => g !== null);
  const found = backward(inner, seeds, sources, apply);
  return cotangents.map((g) => (g && found.get(g)) ?? null);
}

/** A value that nothing else is: equal nodes of a graph are one, but for barriers. What it holds does not matter. */
function placeholder<V extends Val>(like: V, apply: ApplyOp<V>): V {
  const b = makeOps<V>(apply);
  // boundary: as in pushForward
  return b.optimizationBarrier([fillLike(b, like, 0)])[0] as V;
}
