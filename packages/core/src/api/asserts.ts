// tf.debugging.assert…: what must hold of tensors. What their values decide stops eager code at once and a program when it runs;
// what their types decide, shapes and dtypes, is decided while a function is traced.
import { avalOf } from "../ir/apply.js";
import { formatAval, formatShape } from "../ir/aval.js";
import { type Dim, eqDim } from "../ir/dim.js";
import { add, mul, sub } from "../ops/binary/arithmetic.js";
import { equal, greater, greaterEqual, less, lessEqual, notEqual } from "../ops/compare/order.js";
import { assertOp } from "../ops/control/effects.js";
import { toFloat, toTensor } from "../ops/public.js";
import { all } from "../ops/reduce/logical.js";
import { isFinite, isNaN, logicalNot } from "../ops/unary/logical.js";
import { abs } from "../ops/unary/sign.js";
import { engine } from "../runtime/engine.js";
import { previewOf } from "../runtime/host-values.js";
import { TensorImpl } from "../runtime/tensor.js";
import type { DType } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import type { Like } from "../types/operands.js";
import { withDefaults } from "../types/options.js";
import type { Tensor } from "../types/tensor.js";

/** What an assertion says where it fails. */
export interface AssertOptions {
  /** Stands in front of what was expected. */
  readonly message?: string;
}

/** How near is near. */
export interface AssertNearOptions extends AssertOptions {
  /** Of |y|; 10 times the step of the dtype at 1 unless given. */
  readonly rtol?: number;
  /** As `rtol` unless given. */
  readonly atol?: number;
}

/**
 * Stops where not every element of `condition` is true: eager code at once, a function when it runs.
 * @param condition bool
 * @throws E_ARGUMENT with the message, and the line of the assertion
 * @example tf.debugging.assert(tf.less(1, 2), "one is less than two")
 */
export function assert(condition: Like, message = "a condition"): void {
  hold("assert", toTensor(condition), message, []);
}

/**
 * Stops where x and y differ in an element. Two NaN differ.
 * @throws E_ARGUMENT with the line of the assertion, in eager code with the values too
 * @example tf.debugging.assertEqual([1, 2], [1, 2])
 */
export function assertEqual(x: Like, y: Like, options?: AssertOptions): void {
  compare("assertEqual", equal, "x = y", x, y, options);
}

/**
 * Stops where x and y are equal in an element.
 * @throws E_ARGUMENT as `assertEqual`
 * @example tf.debugging.assertNoneEqual([1, 2], [2, 1])
 */
export function assertNoneEqual(x: Like, y: Like, options?: AssertOptions): void {
  compare("assertNoneEqual", notEqual, "x ≠ y", x, y, options);
}

/**
 * Stops where an element of x is not less than that of y.
 * @throws E_ARGUMENT as `assertEqual`
 * @example tf.debugging.assertLess([1, 2], 3)
 */
export function assertLess(x: Like, y: Like, options?: AssertOptions): void {
  compare("assertLess", less, "x < y", x, y, options);
}

/**
 * Stops where an element of x is greater than that of y, or either is NaN.
 * @throws E_ARGUMENT as `assertEqual`
 * @example tf.debugging.assertLessEqual([1, 2], 2)
 */
export function assertLessEqual(x: Like, y: Like, options?: AssertOptions): void {
  compare("assertLessEqual", lessEqual, "x ≤ y", x, y, options);
}

/**
 * Stops where an element of x is not greater than that of y.
 * @throws E_ARGUMENT as `assertEqual`
 * @example tf.debugging.assertGreater([1, 2], 0)
 */
export function assertGreater(x: Like, y: Like, options?: AssertOptions): void {
  compare("assertGreater", greater, "x > y", x, y, options);
}

/**
 * Stops where an element of x is less than that of y, or either is NaN.
 * @throws E_ARGUMENT as `assertEqual`
 * @example tf.debugging.assertGreaterEqual([1, 2], 1)
 */
export function assertGreaterEqual(x: Like, y: Like, options?: AssertOptions): void {
  compare("assertGreaterEqual", greaterEqual, "x ≥ y", x, y, options);
}

/**
 * Stops where an element of x is not greater than 0.
 * @throws E_ARGUMENT as `assertEqual`
 * @example tf.debugging.assertPositive([1, 2])
 */
export function assertPositive(x: Like, options?: AssertOptions): void {
  compare("assertPositive", greater, "x > 0", x, 0, options);
}

/**
 * Stops where an element of x is less than 0, or NaN.
 * @throws E_ARGUMENT as `assertEqual`
 * @example tf.debugging.assertNonNegative([0, 2])
 */
export function assertNonNegative(x: Like, options?: AssertOptions): void {
  compare("assertNonNegative", greaterEqual, "x ≥ 0", x, 0, options);
}

/**
 * Stops where an element of x is not less than 0.
 * @throws E_ARGUMENT as `assertEqual`
 * @example tf.debugging.assertNegative([-1, -2])
 */
export function assertNegative(x: Like, options?: AssertOptions): void {
  compare("assertNegative", less, "x < 0", x, 0, options);
}

/**
 * Stops where an element of x is greater than 0, or NaN.
 * @throws E_ARGUMENT as `assertEqual`
 * @example tf.debugging.assertNonPositive([0, -2])
 */
export function assertNonPositive(x: Like, options?: AssertOptions): void {
  compare("assertNonPositive", lessEqual, "x ≤ 0", x, 0, options);
}

/**
 * Stops where |x − y| > atol + rtol · |y| in an element.
 * @throws E_ARGUMENT as `assertEqual`
 * @example tf.debugging.assertNear([1, 2], [1.001, 2], { atol: 0.01 })
 */
export function assertNear(x: Like, y: Like, options: AssertNearOptions = {}): void {
  const [a, b] = [toFloat(x), toFloat(y)];
  const step = 10 * (a.dtype === "float64" ? 2 ** -52 : 2 ** -23);
  const given = withDefaults("assertNear", options, { message: "", rtol: step, atol: undefined });
  const { rtol, atol = rtol } = given;
  const bound = add(mul(abs(b), rtol), atol);
  const what = `|x − y| ≤ ${atol} + ${rtol} · |y|`;
  hold("assertNear", lessEqual(abs(sub(a, b)), bound), said(given.message, what), [a, b]);
}

/**
 * Stops where an element of x is NaN, or ±∞.
 * @throws E_ARGUMENT as `assertEqual`
 * @example tf.debugging.assertAllFinite([1, 2], "the loss")
 */
export function assertAllFinite(x: Like, message = ""): void {
  const t = toFloat(x);
  hold("assertAllFinite", isFinite(t), said(message, "x is finite"), [t]);
}

/**
 * x, where all its elements are finite; else it stops, and says whether there was a NaN or an ∞.
 * @throws E_ARGUMENT as `assertEqual`
 * @example tf.debugging.checkNumerics([1, 2], "the loss") // [1, 2]
 */
export function checkNumerics(x: Like, message = ""): Tensor {
  const t = toFloat(x);
  hold("checkNumerics", logicalNot(isNaN(t)), said(message, "x has no NaN"), [t]);
  hold("checkNumerics", isFinite(t), said(message, "x has no ∞"), [t]);
  return t;
}

/**
 * Stops where x has another rank, or none of a list of ranks.
 * @throws E_SHAPE
 * @example tf.debugging.assertRank([[1, 2]], 2)
 */
export function assertRank(x: Like, rank: number | readonly number[], options?: AssertOptions): void {
  const ranks = typeof rank === "number" ? [rank] : rank;
  const { shape } = avalOf(toTensor(x));
  if (ranks.includes(shape.length)) return;
  refuse("E_SHAPE", "assertRank", options, `rank ${ranks.join(" or ")}, got ${formatShape(shape)}`);
}

/**
 * Stops where x has a lower rank.
 * @throws E_SHAPE
 * @example tf.debugging.assertRankAtLeast([[1, 2]], 1)
 */
export function assertRankAtLeast(x: Like, rank: number, options?: AssertOptions): void {
  const { shape } = avalOf(toTensor(x));
  if (shape.length < rank)
    refuse("E_SHAPE", "assertRankAtLeast", options, `rank ${rank} or more, got ${formatShape(shape)}`);
}

/**
 * Stops where x has another dtype.
 * @throws E_DTYPE
 * @example tf.debugging.assertType(tf.zeros([2]), "float32")
 */
export function assertType(x: Like, dtype: DType, options?: AssertOptions): void {
  const aval = avalOf(toTensor(x));
  if (aval.dtype !== dtype) refuse("E_DTYPE", "assertType", options, `${dtype}, got ${formatAval(aval)}`);
}

/** A tensor and its sizes: a number, a name that stands for one size throughout, or null for any. */
export type ShapeAssertion = readonly [x: Like, shape: readonly (number | string | null)[]];

/**
 * Stops where tensors have other shapes, or where one name would stand for two sizes. In a function whose sizes are not known yet
 * it becomes a condition of its calls.
 * @throws E_SHAPE; E_GUARD at a call whose sizes do not fit
 * @example
 *     const [x, labels] = [tf.zeros([8, 3]), tf.zeros([8])];
 *     tf.debugging.assertShapes([[x, ["batch", 3]], [labels, ["batch"]]]);
 */
export function assertShapes(shapes: readonly ShapeAssertion[], options?: AssertOptions): void {
  const named = new Map<string, Dim>();
  for (const [i, [x, want]] of shapes.entries()) {
    const { shape } = avalOf(toTensor(x));
    const wrong = (why: string): never =>
      refuse(
        "E_SHAPE",
        "assertShapes",
        options,
        `tensor ${i} as ${formatWanted(want)}, got ${formatShape(shape)}${why}`,
      );
    if (shape.length !== want.length) wrong("");
    for (const [axis, name] of want.entries()) {
      if (name === null) continue;
      const size = shape[axis]!;
      const expected = typeof name === "number" ? name : (named.get(name) ?? size);
      if (typeof name === "string") named.set(name, expected);
      const equals = eqDim(size, expected);
      if (equals === false) wrong(typeof name === "string" ? `, but ${name} is ${String(expected)} already` : "");
      else if (equals !== true) engine.trace?.builder.guard(equals);
    }
  }
}

const formatWanted = (shape: readonly (number | string | null)[]): string => `[${shape.map((d) => d ?? "any").join()}]`;

type Comparison = (x: Tensor, y: Tensor) => Tensor;

function compare(name: string, f: Comparison, what: string, x: Like, y: Like, options: AssertOptions = {}): void {
  const { message } = withDefaults(name, options, { message: "" });
  const a = toTensor(x);
  const b = toTensor(y, typeof y === "number" ? a.dtype : undefined);
  hold(name, f(a, b), said(message, what), [a, b]);
}

const said = (message: string, what: string): string => (message ? `${message}: needs ${what}` : `needs ${what}`);

/** Stops unless all of `holds` is true; `shown` are x and y. */
function hold(name: string, holds: Tensor, message: string, shown: readonly Tensor[]): void {
  const { dtype, shape } = avalOf(holds);
  if (dtype !== "bool") {
    const got = formatAval({ dtype, shape });
    throw new MillraceError("E_DTYPE", `${name}: the condition must be bool, got ${got}`, { op: name });
  }
  const one = shape.length === 0 ? holds : all(holds);
  if (engine.trace || !isReadable(one)) {
    engine.apply(assertOp, [one, one], { message: `${name}: ${message}` });
  } else if (!one.itemSync()) {
    const values = shown.map((t, i) => `\n  ${"xy"[i]}: ${t.toString()} ${preview(t)}`);
    throw new MillraceError("E_ARGUMENT", `${name}: ${message}${values.join("")}`, { op: name });
  }
}

const isReadable = (t: Tensor): boolean => t instanceof TensorImpl && t.type.device.backend.readSync !== undefined;

const preview = (t: Tensor): string => previewOf(t.dataSync(), t.dtype, t.shape);

function refuse(code: "E_SHAPE" | "E_DTYPE", name: string, options: AssertOptions = {}, what: string): never {
  const { message } = withDefaults(name, options, { message: "" });
  throw new MillraceError(code, `${name}: ${said(message, what)}`, { op: name });
}
