// Operators that move elements.
import { addDim, type Dim, dimKey, type Node, subDim, type Value } from "@millrace/core/graph";
import type {
  BroadcastAttrs,
  ConcatAttrs,
  IotaAttrs,
  PadAttrs,
  ReverseAttrs,
  SliceAttrs,
  TransposeAttrs,
} from "../lower/attrs.js";
import type { Match, Matcher, Rule, Rules } from "../lower/matcher.js";
import { sizeOf, sizesOperand } from "../lower/sizes.js";
import {
  constant,
  indices,
  isTemporary,
  type Operand,
  plainStep,
  type Result,
  type Step,
  step,
  temporary,
} from "../lower/steps.js";

// boundary: in each rule the node's op is the one that the rule is listed under, so the attributes are that op's

const reshape: Rule = (m, { inputs: [x] }, output) =>
  m.reshaped(m.operand(x!), x!.aval.dtype, output.aval.shape, output).steps;

const transpose: Rule = (m, { inputs: [x], attrs }, output) => {
  const order = indices((attrs as TransposeAttrs).perm, "perm");
  return [step("TRANSPOSE", [m.operand(x!), order], output, "TransposeOptions", {})];
};

const reverse: Rule = (m, { inputs: [x], attrs }, output) => {
  const { axes } = attrs as ReverseAttrs;
  if (axes.length === 0) return m.reshaped(m.operand(x!), x!.aval.dtype, output.aval.shape, output).steps;
  // The kernel takes one run of axes: each by itself is one.
  const steps: Step[] = [];
  let operand = m.operand(x!);
  axes.forEach((axis, i) => {
    const result = i === axes.length - 1 ? output : temporary(output.aval.dtype, output.aval.shape);
    steps.push(step("REVERSE_V2", [operand, indices([axis], "axis")], result, "ReverseV2Options", {}));
    operand = result;
  });
  return steps;
};

const concat: Rule = (m, { inputs, attrs }, output) => {
  const options = { axis: (attrs as ConcatAttrs).axis, fusedActivationFunction: "NONE" } as const;
  return [
    step(
      "CONCATENATION",
      inputs.map((x) => m.operand(x)),
      output,
      "ConcatenationOptions",
      options,
    ),
  ];
};

/** A broadcast that an operator does not do by itself. */
const broadcast: Rule = (m, { inputs: [x], attrs }, output) => {
  const { steps, operand } = sizesOperand(m, (attrs as BroadcastAttrs).shape, false);
  return [...steps, step("BROADCAST_TO", [m.operand(x!), operand], output, "BroadcastToOptions", {})];
};

const pad: Rule = (m, { inputs: [x, value], attrs }, output): Match => {
  const { low, high, interior } = attrs as PadAttrs;
  if (interior.some((n) => n !== 0)) return "TFLite has no padding between elements that all its runtimes know";
  const amounts = low.flatMap((n, i) => [n, high[i]!]);
  if (!amounts.every((n): n is number => typeof n === "number")) return "its padding is not known before it runs";
  const { dtype, shape } = x!.aval;
  const cut = amounts.map((n) => Math.min(n, 0));
  const steps: Step[] = [];
  let operand = m.operand(x!);
  if (cut.some((n) => n < 0)) {
    const begin = shape.map((_, i) => -cut[2 * i]!);
    const kept = shape.map((d, i) => addDim(d, cut[2 * i]! + cut[2 * i + 1]!));
    const isPadded = amounts.some((n) => n > 0);
    const result = isPadded ? temporary(dtype, kept) : output;
    const size = sizesOperand(m, kept, false);
    steps.push(
      ...size.steps,
      step("SLICE", [operand, indices(begin, "begin"), size.operand], result, "SliceOptions", {}),
    );
    if (!isPadded) return steps;
    operand = result;
  }
  const grown = Int32Array.from(amounts, (n) => Math.max(n, 0));
  const paddings = constant({ dtype: "int32", shape: [shape.length, 2], data: grown }, "paddings");
  const isZero = m.scalarOf(value!) === 0;
  const padded = isZero
    ? step("PAD", [operand, paddings], output, "PadOptions", {})
    : step("PADV2", [operand, paddings, m.operand(value!)], output, "PadV2Options", {});
  return [...steps, padded];
};

const slice: Rule = (m, { inputs: [x], attrs }, output) => {
  const { start, limit, strides } = attrs as SliceAttrs;
  const { shape } = x!.aval;
  const steps: Step[] = [];
  const begin = listOperand(m, start, steps);
  const reachesEnd = limit.map((d, i) => dimKey(d) === dimKey(shape[i]!));
  if (strides.every((s) => s === 1)) {
    const sizes = limit.map((d, i) => (reachesEnd[i] ? -1 : subDim(d, start[i]!)));
    steps.push(step("SLICE", [m.operand(x!), begin, listOperand(m, sizes, steps)], output, "SliceOptions", {}));
    return steps;
  }
  const ends = listOperand(
    m,
    limit.map((d, i) => (reachesEnd[i] ? 0 : d)),
    steps,
  );
  const endMask = reachesEnd.reduce((mask, reaches, i) => mask | (Number(reaches) << i), 0);
  const operands = [m.operand(x!), begin, ends, indices(strides, "strides")];
  steps.push(step("STRIDED_SLICE", operands, output, "StridedSliceOptions", { endMask }));
  return steps;
};

function listOperand(m: Matcher, sizes: readonly Dim[], steps: Step[]): Operand {
  const made = sizesOperand(m, sizes, false);
  steps.push(...made.steps);
  return made.operand;
}

/** Several of the equal parts that an axis is cut into, by one operator. */
const split: Rule = (m, node): Match => {
  const parts = partsOf(m, node);
  if (!parts) return undefined;
  const { axis, values, source } = parts;
  const at = constant({ dtype: "int32", shape: [], data: Int32Array.of(axis) }, "axis");
  const made = step("SPLIT", [at, m.operand(source)], values[0]!, "SplitOptions", { numSplits: values.length });
  return [{ ...made, outputs: values }];
};

/** Parts of size 1 whose axis a reshape takes away. */
export const unstack: Rule = (m, { inputs: [x] }): Match => {
  const parts = x!.node?.op.name === "slice" ? partsOf(m, x!.node) : undefined;
  if (!parts || parts.values.length !== parts.source.aval.shape[parts.axis]) return undefined;
  const { axis, source } = parts;
  const shape = source.aval.shape.filter((_, i) => i !== axis);
  const values = parts.values.map((part) => {
    if (isTemporary(part)) return temporary(part.dtype, shape);
    const [reader] = m.readersOf(part);
    const output = m.isPrivate(part) && reader?.op.name === "reshape" ? m.outputOf(reader) : undefined;
    return output && sameSizes(output.aval.shape, shape) ? output : undefined;
  });
  if (!values.every((value) => value !== undefined)) return undefined;
  const made = step("UNPACK", [m.operand(source)], values[0]!, "UnpackOptions", { num: values.length, axis });
  return [{ ...made, outputs: values }];
};

/** Values put side by side along a new axis. */
const stack: Rule = (m, { inputs, attrs }, output): Match => {
  const { axis } = attrs as ConcatAttrs;
  const shape = output.aval.shape.filter((_, i) => i !== axis);
  const rows = inputs.map((x) => {
    const inner = m.isPrivate(x) && x.node?.op.name === "reshape" ? x.node.inputs[0]! : undefined;
    return inner && x.aval.shape[axis] === 1 && sameSizes(inner.aval.shape, shape) ? m.operand(inner) : undefined;
  });
  // The operator takes no bools.
  if (inputs.length < 2 || output.aval.dtype === "bool" || !rows.every((row) => row !== undefined)) return undefined;
  return [step("PACK", rows, output, "PackOptions", { valuesCount: rows.length, axis })];
};

function sameSizes(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((d, i) => dimKey(d) === dimKey(b[i]!));
}

interface Parts {
  readonly axis: number;
  readonly source: Value;
  /** In their order; those that nothing reads are temporaries. */
  readonly values: readonly Result[];
}

/** The equal parts of one axis that all slices of a value are, if at least half of them are read. */
function partsOf(m: Matcher, { inputs: [source] }: Node): Parts | undefined {
  const slices = [...m.readersOf(source!)].filter((reader) => reader.op.name === "slice");
  const { dtype, shape } = source!.aval;
  const ranges = slices.map((reader) => {
    const { start, limit, strides } = reader.attrs as SliceAttrs;
    const [axis, ...others] = shape.flatMap((d, i) => (start[i] === 0 && dimKey(limit[i]!) === dimKey(d) ? [] : [i]));
    if (axis === undefined || others.length > 0 || strides.some((s) => s !== 1)) return undefined;
    return { axis, from: Number(start[axis]), to: Number(limit[axis]), value: m.outputOf(reader)! };
  });
  const [first] = ranges;
  if (!first || typeof shape[first.axis] !== "number") return undefined;
  const { axis } = first;
  const width = first.to - first.from;
  const count = Number(shape[axis]) / width;
  const isPart = (r: (typeof ranges)[number]): boolean =>
    r?.axis === axis && r.to - r.from === width && Number.isInteger(r.from / width);
  if (!Number.isInteger(count) || slices.length < 2 || 2 * slices.length < count || !ranges.every(isPart))
    return undefined;
  const part = shape.map((d, i) => (i === axis ? width : d));
  const values = Array.from(
    { length: count },
    (_, i) => ranges.find((r) => r?.from === i * width)?.value ?? temporary(dtype, part),
  );
  return { axis, source: source!, values };
}

/** 0, 1, … along one axis of sizes that are not known yet; known ones are constants. */
const iota: Rule = (m, { attrs }, output) => {
  const { shape, axis, dtype } = attrs as IotaAttrs;
  const steps: Step[] = [];
  const scalar = (value: number): Operand =>
    constant({ dtype: "int32", shape: [], data: Int32Array.of(value) }, "step");
  const limit = temporary("int32", []);
  const size = sizeOf(m, shape[axis]!, steps);
  steps.push(plainStep("RESHAPE", [size, indices([], "shape")], limit));
  const range = temporary("int32", [shape[axis]!]);
  steps.push(step("RANGE", [scalar(0), limit, scalar(1)], range, "RangeOptions", {}));
  const placed = shape.map((d, i) => (i === axis ? d : 1));
  const line = m.reshaped(range, "int32", placed);
  steps.push(...line.steps);
  const sizes = sizesOperand(m, shape, false);
  const whole = dtype === "int32" ? output : temporary("int32", shape);
  steps.push(...sizes.steps, step("BROADCAST_TO", [line.operand, sizes.operand], whole, "BroadcastToOptions", {}));
  if (dtype === "int32") return steps;
  if (dtype !== "float32" && dtype !== "int64") return `TFLite has no range of ${dtype}`;
  const outDataType = dtype === "float32" ? "FLOAT32" : "INT64";
  return [...steps, step("CAST", [whole], output, "CastOptions", { inDataType: "INT32", outDataType })];
};

/** A size as a number. */
const dimension: Rule = (m, { attrs, outs }, output) => {
  const steps: Step[] = [];
  const size = sizeOf(m, attrs.size as Dim, steps);
  const { dtype } = outs[0]!;
  const scalar = dtype === "int32" ? output : temporary("int32", []);
  steps.push(plainStep("RESHAPE", [size, indices([], "shape")], scalar));
  if (dtype === "int32") return steps;
  if (dtype !== "float32" && dtype !== "int64") return `TFLite makes no size ${dtype}`;
  const outDataType = dtype === "float32" ? "FLOAT32" : "INT64";
  return [...steps, step("CAST", [scalar], output, "CastOptions", { inDataType: "INT32", outDataType })];
};

export const shapeRules: Rules = {
  broadcastInDim: [broadcast],
  concat: [stack, concat],
  dimension: [dimension],
  iota: [iota],
  pad: [pad],
  reshape: [reshape],
  reverse: [reverse],
  slice: [split, slice],
  transpose: [transpose],
};
