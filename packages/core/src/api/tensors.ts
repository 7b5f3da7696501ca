// Functions on tensors that are no ops: making variables and functions, scopes, reading shapes.
import { avalOf } from "../ir/apply.js";
import { eqDim } from "../ir/dim.js";
import { formatShape } from "../ir/aval.js";
import { engine } from "../runtime/engine.js";
import { type AnyFunction, type FunctionOptions, makeFunction, type TracedFunction } from "../runtime/function.js";
import { refusePromise } from "../runtime/structure.js";
import { makeVariable, type VariableOptions } from "../runtime/variable.js";
import type { DType } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import type { DTypeOf, Like, ShapeOf } from "../types/operands.js";
import type { Tensor, Variable } from "../types/tensor.js";
import type { Shape } from "../types/shape.js";
import { toTensor } from "../ops/public.js";

/**
 * A variable with this initial value.
 * @example tf.variable([1, 2], { name: "w" }).shape // [2]
 */
export function variable<const X extends Like>(
  initial: X,
  options?: VariableOptions | boolean,
  name?: string,
  dtype?: DType,
): Variable<ShapeOf<X>, DTypeOf<X>> {
  const named: VariableOptions =
    typeof options === "object"
      ? options
      : { ...(options === undefined ? {} : { trainable: options }), ...(name === undefined ? {} : { name }), ...(dtype === undefined ? {} : { dtype }) };
  // boundary: the runtime class keeps the initial value's shape and dtype
  return makeVariable(initial, named) as Variable<ShapeOf<X>, DTypeOf<X>>;
}

/** `f` as one program for each kind of call; see TracedFunction. Also `tf.fn`. */
export function fn<F extends AnyFunction>(f: F, options?: FunctionOptions): F & TracedFunction {
  return makeFunction(f, options);
}

/** Runs `f` with `name` as the device of new tensors. Throws E_ASYNC_SCOPE where `f` returns a promise. */
export function device<T>(name: string, f: () => T): T {
  return engine.onDevice(name, () => {
    const value = f();
    refusePromise("tf.device", value);
    return value;
  });
}

/** `x`, after its shape was checked; the type narrows with it. Throws E_SHAPE. */
export function ensureShape<const S extends Shape>(x: Tensor, shape: S): Tensor<S> {
  const t = toTensor(x);
  const have = avalOf(t).shape;
  const fits = have.length === shape.length && have.every((d, i) => eqDim(d, shape[i]!) !== false);
  if (!fits) throw new MillraceError("E_SHAPE", `ensureShape: needs ${formatShape(shape)}, got ${formatShape(have)}`, { op: "ensureShape" });
  return t as Tensor<S>;
}
