// Random tensors. Without a seed every call draws new numbers; with one, every call draws the same.
import { typed } from "../../ir/apply.js";
import type { Dim } from "../../ir/dim.js";
import { toElement, toNumber } from "../../ir/host.js";
import { type Composite, checkAttr } from "../../ir/op.js";
import { type DType, dtypes, type FloatDType } from "../../types/dtype.js";
import type { Out } from "../../types/operands.js";
import type { NewShape } from "../../types/rules/create.js";
import type { Arg, Shape } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { add, mul } from "../binary/arithmetic.js";
import { minimum } from "../binary/extrema.js";
import { checkSizes } from "../create/fill.js";
import { apply1, castTo } from "../public.js";
import { floor } from "../unary/rounding.js";
import { type DrawAttrs, unitNormalOp, unitTruncatedNormalOp, unitUniformOp } from "./rng.js";
import { nextState } from "./state.js";

/** Standard numbers of a distribution. */
export function standard(
  name: string,
  op: Composite<string, DrawAttrs>,
  shape: readonly Dim[],
  dtype: DType,
  seed?: number,
): Tensor {
  return apply1(op, nextState(name, seed), { shape: checkSizes(name, shape), dtype });
}

/**
 * Numbers from `minval` up to but not including `maxval`, all equally likely; of int32, whole ones.
 * @param minval 0 by default, and `maxval` 1
 * @param dtype float32 by default, float64 or int32
 * @param seed a whole number from 0; the numbers are the same whenever it is
 * @throws E_ARGUMENT where minval exceeds maxval
 * @example tf.randomUniform([2], 0, 1, "float32", 7) // [0.376864, 0.0389688]
 * @public
 */
export function randomUniform<const S extends Shape>(
  shape: Arg<NewShape<"randomUniform", S>, S>,
  minval?: number,
  maxval?: number,
): Out<NewShape<"randomUniform", S>, "float32">;
export function randomUniform<const S extends Shape, D extends FloatDType | "int32">(
  shape: Arg<NewShape<"randomUniform", S>, S>,
  minval: number | undefined,
  maxval: number | undefined,
  dtype: D,
  seed?: number,
): Out<NewShape<"randomUniform", S>, D>;
export function randomUniform(shape: Shape, minval = 0, maxval = 1, dtype: DType = "float32", seed?: number): Tensor {
  if (dtype === "int32") return integers("randomUniform", shape, minval, maxval, seed);
  checkRange("randomUniform", minval, maxval);
  const u = standard("randomUniform", unitUniformOp, shape, dtype, seed);
  const y = add(mul(u, maxval - minval), minval);
  // Rounding must not reach the end.
  return minval < maxval ? minimum(y, below(maxval, dtype)) : y;
}

/**
 * Whole numbers from `minval` up to but not including `maxval`, all equally likely.
 * @param seed a whole number from 0; the numbers are the same whenever it is
 * @throws E_ARGUMENT where minval is not below maxval
 * @example tf.randomUniformInt([3], 0, 10, 7) // [0, 0, 3]
 * @public
 */
export function randomUniformInt<const S extends Shape>(
  shape: Arg<NewShape<"randomUniformInt", S>, S>,
  minval: number,
  maxval: number,
  seed?: number,
): Out<NewShape<"randomUniformInt", S>, "int32"> {
  return typed(integers("randomUniformInt", shape as Shape, minval, maxval, seed));
}

function integers(name: string, shape: Shape, minval: number, maxval: number, seed?: number): Tensor {
  checkRange(name, minval, maxval);
  const whole = Number.isInteger(minval) && Number.isInteger(maxval) && minval < maxval;
  checkAttr(`${name}.C2`, whole, () => `needs whole numbers with minval below maxval, got ${minval} and ${maxval}`);
  const inside = minval >= -(2 ** 31) && maxval <= 2 ** 31;
  checkAttr(`${name}.C3`, inside, () => `${minval} to ${maxval} is outside of int32`);
  // 53 bits: no number is likelier than another by more than 2^-21 of its share.
  const u = standard(name, unitUniformOp, shape, "float64", seed);
  return castTo(add(floor(mul(u, maxval - minval)), minval), "int32");
}

/**
 * Normally distributed numbers.
 * @param mean 0 by default, and `stdDev` 1
 * @param dtype float32 by default, or float64
 * @param seed a whole number from 0; the numbers are the same whenever it is
 * @example tf.randomNormal([2], 0, 1, "float32", 7) // [0.12551, 0.253908]
 * @public
 */
export function randomNormal<const S extends Shape>(
  shape: Arg<NewShape<"randomNormal", S>, S>,
  mean?: number,
  stdDev?: number,
): Out<NewShape<"randomNormal", S>, "float32">;
export function randomNormal<const S extends Shape, D extends FloatDType>(
  shape: Arg<NewShape<"randomNormal", S>, S>,
  mean: number | undefined,
  stdDev: number | undefined,
  dtype: D,
  seed?: number,
): Out<NewShape<"randomNormal", S>, D>;
export function randomNormal(shape: Shape, mean = 0, stdDev = 1, dtype: DType = "float32", seed?: number): Tensor {
  return add(mul(standard("randomNormal", unitNormalOp, shape, dtype, seed), stdDev), mean);
}

/**
 * Normally distributed numbers of mean 0 and deviation 1.
 * @param dtype float32 by default, or float64
 * @param seed a whole number from 0; the numbers are the same whenever it is
 * @example tf.randomStandardNormal([2], "float32", 7) // [0.12551, 0.253908]
 * @public
 */
export function randomStandardNormal<const S extends Shape>(
  shape: Arg<NewShape<"randomStandardNormal", S>, S>,
): Out<NewShape<"randomStandardNormal", S>, "float32">;
export function randomStandardNormal<const S extends Shape, D extends FloatDType>(
  shape: Arg<NewShape<"randomStandardNormal", S>, S>,
  dtype: D,
  seed?: number,
): Out<NewShape<"randomStandardNormal", S>, D>;
export function randomStandardNormal(shape: Shape, dtype: DType = "float32", seed?: number): Tensor {
  return standard("randomStandardNormal", unitNormalOp, shape, dtype, seed);
}

/**
 * Normally distributed numbers without those further than two deviations from the mean.
 * @param mean 0 by default, and `stdDev` 1
 * @param dtype float32 by default, or float64
 * @param seed a whole number from 0; the numbers are the same whenever it is
 * @example tf.truncatedNormal([2], 0, 1, "float32", 7) // [-0.299008, -1.55523]
 * @public
 */
export function truncatedNormal<const S extends Shape>(
  shape: Arg<NewShape<"truncatedNormal", S>, S>,
  mean?: number,
  stdDev?: number,
): Out<NewShape<"truncatedNormal", S>, "float32">;
export function truncatedNormal<const S extends Shape, D extends FloatDType>(
  shape: Arg<NewShape<"truncatedNormal", S>, S>,
  mean: number | undefined,
  stdDev: number | undefined,
  dtype: D,
  seed?: number,
): Out<NewShape<"truncatedNormal", S>, D>;
export function truncatedNormal(shape: Shape, mean = 0, stdDev = 1, dtype: DType = "float32", seed?: number): Tensor {
  return add(mul(standard("truncatedNormal", unitTruncatedNormalOp, shape, dtype, seed), stdDev), mean);
}

function checkRange(name: string, minval: number, maxval: number): void {
  checkAttr(`${name}.C1`, minval <= maxval, () => `minval ${minval} exceeds maxval ${maxval}`);
}

/** The greatest number of a float dtype that is below `x`. */
function below(x: number, dtype: DType): number {
  if (dtypes[dtype].computesIn) {
    const bits = Number(toElement(dtype, x === 0 ? -(2 ** -133) : x));
    const value = Number(toNumber(dtype, bits));
    return value < x ? value : Number(toNumber(dtype, x > 0 ? bits - 1 : bits + 1));
  }
  if (x === 0) return dtype === "float64" ? -Number.MIN_VALUE : -(2 ** -149);
  const step = x > 0 ? -1 : 1;
  if (dtype === "float64") {
    const [value, bits] = [Float64Array.of(x), BigInt(step)];
    new BigInt64Array(value.buffer)[0]! += bits;
    return value[0]!;
  }
  const value = Float32Array.of(x);
  if (value[0]! >= x) new Int32Array(value.buffer)[0]! += step;
  return value[0]!;
}
