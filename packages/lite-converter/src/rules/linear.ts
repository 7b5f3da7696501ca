// Convolutions and products with constant weights: CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED, into which go the sums and
// products with constants that follow.
import { countOf, type HostArray, type Node, type Value } from "@millrace/core/graph";
import { type Affine, affineOf, at, type Coefficient, isAll } from "../lower/affine.js";
import type { ConvAttrs, DotAttrs, TransposedConvAttrs } from "../lower/attrs.js";
import type { Match, Matcher, Rule } from "../lower/matcher.js";
import { sizesOperand } from "../lower/sizes.js";
import { constant, type Operand, type Step, step, temporary } from "../lower/steps.js";
import { paddingFor, paddingMode } from "./padding.js";

/** A chain of sums and products with constants, into the weights under it, or as one product and one sum. */
export const affine: Rule = (m, _node, output) => {
  const chain = affineOf(m, output);
  const { base, scale, shift, length } = chain;
  if (length === 0) return undefined;
  if (base.node && m.isPrivate(base)) {
    const { node } = base;
    const fused = linear(m, node, chain, output);
    if (Array.isArray(fused)) return fused.map((s: Step) => ({ ...s, from: node }));
  }
  const [scales, shifts] = [!isAll(scale, 1), !isAll(shift, 0)];
  if (Number(scales) + Number(shifts) >= length || !(scales || shifts)) return undefined;
  const { dtype, shape } = output.aval;
  const product = scales && shifts ? temporary(dtype, shape) : output;
  const steps: Step[] = [];
  let x = m.operand(base);
  const none = { fusedActivationFunction: "NONE" } as const;
  if (scales) steps.push(step("MUL", [x, coefficient(scale, "scale")], product, "MulOptions", none));
  if (scales) x = product;
  if (shifts) steps.push(step("ADD", [x, coefficient(shift, "shift")], output, "AddOptions", none));
  return steps;
};

function coefficient(c: Coefficient, name: string): Operand {
  const data = typeof c === "number" ? Float32Array.of(c) : Float32Array.from(c);
  return constant({ dtype: "float32", shape: typeof c === "number" ? [] : [data.length], data }, name);
}

const nothing: Omit<Affine, "base"> = { scale: 1, shift: 0, length: 0 };

/** A convolution or product by itself. */
export const plainLinear: Rule = (m, node, output) => linear(m, node, { base: output, ...nothing }, output);

function linear(m: Matcher, node: Node, chain: Affine, output: Value): Match {
  if (node.op.name === "convGeneral") return convolution(m, node, chain, output);
  if (node.op.name === "convInputGrad") return transposedConvolution(m, node, chain, output);
  return node.op.name === "dotGeneral" ? dense(m, node, chain, output) : undefined;
}

/** [..., in] · [in, out], or [out, in] contracted likewise. */
function dense(m: Matcher, { inputs: [x, w], attrs }: Node, chain: Affine, output: Value): Match {
  // boundary: the node's op is dotGeneral
  const { lhsBatch, lhsContract, rhsContract } = attrs as DotAttrs;
  const [{ shape }, weights] = [x!.aval, m.contentOf(w!)];
  const isDense =
    weights?.dtype === "float32" &&
    weights.shape.length === 2 &&
    lhsBatch.length === 0 &&
    lhsContract.length === 1 &&
    lhsContract[0] === shape.length - 1 &&
    shape.length >= 2;
  if (!isDense) return undefined;
  const transposed = rhsContract[0] === 1;
  const [inputs, outputs] = transposed
    ? [weights.shape[1]!, weights.shape[0]!]
    : [weights.shape[0]!, weights.shape[1]!];
  // [out, in], each output's row scaled
  const packed = m.derive(weights, `dense ${rhsContract} ${keyOf(chain.scale)}`, ({ data }) => {
    const rows = new Float32Array(outputs * inputs);
    for (let o = 0; o < outputs; o++) {
      const factor = at(chain.scale, o);
      for (let i = 0; i < inputs; i++) {
        rows[o * inputs + i] = Number(data[transposed ? o * inputs + i : i * outputs + o]) * factor;
      }
    }
    return { dtype: "float32", shape: [outputs, inputs], data: rows };
  });
  const bias = isAll(chain.shift, 0) ? null : biasOf(m, chain.shift, outputs, weights);
  const options = {
    fusedActivationFunction: "NONE",
    keepNumDims: shape.length > 2,
  } as const;
  const made = step(
    "FULLY_CONNECTED",
    [m.operand(x!), constant(packed, m.nameOf(weights)), bias],
    output,
    "FullyConnectedOptions",
    options,
  );
  return [{ ...made, weights: { input: 1, axis: 0 } }];
}

function convolution(m: Matcher, { inputs: [x, w], attrs }: Node, chain: Affine, output: Value): Match {
  // boundary: the node's op is convGeneral
  const conv = attrs as ConvAttrs;
  const { shape } = x!.aval;
  if (output.aval.dtype !== "float32") return "TFLite convolves float32 only";
  if (conv.lhsDilation.some((d) => d !== 1)) return "TFLite has no convolution of an input that is spread out";
  if (shape.length === 5) return "convolution in three dimensions is not built yet";
  const weights = m.contentOf(w!);
  if (!weights) return "TFLite wants the filters of a convolution to be constants";
  const steps: Step[] = [];
  // A sequence is an image of height 1.
  const isFlat = shape.length === 3;
  const image = isFlat ? [shape[0]!, 1, ...shape.slice(1)] : shape;
  let operand = m.operand(x!);
  if (isFlat) operand = take(steps, m.reshaped(operand, "float32", image));
  const flat = isFlat ? [1] : [];
  const none = isFlat ? [0] : [];
  const window = weights.shape.slice(0, -2);
  const [height, width] = [...flat, ...window] as [number, number];
  const [strideH, strideW] = [...flat, ...conv.strides] as [number, number];
  const [dilationHFactor, dilationWFactor] = [...flat, ...conv.rhsDilation] as [number, number];
  const padding = paddingFor(operand, "float32", image, {
    sizes: [height, width],
    strides: [strideH, strideW],
    dilations: [dilationHFactor, dilationWFactor],
    low: [...none, ...conv.low],
    high: [...none, ...conv.high],
  });
  if (typeof padding === "string") return padding;
  operand = take(steps, padding);
  const [seen, results] = weights.shape.slice(-2) as [number, number];
  const isDepthwise = conv.groups > 1 && seen === 1;
  const filters = m.derive(weights, `conv ${isDepthwise} ${keyOf(chain.scale)}`, (content) =>
    isDepthwise
      ? depthwiseFilters(content, height, width, chain.scale)
      : convFilters(content, height, width, chain.scale),
  );
  const bias = biasOf(m, chain.shift, results, weights);
  const made: Operand[] = [operand, constant(filters, m.nameOf(weights)), bias];
  const shared = { padding: padding.mode, strideH, strideW, dilationHFactor, dilationWFactor } as const;
  const options = { ...shared, fusedActivationFunction: "NONE" } as const;
  const { aval } = output;
  const [n, ...rest] = aval.shape;
  const result = isFlat ? temporary("float32", [n!, 1, ...rest]) : output;
  steps.push(
    isDepthwise
      ? {
          ...step("DEPTHWISE_CONV_2D", made, result, "DepthwiseConv2DOptions", {
            ...options,
            depthMultiplier: results / conv.groups,
          }),
          weights: { input: 1, axis: 3 },
        }
      : { ...step("CONV_2D", made, result, "Conv2DOptions", options), weights: { input: 1, axis: 0 } },
  );
  if (isFlat) steps.push(...m.reshaped(result, "float32", aval.shape, output).steps);
  return steps;
}

/** The transpose of a convolution: x [n, h, w, in] and filters [h, w, out, in]. */
function transposedConvolution(m: Matcher, { inputs: [x, w], attrs }: Node, chain: Affine, output: Value): Match {
  // boundary: the node's op is convInputGrad
  const { inputShape, strides, low, high, rhsDilation, groups } = attrs as TransposedConvAttrs;
  const weights = m.contentOf(w!);
  const isPlain = inputShape.length === 4 && groups === 1 && rhsDilation.every((d) => d === 1);
  if (!weights || !isPlain)
    return "TFLite has transposed convolutions of images with constant filters, without dilation";
  const [height, width, results] = weights.shape as [number, number, number];
  const [strideH, strideW] = strides as [number, number];
  const windows = { sizes: [height, width], strides: [strideH, strideW], dilations: [1, 1], low, high } as const;
  const padding = paddingMode(inputShape, windows);
  if (padding === "explicit") return "its padding is neither same nor valid";
  const filters = m.derive(weights, `transposed conv ${keyOf(chain.scale)}`, (c) => transposedFilters(c, chain.scale));
  const bias = isAll(chain.shift, 0) ? [] : [biasOf(m, chain.shift, results, weights)];
  const shape = sizesOperand(m, output.aval.shape, false);
  const made = [shape.operand, constant(filters, m.nameOf(weights)), m.operand(x!), ...bias];
  const options = { padding, strideH, strideW, fusedActivationFunction: "NONE" } as const;
  return [...shape.steps, step("TRANSPOSE_CONV", made, output, "TransposeConvOptions", options)];
}

/** [h, w, out, in] → [out, h, w, in] */
function transposedFilters({ data, shape }: HostArray, scale: Coefficient): HostArray {
  const [height, width, results, channels] = shape as [number, number, number, number];
  const taps = height * width;
  const filters = new Float32Array(taps * results * channels);
  for (let o = 0; o < results; o++) {
    const factor = at(scale, o);
    for (let tap = 0; tap < taps; tap++) {
      for (let c = 0; c < channels; c++) {
        filters[(o * taps + tap) * channels + c] = Number(data[(tap * results + o) * channels + c]) * factor;
      }
    }
  }
  return { dtype: "float32", shape: [results, height, width, channels], data: filters };
}

function take(steps: Step[], made: { readonly steps: readonly Step[]; readonly operand: Operand }): Operand {
  steps.push(...made.steps);
  return made.operand;
}

/** [h, w, in, out] → [out, h, w, in] */
function convFilters({ data, shape }: HostArray, height: number, width: number, scale: Coefficient): HostArray {
  const [seen, results] = shape.slice(-2) as [number, number];
  const taps = height * width * seen;
  const filters = new Float32Array(taps * results);
  for (let o = 0; o < results; o++) {
    const factor = at(scale, o);
    for (let tap = 0; tap < taps; tap++) filters[o * taps + tap] = Number(data[tap * results + o]) * factor;
  }
  return { dtype: "float32", shape: [results, height, width, seen], data: filters };
}

/** [h, w, 1, out] → [1, h, w, out] */
function depthwiseFilters({ data, shape }: HostArray, height: number, width: number, scale: Coefficient): HostArray {
  const results = shape.at(-1)!;
  const filters = Float32Array.from({ length: countOf(shape) }, (_, i) => Number(data[i]) * at(scale, i % results));
  return { dtype: "float32", shape: [1, height, width, results], data: filters };
}

/** One number an output; a convolution has one even where it is 0. */
function biasOf(m: Matcher, shift: Coefficient, length: number, weights: HostArray): Operand {
  const bias = m.derive(weights, `bias ${keyOf(shift)}`, () => ({
    dtype: "float32",
    shape: [length],
    data: Float32Array.from({ length }, (_, i) => at(shift, i)),
  }));
  return constant(bias, `${m.nameOf(weights)}_bias`);
}

function keyOf(c: Coefficient): string {
  return typeof c === "number" ? `${c}` : `[${c.join()}]`;
}
