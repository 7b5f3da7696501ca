// Ops from outside of core. Core's own are held by the compiler's closed tables; these are checked when they are defined.

import { dispatch } from "../ir/apply.js";
import { type Attrs, noAttrs } from "../ir/attrs.js";
import type { Aval } from "../ir/aval.js";
import { type Graph, GraphBuilder, type Value } from "../ir/graph.js";
import {
  type AnyOp,
  allOps,
  type BatchRule,
  type Composite,
  check,
  defineComposite as defineCoreComposite,
  defineOp as defineCoreOp,
  isNoRule,
  type JvpRule,
  type LowerRule,
  type NoAttrs,
  type NoRule,
  type Op,
  type OpSpec,
  type Reference,
  type VjpRule,
} from "../ir/op.js";
import { toTensor } from "../ops/public.js";
import { makeOps } from "../ops/table.js";
import { MillraceError } from "../types/errors.js";
import type { Like } from "../types/operands.js";
import { checkOptions } from "../types/options.js";
import type { Tensor } from "../types/tensor.js";

/** The name of an op outside of core: "acme/cbrt". The scope is that of the package which defines it. */
export type ScopedName = `${string}/${string}`;

/** What an op from outside of core may say besides its rules. */
interface Common<N extends ScopedName, A> extends Pick<OpSpec<N, A>, "sizeAttrs" | "many" | "repairs"> {
  readonly name: N;
  /** Raised when the meaning changes; artifacts carry it. 1 unless given. */
  readonly version?: number;
  /** The npm package that defines it: an artifact names it to whoever lacks the op. */
  readonly package?: string;
}

/** What is known of a primitive from outside of core. */
export interface PrimitiveSpec<N extends ScopedName, A> extends Common<N, A> {
  readonly arity: OpSpec<N, A>["arity"];
  readonly infer: OpSpec<N, A>["infer"];
  readonly reference: Reference<A>;
  readonly vjp: VjpRule<A> | NoRule;
  readonly jvp?: JvpRule<A> | NoRule;
  readonly batch: BatchRule<A> | NoRule | "elementwise";
}

/** What is known of a composite from outside of core: the decomposition is enough. */
export interface CompositeSpec<N extends ScopedName, A> extends Common<N, A> {
  readonly lower: LowerRule<A>;
  readonly arity?: OpSpec<N, A>["arity"];
  readonly infer?: OpSpec<N, A>["infer"];
  readonly vjp?: VjpRule<A> | NoRule | "lower";
  readonly jvp?: JvpRule<A> | NoRule | "lower";
  readonly batch?: BatchRule<A> | NoRule | "elementwise" | "lower";
}

/**
 * Defines an op by its `reference`, a plain loop in JavaScript. It runs so on every backend: a program is split there, its
 * operands are read and its results uploaded.
 * @throws E_ARGUMENT where the name or a rule is not what it must be, E_VERSION where another version of it is loaded
 */
export function defineOp<N extends ScopedName, A = NoAttrs, M extends "one" | "many" = "one">(
  spec: PrimitiveSpec<N, A>,
): Op<N, A, M> {
  const full = { version: 1, ...spec, kind: "custom" } as const;
  checkIdentity(full);
  checkOptions(spec.name, spec, [...Object.keys(commonFacets), "reference"]);
  need(full, "infer", typeof spec.infer === "function");
  need(full, "reference", typeof spec.reference === "function");
  need(full, "vjp", isRule(spec.vjp));
  need(full, "batch", isRule(spec.batch) || spec.batch === "elementwise");
  return defineCoreOp(full);
}

/**
 * Defines an op by its decomposition into others, which `lower` writes with `b`. It fuses, differentiates and batches as
 * what it is made of.
 * @throws E_ARGUMENT where the name or a rule is not what it must be, E_VERSION where another version of it is loaded
 * @example defineComposite({ name: "acme/cube", lower: (b, [x]) => [b.mul([x, b.mul([x, x])])] })
 */
export function defineComposite<N extends ScopedName, A = NoAttrs, M extends "one" | "many" = "one">(
  spec: CompositeSpec<N, A>,
): Composite<N, A, M> {
  const { lower } = spec;
  const infer: OpSpec<N, A>["infer"] = (ins, attrs, regions) => inferLowered(spec.name, lower, ins, attrs, regions);
  const defaults = { version: 1, arity: [0, Number.POSITIVE_INFINITY], infer, vjp: "lower", batch: "lower" } as const;
  const full = { ...defaults, ...spec };
  checkIdentity(full);
  checkOptions(spec.name, spec, [...Object.keys(commonFacets), "lower"]);
  need(full, "lower", typeof lower === "function");
  need(full, "vjp", isRule(full.vjp) || full.vjp === "lower");
  need(full, "batch", isRule(full.batch) || full.batch === "lower" || full.batch === "elementwise");
  return defineCoreComposite(full);
}

/**
 * Applies an op: how the function around a new op is written.
 * @param ins tensors, or what can become one
 */
export function applyOp<A, M extends "one" | "many">(
  op: Op<string, A, M>,
  ins: readonly Like[],
  attrs?: A,
): M extends "one" ? Tensor : readonly Tensor[];
export function applyOp(op: AnyOp, ins: readonly Like[], attrs: Attrs = noAttrs): Tensor | readonly Tensor[] {
  const outs = dispatch.current.apply(
    op,
    ins.map((x) => toTensor(x)),
    attrs,
  );
  return op.many ? outs : outs[0]!;
}

/** What a decomposition makes of these operands. */
function inferLowered<A>(
  name: string,
  lower: LowerRule<A>,
  ins: readonly Aval[],
  attrs: A,
  regions: readonly Graph[],
): readonly Aval[] {
  const builder = new GraphBuilder();
  const b = makeOps<Value>((op, xs, a, r) => builder.apply(op, xs, a, r));
  const params = ins.map((aval) => builder.param(aval));
  // boundary: b is over Values
  const graph = builder.finish(lower(b, params, attrs, regions) as readonly Value[]);
  for (const guard of graph.guards) check(`${name}.sizes`, guard, () => "the sizes do not fit");
  return graph.results.map((v) => v.aval);
}

/** What a definition may say; a facet that is mistyped would be missed in silence. */
const commonFacets: Readonly<
  Record<keyof (PrimitiveSpec<ScopedName, unknown> | CompositeSpec<ScopedName, unknown>), true>
> = {
  name: true,
  version: true,
  package: true,
  arity: true,
  infer: true,
  vjp: true,
  jvp: true,
  batch: true,
  sizeAttrs: true,
  many: true,
  repairs: true,
};

interface Identity {
  readonly name: string;
  readonly version: number;
}

function checkIdentity({ name, version }: Identity): void {
  if (!/^[a-z0-9][\w-]*\/[A-Za-z]\w*$/.test(name))
    throw new MillraceError(
      "E_ARGUMENT",
      `an op outside of core is called scope/name, as in "acme/cbrt", got "${name}"`,
    );
  if (!Number.isInteger(version) || version < 1)
    throw new MillraceError("E_ARGUMENT", `${name}: a version is a whole number from 1, got ${version}`, { op: name });
  const known = allOps().get(name);
  if (known && known.version !== version)
    throw new MillraceError("E_VERSION", `${name} is loaded in versions ${known.version} and ${version}`, { op: name });
}

const isRule = (rule: unknown): boolean => typeof rule === "function" || (isNoRule(rule) && rule.reason.length > 0);

/** A rule that a plain JavaScript author left out is missed when the op is defined, not in the middle of a training run. */
function need({ name }: Identity, facet: string, given: boolean): void {
  if (given) return;
  const why = facet === "vjp" || facet === "batch" ? ", or noRule with the reason why there is none" : "";
  throw new MillraceError("E_ARGUMENT", `${name}: ${facet} is missing: it needs the rule${why}`, { op: name });
}
