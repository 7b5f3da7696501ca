// Which version of an operator a use of it needs, and which release of TensorFlow first had that version: facts of the format.
import type { BuiltinOperator } from "../schema/enums.js";
import type { Options } from "../schema/tables.js";
import type { LiteTensor } from "./model.js";

/** What of an operator its version depends on. Inputs that are left out are null. */
interface Use {
  readonly inputs: readonly (LiteTensor | null)[];
  readonly outputs: readonly LiteTensor[];
  readonly options: Options | null;
}

type VersionRule = (use: Use) => number;

const typeIs = (use: Use, i: number, type: LiteTensor["type"]): boolean => use.inputs[i]?.type === type;
const rankOf = (use: Use, i: number): number => use.inputs[i]?.shape.length ?? 0;

/** int8 weights, and whether each of their channels has a scale of its own. */
const hybrid = (use: Use): boolean => typeIs(use, 0, "FLOAT32") && typeIs(use, 1, "INT8");
const perChannel = (use: Use): boolean => (use.inputs[1]?.quantization?.scales.length ?? 0) > 1;

/** Whether two operands broadcast along more than four axes. */
const broadcastsWide = (use: Use): boolean => {
  const [a, b] = use.inputs;
  return `${a?.shape}` !== `${b?.shape}` && Math.max(rankOf(use, 0), rankOf(use, 1)) > 4;
};

const extremum: VersionRule = (use) => (broadcastsWide(use) ? 3 : 1);
const padding: VersionRule = (use) => (rankOf(use, 0) > 4 ? 4 : 1);

const rules: Partial<Record<BuiltinOperator, VersionRule>> = {
  ABS: (use) => (typeIs(use, 0, "INT32") ? 5 : 1),
  ADD: (use) => (typeIs(use, 0, "INT64") ? 4 : 1),
  BROADCAST_TO: () => 2,
  CONV_2D(use) {
    const [x, w] = use.inputs;
    if (x!.shape.at(-1) !== w!.shape.at(-1)) return 6;
    return hybrid(use) ? (perChannel(use) ? 5 : 2) : 1;
  },
  DEPTHWISE_CONV_2D(use) {
    if (hybrid(use)) return perChannel(use) ? 6 : 4;
    const { options } = use;
    if (options?.table !== "DepthwiseConv2DOptions") return 1;
    const { dilationWFactor = 1, dilationHFactor = 1 } = options.values;
    return dilationWFactor !== 1 || dilationHFactor !== 1 ? 2 : 1;
  },
  DEQUANTIZE: (use) => ((use.inputs[0]?.quantization?.scales.length ?? 0) > 1 ? 5 : 2),
  DIV: (use) => (broadcastsWide(use) ? 2 : 1),
  FLOOR_DIV: (use) => (typeIs(use, 0, "FLOAT32") ? 2 : 1),
  FULLY_CONNECTED(use) {
    const { options } = use;
    if (hybrid(use) && perChannel(use)) return 12;
    const values = options?.table === "FullyConnectedOptions" ? options.values : {};
    if (values.keepNumDims) return 5;
    return hybrid(use) ? (values.asymmetricQuantizeInputs ? 9 : 3) : 1;
  },
  GATHER: (use) => (typeIs(use, 0, "BOOL") ? 3 : typeIs(use, 0, "INT8") ? 2 : 1),
  MAXIMUM: extremum,
  MINIMUM: extremum,
  MUL: (use) => (typeIs(use, 0, "INT64") ? 5 : 1),
  PAD: padding,
  PADV2: padding,
  RANGE: (use) => (typeIs(use, 0, "INT64") ? 2 : 1),
  REVERSE_V2: (use) => (typeIs(use, 0, "BOOL") ? 2 : 1),
  SIGN: (use) => (typeIs(use, 0, "INT32") ? 2 : 1),
  SLICE: (use) => (rankOf(use, 0) > 4 ? 5 : 1),
  SPLIT: (use) => (typeIs(use, 1, "INT32") ? 3 : 1),
  STRIDED_SLICE: (use) => (rankOf(use, 0) > 4 ? 4 : typeIs(use, 0, "BOOL") ? 3 : 1),
  SUB: (use) => (typeIs(use, 0, "INT64") ? 4 : broadcastsWide(use) ? 3 : 1),
  TRANSPOSE: (use) => (rankOf(use, 0) > 5 ? 6 : rankOf(use, 0) > 4 ? 4 : typeIs(use, 0, "BOOL") ? 3 : 1),
  TRANSPOSE_CONV(use) {
    const { options } = use;
    const fused = options?.table === "TransposeConvOptions" ? options.values.fusedActivationFunction : undefined;
    if (fused !== undefined && fused !== "NONE") return 4;
    return use.inputs.length === 4 ? 3 : 1;
  },
  UNPACK: (use) => (typeIs(use, 0, "UINT8") ? 2 : typeIs(use, 0, "BOOL") ? 3 : 1),
};

/** The lowest version of an operator that can do this. */
export function versionOf(operator: BuiltinOperator, use: Use): number {
  return rules[operator]?.(use) ?? 1;
}

/** The release that first had version 1, 2, … of an operator; empty for a version that is not written here. */
const releases: Partial<Record<BuiltinOperator, readonly string[]>> = {
  ABS: ["1.13.0", "", "", "", "2.12.0"],
  ADD: ["1.5.0", "", "", "2.6.0"],
  ARG_MAX: ["1.9.0"],
  ARG_MIN: ["1.9.0"],
  ATAN2: ["2.10.0"],
  AVERAGE_POOL_2D: ["1.5.0"],
  BATCH_MATMUL: ["2.3.0", "", "", "2.5.0"],
  BITWISE_XOR: ["2.13.0"],
  BROADCAST_TO: ["", "2.5.0"],
  CAST: ["1.5.0"],
  CEIL: ["1.14.0"],
  CONCATENATION: ["1.5.0"],
  CONV_2D: ["1.5.0", "1.14.0", "", "", "2.4.0", "2.9.0"],
  COS: ["1.14.0"],
  CUMSUM: ["2.4.0"],
  DEPTHWISE_CONV_2D: ["1.5.0", "1.12.0", "", "2.2.0", "", "2.3.0"],
  DEQUANTIZE: ["1.13.1", "1.14.0", "", "", "2.7.0"],
  DIV: ["1.6.0", "2.3.0"],
  DYNAMIC_UPDATE_SLICE: ["2.9.0"],
  ELU: ["1.14.0"],
  EQUAL: ["1.14.0"],
  EXP: ["1.7.0"],
  FLOOR: ["1.9.0"],
  FLOOR_DIV: ["1.14.0", "1.14.0"],
  FLOOR_MOD: ["1.13.0"],
  FULLY_CONNECTED: ["1.5.0", "", "1.14.0", "", "2.0.0", "2.1.0", "", "", "2.3.0", "", "", "2.17.0"],
  GATHER: ["1.6.0", "1.14.0", "1.15.0"],
  GELU: ["2.9.0"],
  GREATER: ["1.14.0"],
  GREATER_EQUAL: ["1.14.0"],
  HARD_SWISH: ["1.15.0"],
  LEAKY_RELU: ["1.13.1"],
  LESS: ["1.14.0"],
  LESS_EQUAL: ["1.14.0"],
  LOG: ["1.14.0"],
  LOGICAL_AND: ["1.11.0"],
  LOGICAL_NOT: ["1.11.0"],
  LOGICAL_OR: ["1.11.0"],
  LOGISTIC: ["1.14.0"],
  LOG_SOFTMAX: ["1.14.0"],
  MAXIMUM: ["1.14.0", "", "2.3.0"],
  MAX_POOL_2D: ["1.5.0"],
  MEAN: ["1.6.0"],
  MINIMUM: ["1.14.0", "", "2.3.0"],
  MUL: ["1.5.0", "", "", "", "2.6.0"],
  NEG: ["1.9.0"],
  NOT_EQUAL: ["1.14.0"],
  PACK: ["1.11.0"],
  PAD: ["1.5.0", "", "", "2.6.0"],
  PADV2: ["1.9.0", "", "", "2.6.0"],
  POW: ["1.10.0"],
  PRELU: ["1.8.0"],
  RANGE: ["1.13.0", "2.14.0"],
  REDUCE_ALL: ["2.6.0"],
  REDUCE_ANY: ["1.11.0"],
  REDUCE_MAX: ["1.11.0"],
  REDUCE_MIN: ["1.11.0"],
  REDUCE_PROD: ["1.11.0"],
  RELU: ["1.5.0"],
  RELU6: ["1.5.0"],
  RELU_0_TO_1: ["2.10.0"],
  RELU_N1_TO_1: ["1.5.0"],
  RESHAPE: ["1.5.0"],
  REVERSE_V2: ["1.14.0", "2.2.0"],
  ROUND: ["1.14.0"],
  RSQRT: ["1.10.0"],
  SELECT_V2: ["2.2.0"],
  SHAPE: ["1.10.0"],
  SIGN: ["2.11.0", "2.12.0"],
  SIN: ["1.9.0"],
  SLICE: ["1.14.0", "", "", "", "2.5.0"],
  SOFTMAX: ["1.5.0"],
  SPLIT: ["1.5.0", "", "1.14.0"],
  SQRT: ["1.10.0"],
  SQUARED_DIFFERENCE: ["1.13.1"],
  STRIDED_SLICE: ["1.6.0", "", "2.1.0", "2.2.0"],
  SUB: ["1.6.0", "", "2.3.0", "2.4.0"],
  SUM: ["1.10.0"],
  TANH: ["1.14.0"],
  TRANSPOSE: ["1.6.0", "", "1.15.0", "2.3.0", "", "2.12.0"],
  TRANSPOSE_CONV: ["1.9.0", "", "2.3.0", "2.13.0"],
  UNPACK: ["1.11.0", "1.14.0", "2.2.0"],
};

/** The oldest release whose runtime has all of these. */
export function minRuntimeVersion(uses: readonly { readonly operator: string; readonly version: number }[]): string {
  const known: Readonly<Record<string, readonly string[]>> = releases;
  return uses.map(({ operator, version }) => known[operator]?.[version - 1] || "1.5.0").reduce(laterOf, "1.5.0");
}

function laterOf(a: string, b: string): string {
  const [x, y] = [a, b].map((version) => version.split(".").map(Number));
  const place = x!.findIndex((part, i) => part !== y![i]);
  return place >= 0 && x![place]! < y![place]! ? b : a;
}
