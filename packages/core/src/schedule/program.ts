// A program in memory: what `schedule` makes, `encode` writes and `decode` reads. docs/design/program.md has the bytes.
import type { DType } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";

/** Raised when the bytes change their meaning. Programs are never stored, so a reader knows one format only. */
export const programFormat = 1;

/** A size: a constant, a symbol, or an operation on two earlier expressions. */
export type Expr =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "symbol"; readonly index: number }
  | { readonly kind: ExprOperation; readonly a: number; readonly b: number };

/** Operations on sizes, at their tags. */
export const exprOperations = ["add", "mul", "floorDiv", "mod", "max", "min"] as const;
export type ExprOperation = (typeof exprOperations)[number];

/** A condition under which the program is right: lhs = rhs, or lhs <= rhs. */
export interface ProgramGuard {
  readonly kind: "eq" | "le";
  readonly lhs: number;
  readonly rhs: number;
}

/** A buffer, dense and row-major; sizes are expressions. */
export interface Slot {
  readonly dtype: DType;
  readonly dims: readonly number[];
}

/** An attribute in a program: sizes are expressions. */
export type ProgramAttr =
  | number
  | boolean
  | string
  | { readonly expr: number }
  | { readonly bytes: Uint8Array }
  | readonly ProgramAttr[];

export type ProgramAttrs = ReadonlyMap<string, ProgramAttr>;

/** The slot holds a constant's bytes. */
export interface ConstantRecord {
  readonly kind: "constant";
  readonly slot: number;
  readonly constant: number;
}

/** Two slots share their bytes under two shapes. */
export interface AliasRecord {
  readonly kind: "alias";
  readonly from: number;
  readonly to: number;
}

/** One op, run by a kernel of its own. */
export interface LibraryRecord {
  readonly kind: "library";
  readonly op: string;
  readonly version: number;
  readonly ins: readonly number[];
  readonly outs: readonly number[];
  readonly attrs: ProgramAttrs;
  readonly regions: readonly Region[];
}

/** Reads a slot at offset + Σ index · stride, in elements. */
export interface Load {
  readonly slot: number;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** A scalar instruction; operands are earlier values: loads first, then instructions. */
export interface Instruction {
  /** An elementwise op, or "constant" or "iota", which exist in loops only. */
  readonly op: string;
  readonly dtype: DType;
  readonly args: readonly number[];
  /** The bits of a constant, or the extent that an iota counts. */
  readonly immediate: bigint;
}

/** Writes a value densely, or folds it over the reduced extents. */
export interface Store {
  readonly slot: number;
  readonly value: number;
  readonly reduce?: { readonly op: string; readonly mask: number };
}

/** Scalar code over an iteration space. */
export interface LoopRecord {
  readonly kind: "loop";
  readonly extents: readonly number[];
  readonly loads: readonly Load[];
  readonly instructions: readonly Instruction[];
  readonly stores: readonly Store[];
}

export type ProgramRecord = ConstantRecord | AliasRecord | LibraryRecord | LoopRecord;

/** Slots, of which the first `params` are given by the caller, and records in the order in which they run. */
export interface Region {
  readonly slots: readonly Slot[];
  readonly params: number;
  readonly results: readonly number[];
  readonly records: readonly ProgramRecord[];
}

export interface Program {
  /** Symbols by number; `bind` gets their values in this order. */
  readonly symbols: readonly string[];
  readonly exprs: readonly Expr[];
  readonly guards: readonly ProgramGuard[];
  readonly constants: readonly Uint8Array[];
  readonly root: Region;
}

/** Every expression's value where the symbols have these. */
export function evaluateExprs(exprs: readonly Expr[], sizes: readonly number[]): number[] {
  const values: number[] = [];
  for (const e of exprs) values.push(evaluateExpr(e, values, sizes));
  return values;
}

function evaluateExpr(e: Expr, values: readonly number[], sizes: readonly number[]): number {
  if (e.kind === "constant") return e.value;
  if (e.kind === "symbol") {
    const size = sizes[e.index];
    if (size === undefined)
      throw new MillraceError("E_ARGUMENT", `bind: ${sizes.length} sizes, but the program has more`);
    return size;
  }
  const [a, b] = [values[e.a]!, values[e.b]!];
  switch (e.kind) {
    case "add":
      return a + b;
    case "mul":
      return a * b;
    case "floorDiv":
      return Math.floor(a / b);
    case "mod":
      return a - Math.floor(a / b) * b;
    case "max":
      return Math.max(a, b);
    case "min":
      return Math.min(a, b);
  }
}
