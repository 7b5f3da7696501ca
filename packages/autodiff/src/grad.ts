import { MillraceError, type Tensor, tidy, type Variable } from "@millrace/core";
import { needFunction, toTensor } from "@millrace/core/graph";
import { GradientTape } from "./tape.js";

/** A function of one tensor. */
export type UnaryFunction = (x: Tensor) => Tensor;
/** A function of several tensors. */
export type TensorFunction = (...xs: Tensor[]) => Tensor;

/** Runs `f` on a tape; `pick` says what is wanted of it, and everything else is given back. */
function differentiate<R>(
  f: TensorFunction,
  args: readonly Tensor[],
  dy: Tensor | undefined,
  pick: (value: Tensor, grads: Tensor[]) => R,
): R {
  const inputs = args.map((x) => toTensor(x));
  return tidy(() => {
    const tape = new GradientTape();
    const value = tape.run(() => {
      tape.watch(inputs);
      return f(...inputs);
    });
    const found = tape.gradient(value, inputs, dy ? { outputGradients: dy } : {});
    return pick(
      value,
      found.map((g, i) => connected(g, `argument ${i}`)),
    );
  });
}

/**
 * The gradient of a function of one tensor: `grad(f)(x)` is ∂(Σ f(x))/∂x, or with `dy` as the cotangent of f's result.
 * @throws E_GRADIENT where the value does not depend on x, or an op on the way has no gradient
 * @example tf.grad((x) => tf.square(x))(tf.tensor([1, 2])) // [2, 4]
 */
export function grad(f: UnaryFunction): (x: Tensor, dy?: Tensor) => Tensor {
  needFunction("grad", f);
  return (x, dy) =>
    differentiate(
      (...xs) => f(xs[0]!),
      [x],
      dy,
      (_value, grads) => grads[0]!,
    );
}

/** The gradients of a function of several tensors, with respect to each: `grads(f)([a, b])`. */
export function grads(f: TensorFunction): (args: readonly Tensor[], dy?: Tensor) => Tensor[] {
  needFunction("grads", f);
  return (args, dy) => differentiate(f, args, dy, (_value, all) => all);
}

/** `grad`, and the function's value beside it. */
export function valueAndGrad(f: UnaryFunction): (x: Tensor, dy?: Tensor) => { value: Tensor; grad: Tensor } {
  needFunction("valueAndGrad", f);
  return (x, dy) =>
    differentiate(
      (...xs) => f(xs[0]!),
      [x],
      dy,
      (value, all) => ({ value, grad: all[0]! }),
    );
}

/** `grads`, and the function's value beside them. */
export function valueAndGrads(
  f: TensorFunction,
): (args: readonly Tensor[], dy?: Tensor) => { value: Tensor; grads: Tensor[] } {
  needFunction("valueAndGrads", f);
  return (args, dy) => differentiate(f, args, dy, (value, all) => ({ value, grads: all }));
}

/**
 * The second derivatives of a scalar function of one tensor: `hessian(f)(x)` is [...x.shape, ...x.shape].
 * @throws E_GRADIENT where the value does not depend on x, or an op on the way has no gradient
 * @example tf.hessian((x) => tf.sum(tf.pow(x, 3)))(tf.tensor([1, 2])) // [[6, 0], [0, 12]]
 */
export function hessian(f: UnaryFunction): (x: Tensor) => Tensor {
  needFunction("hessian", f);
  return (x) => {
    const input = toTensor(x);
    return tidy(() => {
      const outer = new GradientTape();
      const gradient = outer.run(() => {
        outer.watch(input);
        return grad(f)(input);
      });
      return outer.jacobian(gradient, input, { unconnectedGradients: "zero" });
    });
  };
}

/** What the gradients of a record are of. */
const records = new WeakMap<object, ReadonlyMap<string, Variable>>();

/**
 * The variables of gradients that `variableGrads` gave, by name; undefined for any other record.
 * @internal
 */
export function variablesOf(gradients: object): ReadonlyMap<string, Variable> | undefined {
  return records.get(gradients);
}

/**
 * The gradients of a scalar with respect to variables, by name: those in `variables`, else every trainable one that `f`
 * reads. Works inside tf.function.
 * @throws E_VARIABLE where `f` reads none, or two of one name; E_GRADIENT where its value does not depend on one that was asked for
 */
export function variableGrads(
  f: () => Tensor,
  variables?: readonly Variable[],
): { value: Tensor; grads: Record<string, Tensor> } {
  needFunction("variableGrads", f);
  return tidy(() => {
    const tape = new GradientTape(variables ? { watchAccessedVariables: false } : {});
    if (variables) tape.watch(variables);
    const value = tape.run(f);
    const wanted = variables ?? tape.watchedVariables();
    if (wanted.length === 0)
      throw new MillraceError("E_VARIABLE", "variableGrads: the function reads no trainable variable");
    const named = new Map(wanted.map((v) => [v.name, v]));
    const twice = wanted.find((v) => named.get(v.name) !== v);
    if (twice) {
      const why = `two variables are called "${twice.name}", so their gradients have no names: use a tape`;
      throw new MillraceError("E_VARIABLE", `variableGrads: ${why}`);
    }
    const found = tape.gradient(value, wanted);
    const pairs = wanted.flatMap((v, i) => {
      const g = found[i] ?? null;
      return g === null && !variables ? [] : [[v.name, connected(g, v.name)] as const];
    });
    const grads = Object.fromEntries(pairs);
    records.set(grads, named);
    return { value, grads };
  });
}

function connected(g: Tensor | null | undefined, what: string): Tensor {
  if (g) return g;
  throw new MillraceError("E_GRADIENT", `the value does not depend on ${what}, so it has no gradient`);
}
