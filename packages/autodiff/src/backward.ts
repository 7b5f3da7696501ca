import { MillraceError, type Tensor } from "@millrace/core";
import {
  type AnyOp,
  type Attrs,
  atOneSite,
  type CallSite,
  engine,
  type Graph,
  inRole,
  isFloat,
  isNoRule,
  makeOps,
  type NoRule,
  type Ops,
  TensorImpl,
  TracerTensor,
  type Val,
  Value,
} from "@millrace/core/graph";
import { Parts } from "./parts.js";
import { Rows } from "./rows.js";

/** One applied op, as a tape or a graph tells it. */
export interface Application<V extends Val> {
  readonly op: AnyOp;
  readonly ins: readonly V[];
  readonly attrs: Attrs;
  readonly regions: readonly Graph[];
  readonly outs: readonly V[];
}

/** A rule applied as a whole; undefined where it has to be applied op by op. */
export type ApplyRule<V extends Val> = (
  application: Application<V>,
  gs: readonly (V | null)[],
  wanted: readonly boolean[],
) => readonly (V | null)[] | undefined;

/** How ops are applied to values of this kind. */
export type ApplyOp<V> = (op: AnyOp, ins: readonly V[], attrs: Attrs, regions: readonly Graph[]) => readonly V[];

/**
 * Each application once, at its first place: in a graph equal applications are one node, which is told each time it is
 * met, and every reader of its results comes after the first.
 */
function distinct<V extends Val>(applications: readonly Application<V>[]): Application<V>[] {
  const seen = new Set<V>();
  return applications.filter(({ outs: [first] }) => {
    if (first === undefined || seen.has(first)) return false;
    seen.add(first);
    return true;
  });
}

/** What depends on the sources: everything a cotangent has to reach. */
function dependents<V extends Val>(applications: readonly Application<V>[], sources: Iterable<V>): Set<V> {
  const active = new Set<V>(sources);
  for (const { ins, outs } of applications) {
    if (ins.some((x) => active.has(x))) for (const y of outs) if (isFloat(y)) active.add(y);
  }
  return active;
}

/**
 * Reverse-mode differentiation of a list of applications: from cotangents of some values to cotangents of the sources.
 * The rules stand with the ops; this only walks back and adds up. Where `kept` is given, sources that were only gathered from
 * have their cotangent there, as rows.
 */
export function backward<V extends Val>(
  told: readonly Application<V>[],
  seeds: ReadonlyMap<V, V>,
  sources: readonly V[],
  apply: ApplyOp<V>,
  kept?: Rows<V>,
  whole?: ApplyRule<V>,
): Map<V, V> {
  return atOneSite(() => walkBack(told, seeds, sources, apply, kept, whole));
}

function walkBack<V extends Val>(
  told: readonly Application<V>[],
  seeds: ReadonlyMap<V, V>,
  sources: readonly V[],
  apply: ApplyOp<V>,
  kept: Rows<V> | undefined,
  whole: ApplyRule<V> | undefined,
): Map<V, V> {
  // boundary: b is over V, so what rules make of V are V
  const b = makeOps<V>(apply);
  const add = (x: V, y: V): V => b.add([x, y]) as V;
  const applications = distinct(told);
  const active = dependents(applications, sources);
  const cotangents = new Map<V, V>(seeds);
  const parts = new Parts<V>(b);
  const rows = kept ?? new Rows<V>(b);
  const addTo = (x: V, g: V): void => {
    const sum = cotangents.get(x);
    cotangents.set(x, sum ? add(sum, g) : g);
  };
  const gather = (x: V): void => {
    const g = parts.joined(x);
    if (g) addTo(x, g);
    const sum = rows.addedTo(cotangents.get(x), x);
    if (sum) cotangents.set(x, sum);
  };
  for (let i = applications.length - 1; i >= 0; i--) {
    const application = applications[i]!;
    const { ins, outs } = application;
    if (!ins.some((x) => active.has(x))) continue;
    outs.forEach(gather);
    const gs = outs.map((y) => (active.has(y) ? (cotangents.get(y) ?? null) : null));
    if (gs.every((g) => g === null)) continue;
    if (gs[0] && active.has(ins[0]!)) {
      if (parts.take(application.op, ins[0]!, application.attrs, gs[0])) continue;
      if (rows.take(application.op, ins, application.attrs, gs[0])) continue;
    }
    const wanted = ins.map((x) => active.has(x));
    const pull = () => whole?.(application, gs, wanted) ?? pullBack(application, gs, wanted, b, apply);
    const contributions = inRole(`the gradient of ${application.op.name}`, sitesOf(outs[0]), () =>
      beside(outs[0], pull),
    );
    contributions.forEach((g, k) => {
      const x = ins[k]!;
      if (g !== null && active.has(x)) addTo(x, g);
    });
  }
  parts.wholes().forEach(gather);
  const asRows = new Set(kept ? sources.filter((x) => !cotangents.has(x)) : []);
  for (const x of rows.wholes()) if (!asRows.has(x)) gather(x);
  return cotangents;
}

/** Runs a rule where what it is about lies: that is where its constants are made. */
export function beside<T>(x: Val | undefined, f: () => T): T {
  // boundary: every tensor is a TensorImpl
  return x instanceof TensorImpl ? engine.near(x as TensorImpl & Tensor, f) : f();
}

/** Applies one op's rule. */
function pullBack<V extends Val>(
  application: Application<V>,
  gs: readonly (V | null)[],
  wanted: readonly boolean[],
  b: Ops,
  apply: ApplyOp<V>,
): readonly (V | null)[] {
  const { op, ins, outs, attrs, regions } = application;
  const rule = op.vjp;
  if (isNoRule(rule)) throw refuseGradient(application, rule);
  // boundary: as in backward
  if (rule !== "lower") return rule(b, gs, ins, outs, attrs, regions, wanted) as readonly (V | null)[];
  return throughDecomposition(application, gs, wanted, apply);
}

/** The error of an op that has no derivative. */
export function refuseGradient<V extends Val>({ op, outs }: Application<V>, { reason }: NoRule): MillraceError {
  const [site] = outs.flatMap((y) => sitesOf(y) ?? []);
  return new MillraceError("E_GRADIENT", `${op.name} has no gradient: ${reason}`, {
    op: op.name,
    ...(site ? { site } : {}),
  });
}

/**
 * Throws E_GRADIENT where targets depend on sources that they have no gradient by, because every way from one to the other leads
 * through integers or booleans. Where there is no way at all, or it was stopped on purpose, nothing is wrong.
 */
export function refuseDiscretePath<V extends Val>(
  told: readonly Application<V>[],
  sources: readonly V[],
  targets: readonly V[],
): void {
  const smooth = new Set<V>(sources);
  /** What depends on the sources, by the first op on the way whose result is discrete. */
  const cut = new Map<V, Application<V>>();
  for (const application of told) {
    const { op, ins, outs } = application;
    if (op.name === "stopGradient") continue;
    const before = ins.flatMap((x) => cut.get(x) ?? [])[0];
    const reached = ins.some((x) => smooth.has(x));
    for (const y of outs) {
      if (reached && isFloat(y)) smooth.add(y);
      else if (before ?? reached) cut.set(y, before ?? application);
    }
  }
  const found = targets.flatMap((y) => cut.get(y) ?? [])[0];
  if (!found || targets.some((y) => smooth.has(y))) return;
  throw refuseGradient(found, {
    reason: `its result is ${found.outs[0]!.aval.dtype}, and the target depends on the source through it alone`,
  });
}

/** Ops that are applied, and told in `inner`. */
export function recordedOps<V extends Val>(
  apply: ApplyOp<V>,
): { readonly recorded: Ops; readonly inner: Application<V>[] } {
  const inner: Application<V>[] = [];
  const recorded = makeOps<V>((op, ins, attrs, regions) => {
    const outs = apply(op, ins, attrs, regions);
    inner.push({ op, ins, attrs, regions, outs });
    return outs;
  });
  return { recorded, inner };
}

/** Where an op was applied, which only traces keep; eager code has the line that asks for the gradient. */
function sitesOf(made: Val | undefined): readonly CallSite[] | undefined {
  const value = made instanceof TracerTensor ? made.value : made;
  return value instanceof Value ? value.node?.sites : undefined;
}

/** The rule of a composite that has none of its own: that of its decomposition, computed anew. */
function throughDecomposition<V extends Val>(
  { op, ins, attrs, regions }: Application<V>,
  gs: readonly (V | null)[],
  wanted: readonly boolean[],
  apply: ApplyOp<V>,
): readonly (V | null)[] {
  const { recorded, inner } = recordedOps(apply);
  // boundary: as in backward
  const outs = op.lower!(recorded, ins, attrs, regions) as readonly V[];
  const sources = [...new Set(ins.filter((x, i) => wanted[i] && isFloat(x)))];
  const cotangents = backward(inner, seedsOf(outs, gs, apply), sources, apply);
  // An operand that is passed twice has one cotangent, the sum: it is given at its first place.
  return ins.map((x, i) => (ins.indexOf(x) === i ? (cotangents.get(x) ?? null) : null));
}

/** Cotangents by value; a value that stands in several places gets their sum. */
export function seedsOf<V extends Val>(
  outs: readonly V[],
  gs: readonly (V | null | undefined)[],
  apply: ApplyOp<V>,
): Map<V, V> {
  const seeds = new Map<V, V>();
  outs.forEach((y, i) => {
    const g = gs[i];
    if (!g) return;
    const sum = seeds.get(y);
    // boundary: as in backward
    seeds.set(y, sum ? (makeOps<V>(apply).add([sum, g]) as V) : g);
  });
  return seeds;
}
