// Products of stacks of matrices, and picking rows.
import { type Dim, type Node, productDim } from "@millrace/core/graph";
import type { DotAttrs, IndexAttrs } from "../lower/attrs.js";
import type { Match, Matcher, Rule, Rules } from "../lower/matcher.js";
import { type Operand, type Result, type Step, step, temporary } from "../lower/steps.js";

// boundary: in each rule the node's op is the one that the rule is listed under, so the attributes are that op's

/** Operands brought to [batch…, rows, inner] and [batch…, inner, columns]. */
const batchMatMul: Rule = (m, { inputs: [a, b], attrs }: Node, output): Match => {
  const { lhsBatch, rhsBatch, lhsContract, rhsContract } = attrs as DotAttrs;
  if (output.aval.dtype !== "float32") return "TFLite multiplies matrices of float32 only";
  const [s, t] = [a!.aval.shape, b!.aval.shape];
  const rows = s.map((_, i) => i).filter((i) => !lhsBatch.includes(i) && !lhsContract.includes(i));
  const columns = t.map((_, i) => i).filter((i) => !rhsBatch.includes(i) && !rhsContract.includes(i));
  const steps: Step[] = [];
  const batch = lhsBatch.map((i) => s[i]!);
  const left = stack(m, m.operand(a!), s, lhsBatch, rows, lhsContract, steps);
  const right = stack(m, m.operand(b!), t, rhsBatch, rhsContract, columns, steps);
  const product = [...batch, productDim(rows.map((i) => s[i]!)), productDim(columns.map((i) => t[i]!))];
  const isWhole = rows.length === 1 && columns.length === 1;
  const result: Result = isWhole ? output : temporary("float32", product);
  const options = { adjX: left.swapped, adjY: right.swapped };
  steps.push(step("BATCH_MATMUL", [left.operand, right.operand], result, "BatchMatMulOptions", options));
  if (!isWhole) steps.push(...m.reshaped(result, "float32", output.aval.shape, output).steps);
  return steps;
};

/** [batch…, rows, columns]; `swapped` says that the last two are the other way round, which the operator takes too. */
function stack(
  m: Matcher,
  operand: Operand,
  shape: readonly Dim[],
  batch: readonly number[],
  rows: readonly number[],
  columns: readonly number[],
  steps: Step[],
): { operand: Operand; swapped: boolean } {
  const swapped =
    [...batch, ...columns, ...rows].every((axis, i) => axis === i) && rows.length > 0 && columns.length > 0;
  const [first, second] = swapped ? [columns, rows] : [rows, columns];
  const order = [...batch, ...first, ...second];
  const moved = m.transposed(operand, "float32", shape, order);
  steps.push(...moved.steps);
  if (rows.length === 1 && columns.length === 1) return { operand: moved.operand, swapped };
  const sizes = (axes: readonly number[]): Dim => productDim(axes.map((i) => shape[i]!));
  const merged = m.reshaped(moved.operand, "float32", [...batch.map((i) => shape[i]!), sizes(first), sizes(second)]);
  steps.push(...merged.steps);
  return { operand: merged.operand, swapped };
}

const gather: Rule = (m, { inputs: [x, at], attrs }, output) => {
  const options = { axis: (attrs as IndexAttrs).axis, batchDims: 0 };
  const made = step("GATHER", [m.operand(x!), m.operand(at!)], output, "GatherOptions", options);
  return [{ ...made, ...(m.contentOf(x!) ? { weights: { input: 0, axis: 0 } } : {}) }];
};

export const contractRules: Rules = {
  dotGeneral: [batchMatMul],
  gather: [gather],
};
