// What rules make: operators whose operands are values of the graph, constants, and results of one another.
import type { DType } from "@millrace/core";
import type { Dim, HostArray, Node, Value } from "@millrace/core/graph";
import type { LiteQuantization } from "../file/model.js";
import type { Activation, BuiltinOperator, TensorType } from "../schema/enums.js";
import type { Options, OptionsName, TableValue } from "../schema/tables.js";

/** A constant operand: a weight, or what it was made into. The same `content` is one tensor of the file. */
export interface Constant {
  readonly kind: "constant";
  readonly content: HostArray | QuantizedArray;
  readonly name: string;
}

/** Integers that stand for numbers. */
export interface QuantizedArray {
  readonly type: TensorType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
  readonly quantization: LiteQuantization;
}

/** A result that is no value of the graph: what one step of a rule hands the next. */
export interface Temporary {
  readonly kind: "temporary";
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  /** Where it is not that of the dtype: int8 that stands for numbers. */
  readonly quantized?: { readonly type: TensorType; readonly quantization: LiteQuantization };
}

/** null is an optional operand that is left out. */
export type Operand = Value | Constant | Temporary | null;
export type Result = Value | Temporary;

/** One operator. */
export interface Step {
  readonly operator: BuiltinOperator;
  readonly inputs: readonly Operand[];
  readonly outputs: readonly Result[];
  readonly options: Options | null;
  /** Its share in quantising: which input holds weights, and along which axis they have scales of their own. */
  readonly weights?: { readonly input: number; readonly axis: number };
  /** The node whose work it does; others may have become part of it. The node that it was matched for, unless said. */
  readonly from?: Node;
}

/** A step with options of one table. */
export function step<T extends OptionsName>(
  operator: BuiltinOperator,
  inputs: readonly Operand[],
  output: Result,
  table: T,
  values: TableValue<T>,
): Step {
  // boundary: Options pairs each table with its values, as T and TableValue<T> do
  return { operator, inputs, outputs: [output], options: { table, values } as Options };
}

/** A step of an operator that has no options. */
export function plainStep(operator: BuiltinOperator, inputs: readonly Operand[], output: Result): Step {
  return { operator, inputs, outputs: [output], options: null };
}

export function temporary(dtype: DType, shape: readonly Dim[]): Temporary {
  return { kind: "temporary", dtype, shape };
}

export function constant(content: HostArray, name: string): Constant {
  return { kind: "constant", content, name };
}

/** A list of whole numbers, as operators take shapes, axes and permutations. */
export function indices(values: readonly number[], name: string): Constant {
  return constant({ dtype: "int32", shape: [values.length], data: Int32Array.from(values) }, name);
}

export function isConstant(operand: Operand): operand is Constant {
  return operand !== null && "kind" in operand && operand.kind === "constant";
}

export function isTemporary(operand: Operand): operand is Temporary {
  return operand !== null && "kind" in operand && operand.kind === "temporary";
}

/** The last step with an activation fused into it, or undefined where it takes none. */
export function withActivation(steps: readonly Step[], activation: Activation, output: Value): Step[] | undefined {
  const last = steps.at(-1);
  const { options } = last ?? {};
  if (!last || !options || !("fusedActivationFunction" in options.values)) return undefined;
  if (last.operator === "CONCATENATION" || options.values.fusedActivationFunction !== "NONE") return undefined;
  const values = { ...options.values, fusedActivationFunction: activation };
  // boundary: the table is the same, with another of its values
  return [...steps.slice(0, -1), { ...last, outputs: [output], options: { table: options.table, values } as Options }];
}
