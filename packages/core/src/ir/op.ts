import type { Ops } from "../ops/names.js";
import { type ErrorCode, MillraceError } from "../types/errors.js";
import type { Attrs } from "./attrs.js";
import type { Aval, Val } from "./aval.js";
import type { Guard, Truth } from "./dim.js";
import type { Graph } from "./graph.js";
import type { HostArray } from "./host.js";

/**
 * What sort of op it is; lists such as "the elementwise ops" are derived from this field.
 * unary … cast work element by element and fuse; the others are kernels of their own; a custom op is one from outside of core,
 * which runs in JavaScript; a composite is defined by its decomposition.
 */
export type OpKind =
  | "unary"
  | "binary"
  | "compare"
  | "select"
  | "cast"
  | "constant"
  | "shape"
  | "index"
  | "reduce"
  | "scan"
  | "window"
  | "contract"
  | "random"
  | "control"
  | "effect"
  | "custom"
  | "composite";

/** The kinds of ops that are not defined by a decomposition. */
export type PrimitiveKind = Exclude<OpKind, "composite">;

/** Why an op has no such rule. */
export interface NoRule {
  readonly reason: string;
}

/** Declares that an op has no rule, and why: reaching it is an error that says so. */
/* @__NO_SIDE_EFFECTS__ */
export function noRule(reason: string): NoRule {
  return { reason };
}

export function isNoRule(rule: unknown): rule is NoRule {
  return typeof rule === "object" && rule !== null && "reason" in rule;
}

/**
 * Reverse-mode rule: cotangents of the outputs → cotangents of the inputs, null where there is no path.
 * `gs[i]` has the aval of `outs[i]`; it may be null where nothing reads that output, but not all of them are. `wanted`
 * says of which inputs a cotangent is asked for, all of them unless given: what is dear need not be made for the others.
 */
export type VjpRule<A> = (
  b: Ops,
  gs: readonly (Val | null)[],
  ins: readonly Val[],
  outs: readonly Val[],
  attrs: A,
  regions: readonly Graph[],
  wanted?: readonly boolean[],
) => readonly (Val | null)[];

/** Forward-mode rule: tangents of the inputs (null: zero) → tangents of the outputs. */
export type JvpRule<A> = (
  b: Ops,
  tangents: readonly (Val | null)[],
  ins: readonly Val[],
  outs: readonly Val[],
  attrs: A,
) => readonly (Val | null)[];

/** Batching rule: `batched[i]` says that input i has a new leading axis; every output gets one. */
export type BatchRule<A> = (
  b: Ops,
  ins: readonly Val[],
  batched: readonly boolean[],
  attrs: A,
  outs: readonly Aval[],
  regions: readonly Graph[],
) => readonly Val[];

/** Attributes of an op that has none. */
export type NoAttrs = Readonly<Record<never, never>>;

/** A plain loop in the op's own domain: the definition of the op. Writes into `outs`, which start as zeros. */
export type Reference<A> = (ins: readonly HostArray[], attrs: A, outs: readonly HostArray[]) => void;

/** The decomposition of a composite into other ops. */
export type LowerRule<A> = (b: Ops, ins: readonly Val[], attrs: A, regions: readonly Graph[]) => readonly Val[];

/** A change of the arguments that would make a rejected call legal. */
export interface Repair {
  /** What to write, as the user would: `transposeB: true`. */
  readonly change: string;
  readonly ins: readonly Aval[];
  readonly attrs: Attrs;
}

/** Everything that is known of an op, in one place. */
export interface OpSpec<N extends string, A> {
  /** The stable name; outside core it is `scope/name`. */
  readonly name: N;
  /** Raised when the meaning changes; artifacts carry it. */
  readonly version: number;
  /** The npm package that defines it, where that is not core: an artifact names it to whoever lacks the op. */
  readonly package?: string;
  readonly kind: OpKind;
  /** How many operands: a count, or the least and the greatest. */
  readonly arity: number | readonly [number, number];
  /** The outputs' avals; breaks of a rule are reported by `check`. */
  infer(ins: readonly Aval[], attrs: A, regions: readonly Graph[]): readonly Aval[];
  readonly reference?: Reference<A>;
  readonly lower?: LowerRule<A>;
  /** "lower": that of the decomposition. */
  readonly vjp: VjpRule<A> | NoRule | "lower";
  readonly jvp?: JvpRule<A> | NoRule | "lower";
  /** "elementwise": operands without the batch axis are stretched over it; "lower": that of the decomposition. */
  readonly batch: BatchRule<A> | NoRule | "elementwise" | "lower";
  /** Attributes that hold sizes: one program serves every value of them. */
  readonly sizeAttrs?: readonly (keyof A & string)[];
  /** An effect is never merged, folded, dropped or moved past another. */
  readonly effect?: boolean;
  /** Whether it computes with elements, where other ops of its kind only move them. */
  readonly computes?: boolean;
  /** Whether rules get its outputs as a list. */
  readonly many?: boolean;
  /** Small changes of the arguments to offer when a call is rejected. */
  readonly repairs?: (ins: readonly Aval[], attrs: A) => readonly Repair[];
}

declare const outputs: unique symbol;

/** An op as rules and tables see it. `M` says whether it has one output or a list. */
export interface Op<N extends string = string, A = Attrs, M extends "one" | "many" = "one"> extends OpSpec<N, A> {
  /** A small number, dense within this process: the index into dispatch tables. */
  readonly id: number;
  readonly [outputs]?: M;
}

/** An op that is defined by its decomposition. */
export interface Composite<N extends string = string, A = Attrs, M extends "one" | "many" = "one"> extends Op<N, A, M> {
  readonly kind: "composite";
}

/** An op whose attributes are not known to the compiler: what a graph's nodes hold. */
// boundary: rules take their own attributes; a node pairs an op only with attributes that its own infer accepted.
export type AnyOp = Op<string, any, "one" | "many">;
type AnySpec = Omit<AnyOp, "id">;

const registry = new Map<string, AnyOp>();
let nextId = 0;

/** Makes a primitive: an op that `reference` defines and backends have kernels for. */
export function defineOp<N extends string, A, M extends "one" | "many" = "one">(
  spec: OpSpec<N, A> & { readonly kind: PrimitiveKind },
): Op<N, A, M> {
  return register(spec);
}

/** Makes a composite: an op that `lower` defines; a backend may claim it whole. */
export function defineComposite<N extends string, A, M extends "one" | "many" = "one">(
  spec: Omit<OpSpec<N, A>, "kind"> & { readonly lower: LowerRule<A> },
): Composite<N, A, M> {
  const kind = "composite";
  return register({ ...spec, kind });
}

/** A composite that the engine makes for itself: it is in no table, and no program or artifact names it. */
export function internalComposite<A>(
  spec: Omit<OpSpec<string, A>, "kind"> & { readonly lower: LowerRule<A> },
): Composite<string, A> {
  const kind = "composite";
  return { ...spec, kind, id: nextId++ };
}

function register<S extends AnySpec>(spec: S): S & { readonly id: number } {
  // A fresh number even for a name that was defined before, as hot reload does: caches go by it.
  const op = { ...spec, id: nextId++ };
  registry.set(spec.name, op);
  return op;
}

/** Every op that has been defined, by name. */
export function allOps(): ReadonlyMap<string, AnyOp> {
  return registry;
}

/** Whether an op works element by element, so that loops may fuse it. */
export function isElementwise(op: AnyOp): boolean {
  return (
    op.kind === "unary" || op.kind === "binary" || op.kind === "compare" || op.kind === "select" || op.kind === "cast"
  );
}

/** A broken rule of an op; the engine adds shapes, dtypes and the user's line. */
export class RuleError extends MillraceError {
  constructor(code: ErrorCode, label: string, message: string) {
    const op = label.split(".")[0]!;
    super(code, `${op}: ${message}`, { op, rule: label });
  }
}

let pendingGuards: Guard[] | undefined;

/** Holds a rule of an op: false throws, an undecided comparison becomes a guard of the graph. */
export function check(label: string, holds: Truth, message: () => string, code: ErrorCode = "E_SHAPE"): void {
  if (holds === true) return;
  if (holds === false) throw new RuleError(code, label, message());
  pendingGuards?.push(holds);
}

/** As `check`, for dtypes. */
export function checkDType(label: string, holds: boolean, message: () => string): void {
  check(label, holds, message, "E_DTYPE");
}

/** As `check`, for attributes. */
export function checkAttr(label: string, holds: Truth, message: () => string): void {
  check(label, holds, message, "E_ARGUMENT");
}

/** The outputs' avals of an op on these inputs; undecided comparisons are added to `guards`. */
export function inferOp(
  op: AnyOp,
  ins: readonly Aval[],
  attrs: Attrs,
  regions: readonly Graph[],
  guards: Guard[],
): readonly Aval[] {
  const [least, most] = typeof op.arity === "number" ? [op.arity, op.arity] : op.arity;
  const outer = pendingGuards;
  pendingGuards = guards;
  try {
    check(
      `${op.name}.arity`,
      ins.length >= least && ins.length <= most,
      () => `${op.name} takes ${least === most ? least : `${least} to ${most}`} operands, got ${ins.length}`,
      "E_ARGUMENT",
    );
    return op.infer(ins, attrs, regions);
  } finally {
    pendingGuards = outer;
  }
}
