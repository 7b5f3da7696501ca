import type { Node, Value } from "@millrace/core/graph";
import type { Matcher, Rule, Rules } from "../lower/matcher.js";
import { plainStep, step } from "../lower/steps.js";
import { dtypeToTensorType } from "../schema/dtypes.js";
import type { BuiltinOperator } from "../schema/enums.js";
import type { OptionsName, TableValue } from "../schema/tables.js";

/** y[i] = f(x[i]) */
const unary =
  (operator: BuiltinOperator, table?: OptionsName): Rule =>
  (m, node, output) => {
    const x = m.operand(node.inputs[0]!);
    return [table ? step(operator, [x], output, table, {}) : plainStep(operator, [x], output)];
  };

/** z[i] = f(x[i], y[i], …), operands broadcast. */
const broadcasting =
  <T extends OptionsName>(operator: BuiltinOperator, table: T | undefined, values: TableValue<T> = {}): Rule =>
  (m, node, output) => {
    const operands = m.broadcastOperands(node.inputs, output.aval.shape);
    return [table ? step(operator, operands, output, table, values) : plainStep(operator, operands, output)];
  };

/** z[i] = f(x[i], y[i]) on operands of one shape. */
const unbroadcast =
  (operator: BuiltinOperator, table: OptionsName): Rule =>
  (m, { inputs }, output) => [
    step(
      operator,
      inputs.map((x) => m.operand(x)),
      output,
      table,
      {},
    ),
  ];

const arithmetic = (
  operator: BuiltinOperator,
  table: "AddOptions" | "SubOptions" | "MulOptions" | "DivOptions",
): Rule => broadcasting(operator, table, { fusedActivationFunction: "NONE" });

/** Only for bools: on integers the op is one of bits, for which there is no operator. */
const onBools =
  (rule: Rule): Rule =>
  (m, node, output) =>
    node.inputs[0]!.aval.dtype === "bool" ? rule(m, node, output) : "TFLite has no operator for it on integers";

/** max(x, low) then min(·, high), in either order, by the constants around it. */
const bounds: Readonly<Record<string, "RELU6" | "RELU_N1_TO_1" | "RELU_0_TO_1">> = {
  "0,6": "RELU6",
  "-1,1": "RELU_N1_TO_1",
  "0,1": "RELU_0_TO_1",
};

const clamp: Rule = (m, node, output) => {
  const range = rangeOf(m, node);
  const operator = range && bounds[`${range.low},${range.high}`];
  if (!operator || node.outs[0]!.dtype !== "float32") return undefined;
  // No operator takes this one into itself.
  if (operator === "RELU_0_TO_1") return [plainStep(operator, [m.operand(range.x)], output)];
  return m.activated(range.x, operator, output);
};

interface Range {
  readonly x: Value;
  readonly low: number;
  readonly high: number;
}

/** x, low and high where a node is min(max(x, low), high). */
function rangeOf(m: Matcher, node: Node): Range | undefined {
  const outer = boundOf(m, node);
  const inner = outer?.x.node;
  if (!outer || !inner || outer.side === "low" || !m.isPrivate(outer.x)) return undefined;
  if (inner.op.name === "relu") return { x: inner.inputs[0]!, low: 0, high: outer.bound };
  const below = boundOf(m, inner);
  return below?.side === "low" ? { x: below.x, low: below.bound, high: outer.bound } : undefined;
}

function boundOf(m: Matcher, { op, inputs }: Node): { x: Value; bound: number; side: "low" | "high" } | undefined {
  if (op.name !== "max" && op.name !== "min") return undefined;
  const side = op.name === "max" ? "low" : "high";
  for (const [x, other] of [inputs, [...inputs].reverse()] as const) {
    const bound = m.scalarOf(other!);
    if (bound !== undefined) return { x: x!, bound, side };
  }
  return undefined;
}

/** max(x, 0) */
const rectifier: Rule = (m, node, output) => {
  const bound = boundOf(m, node);
  if (bound?.side !== "low" || bound.bound !== 0 || node.outs[0]!.dtype !== "float32") return undefined;
  return m.activated(bound.x, "RELU", output);
};

/** x · relu6(x + 3) / 6 */
const hardSwish: Rule = (m, { inputs }, output) => {
  for (const [x, gate] of [inputs, [...inputs].reverse()] as const) {
    if (gate!.node?.op.name !== "div" || !m.isPrivate(gate!) || m.scalarOf(gate!.node.inputs[1]!) !== 6) continue;
    const [clipped] = gate!.node.inputs;
    if (clipped?.node?.op.name !== "relu6" || !m.isPrivate(clipped)) continue;
    const [sum] = clipped.node.inputs;
    if (sum?.node?.op.name !== "add" || !m.isPrivate(sum)) continue;
    const [a, b] = sum.node.inputs;
    const isShifted = (a === x && m.scalarOf(b!) === 3) || (b === x && m.scalarOf(a!) === 3);
    if (isShifted) return [step("HARD_SWISH", [m.operand(x!)], output, "HardSwishOptions", {})];
  }
  return undefined;
};

const cast: Rule = (m, { inputs: [x], attrs }, output) => {
  const types = {
    inDataType: dtypeToTensorType[x!.aval.dtype],
    // boundary: the node's op is cast
    outDataType: dtypeToTensorType[(attrs as { readonly dtype: typeof output.aval.dtype }).dtype],
  };
  return [step("CAST", [m.operand(x!)], output, "CastOptions", types)];
};

const prelu: Rule = (m, { inputs }, output) => [
  plainStep("PRELU", m.broadcastOperands(inputs, output.aval.shape), output),
];

const leakyRelu: Rule = (m, { inputs: [x], attrs }, output) => [
  step("LEAKY_RELU", [m.operand(x!)], output, "LeakyReluOptions", { alpha: Number(attrs.alpha) }),
];

const gelu: Rule = (m, { inputs: [x], attrs }, output) => [
  step("GELU", [m.operand(x!)], output, "GeluOptions", { approximate: attrs.approximate === true }),
];

const activation =
  (name: "RELU" | "RELU6"): Rule =>
  (m, { inputs: [x] }, output) =>
    m.activated(x!, name, output);

const minimum = broadcasting("MINIMUM", "MaximumMinimumOptions");

export const elementwiseRules: Rules = {
  abs: [unary("ABS", "AbsOptions")],
  add: [arithmetic("ADD", "AddOptions")],
  and: [onBools(broadcasting("LOGICAL_AND", "LogicalAndOptions"))],
  atan2: [unbroadcast("ATAN2", "ATan2Options")],
  cast: [cast],
  ceil: [unary("CEIL")],
  cos: [unary("COS", "CosOptions")],
  div: [arithmetic("DIV", "DivOptions")],
  elu: [unary("ELU")],
  eq: [broadcasting("EQUAL", "EqualOptions")],
  exp: [unary("EXP", "ExpOptions")],
  floor: [unary("FLOOR")],
  floorDiv: [broadcasting("FLOOR_DIV", "FloorDivOptions")],
  floorMod: [broadcasting("FLOOR_MOD", "FloorModOptions")],
  ge: [broadcasting("GREATER_EQUAL", "GreaterEqualOptions")],
  gelu: [gelu],
  gt: [broadcasting("GREATER", "GreaterOptions")],
  le: [broadcasting("LESS_EQUAL", "LessEqualOptions")],
  leakyRelu: [leakyRelu],
  log: [unary("LOG")],
  logistic: [unary("LOGISTIC")],
  lt: [broadcasting("LESS", "LessOptions")],
  max: [rectifier, broadcasting("MAXIMUM", "MaximumMinimumOptions")],
  min: [clamp, minimum],
  mul: [hardSwish, arithmetic("MUL", "MulOptions")],
  ne: [broadcasting("NOT_EQUAL", "NotEqualOptions")],
  neg: [unary("NEG", "NegOptions")],
  not: [onBools(unary("LOGICAL_NOT", "LogicalNotOptions"))],
  or: [onBools(broadcasting("LOGICAL_OR", "LogicalOrOptions"))],
  pow: [broadcasting("POW", "PowOptions")],
  prelu: [prelu],
  relu: [activation("RELU")],
  relu6: [activation("RELU6")],
  round: [unary("ROUND")],
  rsqrt: [unary("RSQRT")],
  select: [broadcasting("SELECT_V2", "SelectV2Options")],
  sign: [unary("SIGN", "SignOptions")],
  sin: [unary("SIN")],
  sqrt: [unary("SQRT")],
  sub: [arithmetic("SUB", "SubOptions")],
  tanh: [unary("TANH")],
  xor: [onBools(broadcasting("NOT_EQUAL", "NotEqualOptions"))],
};
