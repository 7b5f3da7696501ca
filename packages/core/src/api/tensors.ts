// Functions on tensors that are no ops: making variables and functions, scopes, reading shapes.
import { avalOf, typed } from "../ir/apply.js";
import { formatShape } from "../ir/aval.js";
import { eqDim } from "../ir/dim.js";
import { printOp } from "../ops/control/effects.js";
import { apply1, toTensor } from "../ops/public.js";
import { engine } from "../runtime/engine.js";
import type { AnyFunction, FunctionOptions } from "../runtime/function.js";
import { needFunction, refusePromise } from "../runtime/structure.js";
import { makeFunction, type TracedFunction } from "../runtime/traced-function.js";
import { makeVariable, type VariableOptions } from "../runtime/variable.js";
import type { DType } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import type { DTypeOf, Like, Out, ShapeOf } from "../types/operands.js";
import type { SameShape } from "../types/rules/broadcast.js";
import type { Arg, Shape } from "../types/shape.js";
import type { Tensor, Variable } from "../types/tensor.js";

/**
 * A variable with this initial value.
 * @example tf.variable([1, 2], { name: "w" }).shape // [2]
 */
export function variable<const X extends Like, D extends DType>(
  initial: X,
  options: VariableOptions & { readonly dtype: D },
): Variable<ShapeOf<X>, D>;
export function variable<const X extends Like>(initial: X, options?: VariableOptions): Variable<ShapeOf<X>, DTypeOf<X>>;
export function variable<const X extends Like>(
  initial: X,
  trainable?: boolean,
  name?: string,
): Variable<ShapeOf<X>, DTypeOf<X>>;
export function variable<const X extends Like, D extends DType>(
  initial: X,
  trainable: boolean | undefined,
  name: string | undefined,
  dtype: D,
): Variable<ShapeOf<X>, D>;
export function variable(initial: Like, options?: VariableOptions | boolean, name?: string, dtype?: DType): Variable {
  const named: VariableOptions =
    typeof options === "object"
      ? options
      : {
          ...(options === undefined ? {} : { trainable: options }),
          ...(name === undefined ? {} : { name }),
          ...(dtype === undefined ? {} : { dtype }),
        };
  return makeVariable(initial, named);
}

/** `f` as one program for each kind of call; see TracedFunction. Also `tf.fn`. */
export function fn<F extends AnyFunction>(f: F, options?: FunctionOptions): F & TracedFunction {
  needFunction("fn", f);
  return makeFunction(f, options);
}

/** Runs `f` with `name` as the device of new tensors. Throws E_ASYNC_SCOPE where `f` returns a promise. */
export function device<T>(name: string, f: () => T): T {
  needFunction("device", f);
  return engine.onDevice(name, () => {
    const value = f();
    refusePromise("tf.device", value);
    return value;
  });
}

/**
 * Writes a tensor to the logger when it is computed, also inside of tf.function, and gives it back.
 * @param message what stands in front of it; a boolean, which means something in TensorFlow.js, is taken for none
 */
export function print<T extends Tensor>(x: T, message: string | boolean = "tensor"): T {
  return typed(apply1(printOp, toTensor(x), { message: typeof message === "boolean" ? "tensor" : message }));
}

/**
 * `x`, after its shape was checked; the type narrows with it. Throws E_SHAPE.
 * @example tf.ensureShape(await load(), [2, 3]) // a Tensor<[2, 3]>
 */
export function ensureShape<const X extends Like, const S extends Shape>(
  x: X,
  shape: Arg<SameShape<"ensureShape", S, ShapeOf<X>>, S>,
): Out<SameShape<"ensureShape", S, ShapeOf<X>>, DTypeOf<X>>;
export function ensureShape(x: Like, shape: Shape): Tensor {
  const t = toTensor(x);
  const have = avalOf(t).shape;
  const fits = have.length === shape.length && have.every((d, i) => eqDim(d, shape[i]!) !== false);
  if (!fits)
    throw new MillraceError("E_SHAPE", `ensureShape: needs ${formatShape(shape)}, got ${formatShape(have)}`, {
      op: "ensureShape",
    });
  return t;
}
