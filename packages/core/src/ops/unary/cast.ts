import { typed } from "../../ir/apply.js";
import { type Cases, cases } from "../../ir/cases.js";
import { bytesOf, numbersOf, toElement, viewAs } from "../../ir/host.js";
import { checkAttr, checkDType, defineOp, noRule, type Op } from "../../ir/op.js";
import { type DType, dtypes, isDType } from "../../types/dtype.js";
import type { Like, WithDType } from "../../types/operands.js";
import { castTo, provideConversions, toTensor } from "../public.js";

/** The dtype of the result. */
export type CastAttrs = { readonly dtype: DType };

function checkKnown(label: string, dtype: DType): void {
  checkDType(label, isDType(dtype), () => `there is no dtype ${dtype}; there are ${Object.keys(dtypes).join(", ")}`);
}

export const castOp: Op<"cast", CastAttrs> = defineOp({
  name: "cast",
  version: 1,
  kind: "cast",
  arity: 1,
  infer([x], { dtype }) {
    checkKnown("cast.C1", dtype);
    return [{ dtype, shape: x!.shape }];
  },
  reference([x], { dtype }, [out]) {
    const wraps = dtypes[x!.dtype].isInteger;
    const from = numbersOf(x!);
    for (let i = 0; i < from.length; i++) out!.data[i] = toElement(dtype, wraps ? BigInt(from[i]!) : from[i]!);
  },
  vjp(b, [g], [x]) {
    const { dtype } = x!.aval;
    return [dtypes[dtype].isFloat && dtypes[g!.aval.dtype].isFloat ? b.cast([g!], { dtype }) : null];
  },
  batch: "elementwise",
});
provideConversions({ cast: castOp });
/**
 * The same numbers in another dtype. Floats become integers toward zero and stop at the range's ends, NaN becomes 0;
 * integers wrap; anything but 0 is true.
 * @example tf.cast([1.9, -1.9], "int32") // [1, -1]
 * @method
 */
export function cast<const X extends Like, D extends DType>(x: X, dtype: D): WithDType<X, D> {
  return typed(castTo(toTensor(x), dtype));
}
export const castCases: Cases<CastAttrs> = cases(castOp, () => ({
  samples: Object.keys(dtypes)
    .filter(isDType)
    .flatMap((dtype) => [[], [0], [17], [2, 3]].map((shape) => ({ ins: [shape], attrs: { dtype } }))),
  edges: [
    {
      ins: [[1.9, -1.9, NaN, Infinity, -Infinity, -0]],
      attrs: { dtype: "int32" },
      want: [1, -1, 0, 2147483647, -2147483648, 0],
    },
    { ins: [[3e9, -3e9]], attrs: { dtype: "int32" }, want: [2147483647, -2147483648] },
    { ins: [[-1, 300, 2.5, NaN]], attrs: { dtype: "uint8" }, want: [0, 255, 2, 0] },
    { ins: [[1e19, NaN, -7.9]], attrs: { dtype: "int64" }, want: [9223372036854775807n, 0, -7] },
    { ins: [[0, -0, NaN, 0.5, -Infinity]], attrs: { dtype: "bool" }, want: [0, 0, 1, 1, 1] },
    { ins: [[-129, 127.9, NaN]], attrs: { dtype: "int8" }, want: [-128, 127, 0] },
    { ins: [[128, -129, 511]], dtypes: ["int32"], attrs: { dtype: "int8" }, want: [-128, 127, -1] },
    { ins: [[200]], dtypes: ["uint8"], attrs: { dtype: "int8" }, want: [-56] },
    { ins: [[-1]], dtypes: ["int8"], attrs: { dtype: "uint8" }, want: [255] },
    // Between two bfloat16 numbers, ties to even, up to infinity, and subnormal.
    {
      ins: [[1.00390625, 1.01171875, 1.004, -3.4e38, 1e-40, NaN, -0, Infinity]],
      attrs: { dtype: "bfloat16" },
      want: [1, 1.015625, 1.0078125, -Infinity, 9.183549615799121e-41, NaN, -0, Infinity],
    },
    { ins: [[257, -1]], dtypes: ["int32"], attrs: { dtype: "bfloat16" }, want: [256, -1] },
    // Rounded to float32 first, as in TensorFlow.
    { ins: [[1.00390625 + 2 ** -40]], dtypes: ["float64"], attrs: { dtype: "bfloat16" }, want: [1] },
    { ins: [[-1.5, 300, NaN]], dtypes: ["bfloat16"], attrs: { dtype: "int8" }, want: [-1, 127, 0] },
    { ins: [[257, -1]], dtypes: ["int32"], attrs: { dtype: "uint8" }, want: [1, 255] },
    { ins: [[4294967296, -4294967297]], dtypes: ["int64"], attrs: { dtype: "int32" }, want: [0, -1] },
    { ins: [[16777217]], dtypes: ["int32"], attrs: { dtype: "float32" }, want: [16777216] },
    { ins: [[255]], dtypes: ["uint8"], attrs: { dtype: "int64" }, want: [255] },
    { ins: [[1, 0]], dtypes: ["bool"], attrs: { dtype: "float32" }, want: [1, 0] },
    { ins: [[1e39, -0, NaN]], dtypes: ["float64"], attrs: { dtype: "float32" }, want: [Infinity, -0, NaN] },
  ],
  // What a caller without types may pass.
  reject: [{ ins: [[2]], attrs: { dtype: "float12" as DType }, code: "cast.C1" }],
}));

export const bitcastOp: Op<"bitcast", CastAttrs> = defineOp({
  name: "bitcast",
  version: 1,
  kind: "cast",
  arity: 1,
  infer([x], { dtype }) {
    checkKnown("bitcast.C1", dtype);
    const [from, to] = [dtypes[x!.dtype].bytes, dtypes[dtype].bytes];
    checkAttr("bitcast.C2", from === to, () => `needs one width, ${x!.dtype} has ${from} bytes and ${dtype} ${to}`);
    checkAttr("bitcast.C3", dtype !== "bool" || x!.dtype === "bool", () => "a byte other than 0 and 1 is no bool");
    return [{ dtype, shape: x!.shape }];
  },
  reference([x], { dtype }, [out]) {
    const bits = viewAs(dtype, bytesOf(x!.data));
    for (let i = 0; i < bits.length; i++) out!.data[i] = bits[i]!;
  },
  vjp: noRule("bits have no derivative"),
  batch: "elementwise",
});
export const bitcastCases: Cases<CastAttrs> = cases(bitcastOp, () => ({
  samples: [
    { ins: [[2, 3]], dtypes: ["float32"], attrs: { dtype: "int32" } },
    { ins: [[0]], dtypes: ["int64"], attrs: { dtype: "float64" } },
    { ins: [[17]], dtypes: ["bool"], attrs: { dtype: "uint8" } },
  ],
  edges: [
    { ins: [[1, -0, Infinity]], attrs: { dtype: "int32" }, want: [0x3f800000, -2147483648, 0x7f800000] },
    { ins: [[0x40000000]], dtypes: ["int32"], attrs: { dtype: "float32" }, want: [2] },
  ],
  reject: [
    { ins: [[2]], attrs: { dtype: "int64" }, code: "bitcast.C2" },
    { ins: [[2]], attrs: { dtype: "float12" as DType }, code: "bitcast.C1" },
    { ins: [[2]], dtypes: ["uint8"], attrs: { dtype: "bool" }, code: "bitcast.C3" },
  ],
}));
