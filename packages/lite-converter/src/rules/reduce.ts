import { type Dim, dimKey, type Node, type Value } from "@millrace/core/graph";
import type { ArgumentAttrs, ReduceAttrs, ScanAttrs } from "../lower/attrs.js";
import type { Matcher, Rule, Rules } from "../lower/matcher.js";
import { constant, indices, type Operand, type Step, step, temporary } from "../lower/steps.js";
import type { BuiltinOperator } from "../schema/enums.js";

// boundary: in each rule the node's op is the one that the rule is listed under, so the attributes are that op's

const reducers: Readonly<Record<string, BuiltinOperator>> = {
  mean: "MEAN",
  reduceAnd: "REDUCE_ALL",
  reduceMax: "REDUCE_MAX",
  reduceMin: "REDUCE_MIN",
  reduceOr: "REDUCE_ANY",
  reduceProd: "REDUCE_PROD",
  reduceSum: "SUM",
};

function reduction(m: Matcher, { op, inputs: [x], attrs }: Node, keepDims: boolean, output: Value): Step[] {
  const axes = indices((attrs as ReduceAttrs).axes, "axes");
  return [step(reducers[op.name]!, [m.operand(x!), axes], output, "ReducerOptions", { keepDims })];
}

const reduce: Rule = (m, node, output) => reduction(m, node, false, output);

/** A reduction whose axes are put back with size 1. */
export const keepsAxes: Rule = (m, { inputs: [x] }, output) => {
  const inner = x!.node;
  if (!inner || reducers[inner.op.name] === undefined || !m.isPrivate(x!)) return undefined;
  const { axes } = inner.attrs as ReduceAttrs;
  const kept = inner.inputs[0]!.aval.shape.map((d, i): Dim => (axes.includes(i) ? 1 : d));
  const { shape } = output.aval;
  const isKept = kept.length === shape.length && kept.every((d, i) => dimKey(d) === dimKey(shape[i]!));
  return isKept ? reduction(m, inner, true, output) : undefined;
};

const scalarIndex = (value: number): Operand =>
  constant({ dtype: "int32", shape: [], data: Int32Array.of(value) }, "axis");

const argument =
  (operator: "ARG_MAX" | "ARG_MIN"): Rule =>
  (m, { inputs: [x], attrs }, output) => {
    const axis = scalarIndex((attrs as ArgumentAttrs).axis);
    const table = operator === "ARG_MAX" ? "ArgMaxOptions" : "ArgMinOptions";
    return [step(operator, [m.operand(x!), axis], output, table, { outputType: "INT32" })];
  };

const cumsum: Rule = (m, { inputs: [x], attrs }, output) => {
  const { axis, exclusive, reverse } = attrs as ScanAttrs;
  return [step("CUMSUM", [m.operand(x!), scalarIndex(axis)], output, "CumsumOptions", { exclusive, reverse })];
};

/** Along the last axis, to which another one is moved. */
const softmax =
  (operator: "SOFTMAX" | "LOG_SOFTMAX"): Rule =>
  (m, { inputs: [x], attrs }, output) => {
    const { dtype, shape } = x!.aval;
    const axis = Number(attrs.axis);
    const order = shape.map((_, i) => (i === axis ? shape.length - 1 : i === shape.length - 1 ? axis : i));
    const moved = m.transposed(m.operand(x!), dtype, shape, order);
    const isLast = axis === shape.length - 1;
    const soft = isLast
      ? output
      : temporary(
          dtype,
          order.map((i) => shape[i]!),
        );
    const made =
      operator === "SOFTMAX"
        ? step(operator, [moved.operand], soft, "SoftmaxOptions", { beta: 1 })
        : step(operator, [moved.operand], soft, "LogSoftmaxOptions", {});
    if (isLast) return [made];
    const back = step("TRANSPOSE", [soft, indices(order, "perm")], output, "TransposeOptions", {});
    return [...moved.steps, made, back];
  };

export const reduceRules: Rules = {
  argMax: [argument("ARG_MAX")],
  argMin: [argument("ARG_MIN")],
  cumsum: [cumsum],
  logSoftmax: [softmax("LOG_SOFTMAX")],
  mean: [reduce],
  reduceAnd: [reduce],
  reduceMax: [reduce],
  reduceMin: [reduce],
  reduceOr: [reduce],
  reduceProd: [reduce],
  reduceSum: [reduce],
  softmax: [softmax("SOFTMAX")],
};
