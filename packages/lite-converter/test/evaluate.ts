// Our own evaluation of a .tflite file: plain loops over what the reader reads, by the definitions of the operators. Integer
// weights meet activations that are made int8 as LiteRT's hybrid kernels do it: a scale and a zero point for each row of a
// product and for each image of a convolution, sums as whole numbers.
import type { LiteModel, LiteOperator, LiteTensor } from "../src/index.js";
import type { LiteArray } from "./litert/litert.js";

interface Numbers {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Integers and what they stand for: (q - zero) scale. */
interface Quantized {
  readonly q: Float64Array;
  readonly scale: number;
  readonly zero: number;
}

const count = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** The outputs of a signature's first graph by name. */
export function evaluate(
  model: LiteModel,
  inputs: Readonly<Record<string, LiteArray>>,
  kernels: Kernels = "plain",
): Record<string, Numbers> {
  const graph = model.graphs[0]!;
  const signature = model.signatures[0]!;
  const values = new Map<number, Numbers>();
  const constantOf = (i: number): LiteTensor => graph.tensors[i]!;
  const read = (i: number): Numbers => {
    const known = values.get(i);
    if (known) return known;
    const value = numbersOf(constantOf(i));
    values.set(i, value);
    return value;
  };
  for (const { name, tensor } of signature.inputs) {
    const { shape, data } = inputs[name]!;
    values.set(tensor, { shape, data: Float64Array.from(data as Float32Array, Number) });
  }
  for (const operator of graph.operators) {
    const made = apply(
      operator,
      operator.inputs.map((i) => (i < 0 ? null : constantOf(i))),
      (k) => read(operator.inputs[k]!),
      kernels,
    );
    made.forEach((value, k) => {
      // Every result is stored as float32.
      values.set(operator.outputs[k]!, { shape: value.shape, data: Float64Array.from(value.data, Math.fround) });
    });
  }
  return Object.fromEntries(signature.outputs.map(({ name, tensor }) => [name, read(tensor)]));
}

function numbersOf({ name, type, shape, data }: LiteTensor): Numbers {
  if (!data) throw new Error(`${name} is not computed`);
  const bytes = data.slice().buffer as ArrayBuffer;
  if (type === "FLOAT32") return { shape, data: Float64Array.from(new Float32Array(bytes)) };
  if (type === "INT32") return { shape, data: Float64Array.from(new Int32Array(bytes)) };
  if (type === "INT8") return { shape, data: Float64Array.from(new Int8Array(bytes)) };
  throw new Error(`${name} is ${type}`);
}

type Read = (input: number) => Numbers;

function apply(
  operator: LiteOperator,
  tensors: readonly (LiteTensor | null)[],
  read: Read,
  kernels: Kernels,
): readonly Numbers[] {
  const { options } = operator;
  const values = (options?.values ?? {}) as Readonly<Record<string, number & string & boolean>>;
  switch (operator.operator) {
    case "FULLY_CONNECTED":
      return [activated(dense(tensors, read, values.keepNumDims ?? false, kernels), values.fusedActivationFunction)];
    case "CONV_2D":
    case "DEPTHWISE_CONV_2D":
      return [
        activated(convolution(operator.operator, tensors, read, values, kernels), values.fusedActivationFunction),
      ];
    case "MAX_POOL_2D": {
      const most = (xs: readonly number[]): number => Math.max(...xs);
      return [pooled(read(0), values, most)];
    }
    case "RESHAPE": {
      const [x, to] = [read(0), Array.from(read(1).data)];
      const known = to.reduce((n, d) => (d < 0 ? n : n * d), 1);
      return [{ shape: to.map((d) => (d < 0 ? x.data.length / known : d)), data: x.data }];
    }
    case "ADD":
      return [
        activated(
          elementwise(read(0), read(1), (a, b) => a + b),
          values.fusedActivationFunction,
        ),
      ];
    case "MUL":
      return [elementwise(read(0), read(1), (a, b) => a * b)];
    case "LOGISTIC":
      return [mapped(read(0), (x) => 1 / (1 + Math.exp(-x)))];
    case "TANH":
      return [mapped(read(0), Math.tanh)];
    case "SOFTMAX":
      return [softmax(read(0))];
    case "GATHER": {
      const [table, at] = [read(0), read(1)];
      const width = count(table.shape.slice(1));
      const rows = Array.from(at.data, (i) => Array.from(table.data.subarray(i * width, (i + 1) * width)));
      return [{ shape: [...at.shape, ...table.shape.slice(1)], data: Float64Array.from(rows.flat()) }];
    }
    case "DEQUANTIZE": {
      const [scale] = tensors[0]!.quantization!.scales;
      return [mapped(read(0), (q) => q * scale!)];
    }
    case "SPLIT": {
      const x = read(1);
      const parts = values.numSplits!;
      const axis = read(0).data[0]!;
      return Array.from({ length: parts }, (_, part) => sliced(x, axis, part, x.shape[axis]! / parts));
    }
    case "UNPACK": {
      const x = read(0);
      return Array.from({ length: values.num! }, (_, i) => {
        const part = sliced(x, values.axis!, i, 1);
        return { shape: x.shape.filter((_size, axis) => axis !== values.axis), data: part.data };
      });
    }
    case "MEAN": {
      const x = read(0);
      const [n, , , c] = x.shape as [number, number, number, number];
      const data = new Float64Array(n * c);
      x.data.forEach((v, i) => {
        data[Math.floor(i / (x.data.length / n)) * c + (i % c)]! += (v * n * c) / x.data.length;
      });
      return [{ shape: [n, c], data }];
    }
    default:
      throw new Error(`${operator.operator} is not evaluated here`);
  }
}

const mapped = ({ shape, data }: Numbers, f: (x: number) => number): Numbers => ({ shape, data: data.map(f) });

function activated(x: Numbers, activation: string | undefined): Numbers {
  if (activation === "RELU") return mapped(x, (v) => Math.max(v, 0));
  if (activation === "RELU6") return mapped(x, (v) => Math.min(Math.max(v, 0), 6));
  return x;
}

/** Operands of one shape, or one along the last axes of the other. */
function elementwise(a: Numbers, b: Numbers, f: (x: number, y: number) => number): Numbers {
  const [shape, length] = [a.data.length >= b.data.length ? a.shape : b.shape, Math.max(a.data.length, b.data.length)];
  return {
    shape,
    data: Float64Array.from({ length }, (_, i) => f(a.data[i % a.data.length]!, b.data[i % b.data.length]!)),
  };
}

function softmax({ shape, data }: Numbers): Numbers {
  const width = shape.at(-1)!;
  const out = new Float64Array(data.length);
  for (let row = 0; row < data.length; row += width) {
    const xs = data.subarray(row, row + width);
    const most = Math.max(...xs);
    const sum = xs.reduce((n, x) => n + Math.exp(x - most), 0);
    xs.forEach((x, i) => {
      out[row + i] = Math.exp(x - most) / sum;
    });
  }
  return { shape, data: out };
}

function sliced({ shape, data }: Numbers, axis: number, part: number, width: number): Numbers {
  const inner = count(shape.slice(axis + 1));
  const kept = data.filter((_, i) => Math.floor((Math.floor(i / inner) % shape[axis]!) / width) === part);
  return { shape: shape.map((d, i) => (i === axis ? width : d)), data: kept };
}

/** Whose kernels: LiteRT's own round halves away from 0 once the zero point is added, XNNPACK's to even before. */
export type Kernels = "plain" | "XNNPACK";

function rounded(x: number, zero: number, kernels: Kernels): number {
  if (kernels === "plain") {
    const sum = Math.fround(x + zero);
    return Math.sign(sum) * Math.floor(Math.abs(sum) + 0.5);
  }
  const down = Math.floor(x);
  const isHalf = x - down === 0.5;
  return zero + (isHalf ? down + (down % 2 === 0 ? 0 : 1) : Math.round(x));
}

/** 256 steps over the range of the numbers, in which 0 is one of them. */
function quantize(xs: Float64Array, kernels: Kernels): Quantized {
  const low = Math.min(0, ...xs);
  const high = Math.max(0, ...xs);
  if (low === high) return { q: xs.map(() => 0), scale: 1, zero: 0 };
  const scale = (high - low) / 255;
  // Whichever end of the range loses less by rounding.
  const [fromLow, fromHigh] = [-128 - low / scale, 127 - high / scale];
  const lowError = 128 + Math.abs(low / scale);
  const highError = 127 + Math.abs(high / scale);
  const zero = Math.min(127, Math.max(-128, Math.round(lowError < highError ? fromLow : fromHigh)));
  const inverse = Math.fround(1 / Math.fround(scale));
  const q = xs.map((x) => Math.min(127, Math.max(-128, rounded(Math.fround(x * inverse), zero, kernels))));
  return { q, scale: Math.fround(scale), zero };
}

/** The rows as they meet the weights: integers about their zero point, or as they are. */
function prepared(rows: Float64Array, weights: LiteTensor, kernels: Kernels): Quantized {
  return weights.type === "INT8" ? quantize(rows, kernels) : { q: rows, scale: 1, zero: 0 };
}

const scaleOf = (weights: LiteTensor, output: number): number => {
  const scales = weights.quantization?.scales ?? [1];
  return scales[scales.length === 1 ? 0 : output]!;
};

function dense(tensors: readonly (LiteTensor | null)[], read: Read, keepsAxes: boolean, kernels: Kernels): Numbers {
  const [x, w] = [read(0), read(1)];
  const bias = tensors[2] ? read(2).data : undefined;
  const [outputs, inputs] = w.shape as [number, number];
  const rows = x.data.length / inputs;
  const data = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    const { q, scale, zero } = prepared(x.data.slice(row * inputs, (row + 1) * inputs), tensors[1]!, kernels);
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += (q[i]! - zero) * w.data[o * inputs + i]!;
      data[row * outputs + o] = sum * scale * scaleOf(tensors[1]!, o) + (bias?.[o] ?? 0);
    }
  }
  return { shape: keepsAxes ? [...x.shape.slice(0, -1), outputs] : [rows, outputs], data };
}

/** Where windows begin along an axis, and how many there are. */
function windows(size: number, window: number, stride: number, dilation: number, padding: string): [number, number] {
  const reach = (window - 1) * dilation + 1;
  if (padding === "VALID") return [0, Math.floor((size - reach) / stride) + 1];
  const places = Math.ceil(size / stride);
  return [Math.floor(Math.max(0, (places - 1) * stride + reach - size) / 2), places];
}

type Values = Readonly<Record<string, number & string & boolean>>;

function convolution(
  operator: string,
  tensors: readonly (LiteTensor | null)[],
  read: Read,
  v: Values,
  kernels: Kernels,
): Numbers {
  const [x, w] = [read(0), read(1)];
  const bias = read(2).data;
  const [, , , inputs] = x.shape as [number, number, number, number];
  const isProduct = kernels === "XNNPACK" && w.shape[1] === 1 && w.shape[2] === 1 && v.strideH === 1 && v.strideW === 1;
  // XNNPACK runs a convolution of one tap as a product, whose rows are pixels.
  if (isProduct && operator === "CONV_2D") {
    const rows = { shape: [x.data.length / inputs, inputs], data: x.data };
    const matrix = { shape: [w.shape[0]!, inputs], data: w.data };
    const made = dense(tensors, (i) => [rows, matrix, read(2)][i]!, false, kernels);
    return { shape: [...x.shape.slice(0, 3), w.shape[0]!], data: made.data };
  }
  const [n, height, width, channels] = x.shape as [number, number, number, number];
  const [filters, rows, columns, last] = w.shape as [number, number, number, number];
  const deep = operator === "DEPTHWISE_CONV_2D";
  const outputs = deep ? last : filters;
  const [dh, dw] = [v.dilationHFactor ?? 1, v.dilationWFactor ?? 1];
  const [top, outRows] = windows(height, rows, v.strideH!, dh, v.padding!);
  const [left, outColumns] = windows(width, columns, v.strideW!, dw, v.padding!);
  const data: number[] = [];
  for (let b = 0; b < n; b++) {
    const size = height * width * channels;
    const { q, scale, zero } = prepared(x.data.slice(b * size, (b + 1) * size), tensors[1]!, kernels);
    for (let place = 0; place < outRows * outColumns * outputs; place++) {
      const o = place % outputs;
      const [i, j] = [Math.floor(place / outputs / outColumns), Math.floor(place / outputs) % outColumns];
      let sum = 0;
      for (let tap = 0; tap < rows * columns; tap++) {
        const y = i * v.strideH! - top + Math.floor(tap / columns) * dh;
        const z = j * v.strideW! - left + (tap % columns) * dw;
        if (y < 0 || y >= height || z < 0 || z >= width) continue;
        const from = (y * width + z) * channels;
        if (deep) sum += (q[from + Math.floor(o / (outputs / channels))]! - zero) * w.data[tap * outputs + o]!;
        else
          for (let c = 0; c < channels; c++)
            sum += (q[from + c]! - zero) * w.data[(o * rows * columns + tap) * channels + c]!;
      }
      data.push(sum * scale * scaleOf(tensors[1]!, o) + bias[o]!);
    }
  }
  return { shape: [n, outRows, outColumns, outputs], data: Float64Array.from(data) };
}

function pooled(x: Numbers, v: Values, f: (xs: readonly number[]) => number): Numbers {
  const [n, height, width, channels] = x.shape as [number, number, number, number];
  const [top, outRows] = windows(height, v.filterHeight!, v.strideH!, 1, v.padding!);
  const [left, outColumns] = windows(width, v.filterWidth!, v.strideW!, 1, v.padding!);
  const data: number[] = [];
  for (let place = 0; place < n * outRows * outColumns * channels; place++) {
    const c = place % channels;
    const j = Math.floor(place / channels) % outColumns;
    const i = Math.floor(place / channels / outColumns) % outRows;
    const b = Math.floor(place / channels / outColumns / outRows);
    const seen: number[] = [];
    for (let tap = 0; tap < v.filterHeight! * v.filterWidth!; tap++) {
      const y = i * v.strideH! - top + Math.floor(tap / v.filterWidth!);
      const z = j * v.strideW! - left + (tap % v.filterWidth!);
      if (y >= 0 && y < height && z >= 0 && z < width)
        seen.push(x.data[((b * height + y) * width + z) * channels + c]!);
    }
    data.push(f(seen));
  }
  return { shape: [n, outRows, outColumns, channels], data: Float64Array.from(data) };
}
