// What elementwise ops share: same shapes in and out, a scalar function as the definition, batching by broadcasting.
import { type Aval, formatAval, formatShape, sameShape } from "../ir/aval.js";
import type { HostArray } from "../ir/host.js";
import {
  type Composite,
  check,
  checkDType,
  defineComposite,
  defineOp,
  type LowerRule,
  type NoAttrs,
  type NoRule,
  type Op,
  type Reference,
  type VjpRule,
} from "../ir/op.js";
import { type DType, dtypes } from "../types/dtype.js";

/** A set of dtypes that an op accepts, with the words for its error. */
export interface DTypeSet {
  readonly words: string;
  has(dtype: DType): boolean;
}

export const floats: DTypeSet = { words: "a float", has: (d) => dtypes[d].isFloat };
export const numeric: DTypeSet = { words: "a number", has: (d) => dtypes[d].isFloat || dtypes[d].isInteger };
export const signed: DTypeSet = { words: "a signed number", has: (d) => dtypes[d].isSigned };
export const integers: DTypeSet = { words: "an integer", has: (d) => dtypes[d].isInteger };
export const bits: DTypeSet = { words: "bool or an integer", has: (d) => dtypes[d].isInteger || d === "bool" };
export const anyDType: DTypeSet = { words: "any", has: () => true };

/** Shape and dtype rule of an elementwise op: every operand has one shape and one dtype out of `accepts`. */
export function inferSame(name: string, accepts: DTypeSet, result?: DType): (ins: readonly Aval[]) => readonly Aval[] {
  return (ins) => {
    const first = ins[0]!;
    checkDType(`${name}.C1`, accepts.has(first.dtype), () => `needs ${accepts.words}, got ${first.dtype}`);
    for (const other of ins) {
      checkDType(
        `${name}.C2`,
        other.dtype === first.dtype,
        () => `needs one dtype, got ${first.dtype} and ${other.dtype}`,
      );
      check(
        `${name}.C3`,
        sameShape(first.shape, other.shape),
        () => `needs equal shapes, got ${formatShape(first.shape)} and ${formatShape(other.shape)}`,
      );
    }
    return [{ dtype: result ?? first.dtype, shape: first.shape }];
  };
}

/** A scalar function in each domain: doubles, and integers as bigints (8 to 32 bits may give exact doubles instead). */
export interface Scalar {
  readonly float?: (...xs: number[]) => number | boolean;
  /** Exact on 8 to 32 bits before wrapping; `float` where that is exact anyway. */
  readonly small?: (...xs: number[]) => number | boolean;
  /** On 0 and 1; `small` where that is right anyway. */
  readonly bool?: (...xs: number[]) => number | boolean;
  readonly int64?: (...xs: bigint[]) => bigint | boolean;
}

/** The reference of an elementwise op: one scalar at a time; storing rounds or wraps to the output's dtype. */
export function scalarReference(scalar: Scalar): Reference<NoAttrs> {
  return (ins, _attrs, [out]) => {
    const { dtype } = ins[0]!;
    const f = inDomain(scalar, dtype);
    if (!f || !out) throw new TypeError(`no reference for ${dtype}`);
    // boundary: the domain of f was chosen by the dtype of the arrays it is given
    applyScalar(f as (...xs: (number | bigint)[]) => number | bigint | boolean, ins, out);
  };
}

function inDomain(scalar: Scalar, dtype: DType): Scalar[keyof Scalar] {
  if (dtype === "int64") return scalar.int64;
  if (dtypes[dtype].isFloat) return scalar.float;
  return (dtype === "bool" ? scalar.bool : undefined) ?? scalar.small ?? scalar.float;
}

function applyScalar(
  f: (...xs: (number | bigint)[]) => number | bigint | boolean,
  ins: readonly HostArray[],
  out: HostArray,
): void {
  const [a, b] = [ins[0]!.data, ins[1]?.data];
  const into = out.data;
  for (let i = 0; i < into.length; i++) {
    const y = b ? f(a[i]!, b[i]!) : f(a[i]!);
    into[i] = typeof y === "boolean" ? Number(y) : y;
  }
}

/** Math.max and Math.min take no bigints. */
export const greaterOf = (x: bigint, y: bigint): bigint => (x > y ? x : y);
export const lesserOf = (x: bigint, y: bigint): bigint => (x < y ? x : y);

/** What the author of a unary op writes; the rest is the same for all of them. */
export interface UnarySpec<N extends string> {
  readonly name: N;
  readonly accepts: DTypeSet;
  /** The dtype of the result, where it is not the operand's. */
  readonly result?: DType;
  readonly scalar: Scalar;
  readonly vjp: VjpRule<NoAttrs> | NoRule;
}

/** Defines a primitive y[i] = f(x[i]). */
export function defineUnary<N extends string>(spec: UnarySpec<N>): Op<N, NoAttrs> {
  const { name, accepts, result, scalar, vjp } = spec;
  return defineOp({
    name,
    version: 1,
    kind: "unary",
    arity: 1,
    infer: inferSame(name, accepts, result),
    reference: scalarReference(scalar),
    vjp,
    batch: "elementwise",
  });
}

/** Defines a primitive z[i] = f(x[i], y[i]) on operands of one shape and dtype. */
export function defineBinary<N extends string>(spec: UnarySpec<N>): Op<N, NoAttrs> {
  const { name, accepts, result, scalar, vjp } = spec;
  const kind = result === undefined ? "binary" : "compare";
  return defineOp({
    name,
    version: 1,
    kind,
    arity: 2,
    infer: inferSame(name, accepts, result),
    reference: scalarReference(scalar),
    vjp,
    batch: "elementwise",
  });
}

/** What the author of an elementwise composite writes. */
export interface ElementwiseSpec<N extends string, A> {
  readonly name: N;
  readonly arity: number;
  readonly accepts: DTypeSet;
  readonly lower: LowerRule<A>;
  readonly vjp: VjpRule<A> | NoRule | "lower";
}

/** Defines y[i] = f(x[i], …) by its decomposition: one call of an op, one loop, and a derivative of its own. */
export function defineElementwise<N extends string, A = NoAttrs>(spec: ElementwiseSpec<N, A>): Composite<N, A> {
  const { name, arity, accepts, lower, vjp } = spec;
  return defineComposite({
    name,
    version: 1,
    arity,
    infer: inferSame(name, accepts),
    lower,
    vjp,
    batch: "elementwise",
  });
}

/** `float32[2,3] and int32[3]` */
export function formatAvals(avals: readonly Aval[]): string {
  return avals.map(formatAval).join(" and ");
}
