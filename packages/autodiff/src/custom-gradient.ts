import { MillraceError, type Tensor } from "@millrace/core";
import {
  type AnyOp,
  asTensors,
  avalsOf,
  buildStructure,
  customGradientOp,
  engine,
  fillLike,
  finishRegion,
  flattenStructure,
  internalComposite,
  isFloat,
  makeOps,
  needFunction,
  noAttrs,
  noRule,
  outersOf,
  type Recorder,
  recomputeOp,
  refuseAssigned,
  refusePromise,
  sameShape,
  type Template,
  type TensorImpl,
  type Trace,
  toTensor,
  traceRegion,
  type VariableImpl,
  type VjpRule,
} from "@millrace/core/graph";
import { connectTransforms } from "./graph-vjp.js";
import { applyToTensors } from "./recording.js";
import { GradientTape } from "./tape.js";

/** A tensor, or several. */
type Tensors = Tensor | readonly Tensor[];

/** What a function with its own gradient gives. */
export interface CustomGradient<R extends Tensors> {
  readonly value: R;
  /** From a cotangent for each value to one for each argument; null where there is none. */
  grad(...dys: Tensor[]): Tensor | null | readonly (Tensor | null)[];
}

type Leaf = TensorImpl & Tensor;

/** What a function gave, its values as a list. */
interface Made {
  readonly values: readonly Leaf[];
  readonly template: Template;
  readonly grad: (...dys: Tensor[]) => readonly (Tensor | null)[];
}

function take<R extends Tensors>(what: string, made: CustomGradient<R>, args: readonly TensorImpl[]): Made {
  refusePromise(what, made);
  const values: TensorImpl[] = [];
  const template = flattenStructure(made.value, values);
  if (values.length === 0 || typeof made.grad !== "function") {
    throw new MillraceError(
      "E_ARGUMENT",
      `${what}: the function must return { value, grad } of tensors and a function`,
    );
  }
  const grad = (...dys: Tensor[]): readonly (Tensor | null)[] => {
    const found = made.grad(...dys);
    refusePromise(what, found);
    // boundary: a readonly array is not narrowed by isArray
    const list = (Array.isArray(found) ? found : [found]) as readonly (Tensor | null)[];
    if (list.length !== args.length) {
      const counts = `${args.length} arguments and ${list.length} gradients`;
      throw new MillraceError("E_GRADIENT", `${what}: there are ${counts}; each argument has one, or null`);
    }
    list.forEach((g, i) => {
      const want = args[i]!.aval.shape;
      // boundary: every Tensor is a TensorImpl
      if (g === null || sameShape((g as Leaf).aval.shape, want) === true) return;
      throw new MillraceError("E_SHAPE", `${what}: gradient ${i} has shape [${g.shape}], its argument [${want}]`);
    });
    return list;
  };
  // boundary: every TensorImpl is a Tensor once the op methods are installed
  return { values: values as Leaf[], template, grad };
}

/**
 * A function with a gradient of its own: `f` gives its value and how cotangents go back. What `f` uses from outside, variables too,
 * has no gradient by way of it. The gradient may read what `f` computed, and has gradients itself.
 * @throws E_GRADIENT where there are more or fewer gradients than arguments, E_SHAPE where one has another shape than its argument
 * @example
 *     // The gradient of log(1 + exp(x)), which neither overflows nor loses digits.
 *     const softplus = tf.customGradient((x) => ({
 *       value: tf.log(tf.add(tf.exp(x), 1)),
 *       grad: (dy) => tf.mul(dy, tf.sigmoid(x)),
 *     }));
 *     tf.grad(softplus)(tf.tensor([0, 200])); // [0.5, 1]
 */
export function customGradient<A extends readonly Tensor[], R extends Tensors>(
  f: (...args: A) => CustomGradient<R>,
): (...args: A) => R {
  needFunction("customGradient", f);
  return (...args) => withGradient("customGradient", f, args);
}

/** What `save` has kept for the gradient. */
export type Save = (tensors: readonly Tensor[]) => void;

/**
 * tfjs's form of `customGradient`: `f` gets a function that saves tensors, and its gradient gets them as a list.
 * @example
 *     const square = tf.customGrad((x, save) => {
 *       save([x]);
 *       return { value: tf.square(x), gradFunc: (dy, [saved]) => tf.mul(dy, tf.mul(saved, 2)) };
 *     });
 *     tf.grad(square)(tf.tensor([3])); // [6]
 */
export function customGrad(
  // boundary: the last argument is `save`, the others are tensors, which a rest type cannot say
  f: (...args: any[]) => {
    readonly value: Tensor;
    readonly gradFunc: (dy: Tensor, saved: readonly Tensor[]) => Tensor | readonly Tensor[];
  },
): (...args: Tensor[]) => Tensor {
  needFunction("customGrad", f);
  return (...args) =>
    withGradient(
      "customGrad",
      (...xs: Tensor[]) => {
        let saved: readonly Tensor[] = [];
        const save: Save = (tensors) => {
          saved = tensors;
        };
        const { value, gradFunc } = f(...xs, save);
        return { value, grad: (dy: Tensor) => gradFunc(dy, saved) };
      },
      args,
    );
}

/**
 * `f` with the gradient of the identity, as for rounding: a straight-through estimator.
 * @throws E_SHAPE where the value has another shape than its argument
 * @example tf.grad(tf.gradPassThrough((x) => tf.round(x)))(tf.tensor([0.4, 1.6])) // [1, 1]
 */
export function gradPassThrough(f: (x: Tensor) => Tensor): (x: Tensor) => Tensor {
  needFunction("gradPassThrough", f);
  return (x) => withGradient("gradPassThrough", (y: Tensor) => ({ value: f(y), grad: (dy: Tensor) => dy }), [x]);
}

function withGradient<A extends readonly Tensor[], R extends Tensors>(
  what: string,
  f: (...args: A) => CustomGradient<R>,
  args: A,
): R {
  connectTransforms();
  // boundary: every Tensor is a TensorImpl
  const xs = args.map((x) => toTensor(x) as Leaf);
  const made = engine.trace ? traced(engine.trace, what, f, xs) : eager(what, f, xs);
  // boundary: the structure that the function returned
  return buildStructure(made.template, made.values) as R;
}

// ---- eager code: the function runs, and the tape is told of one op with the function's gradient ----------------------

type MadeValues = Pick<Made, "values" | "template">;

function eager<A extends readonly Tensor[], R extends Tensors>(
  what: string,
  f: (...args: A) => CustomGradient<R>,
  xs: readonly Leaf[],
): MadeValues {
  // boundary: every TensorImpl is a Tensor once the op methods are installed
  const ins = xs.map((x) => engine.snapshot(x) as Leaf);
  // boundary: the arguments of f, as tensors
  // Tapes see what f does, since its gradient may read of it and have a gradient itself; but not that the values come of it.
  const made = take(what, f(...(ins as readonly Tensor[] as A)), ins);
  const values = engine.recording ? fresh(made.values) : made.values;
  tell(what, made.grad, ins, values);
  return { values, template: made.template };
}

/** The same values, of which no tape knows where they come from. */
function fresh(values: readonly Leaf[]): Leaf[] {
  // boundary: every Tensor is a TensorImpl
  return engine.unrecorded(() => values.map((y) => engine.clone(y) as Leaf));
}

/** Tells the tapes of a function whose gradient is JavaScript. */
function tell(what: string, grad: Made["grad"], ins: readonly TensorImpl[], values: readonly Leaf[]): void {
  if (!engine.recording) return;
  const vjp: VjpRule<unknown> = (b, gs, _ins, outs) => {
    // boundary: in eager code values are tensors
    const dys = outs.map((y, i) => (gs[i] ?? fillLike(b, y, 0)) as Leaf);
    return grad(...dys) as readonly (Leaf | null)[];
  };
  const op: AnyOp = internalComposite({
    name: what,
    version: 1,
    arity: ins.length,
    many: true,
    infer: () => values.map((y) => y.aval),
    lower: () => values,
    vjp,
    // The gradient is linear in the cotangents: its gradient by them is the tangent.
    jvp: (b, ts, _ins, outs) => {
      // boundary: as above
      const dys = outs.map((y) => fillLike(b, y, 0) as Leaf);
      const tape = new GradientTape();
      const given = tape.run(() => {
        tape.watch(dys.filter(isFloat));
        return grad(...dys);
      });
      const pairs = given.flatMap((g, i) => (g && ts[i] ? [[g, ts[i] as Leaf] as const] : []));
      const options = { outputGradients: pairs.map(([, t]) => t) };
      return tape.gradient(
        pairs.map(([g]) => g),
        dys,
        options,
      ) as readonly (Leaf | null)[];
    },
    batch: noRule("it was made in eager code, where its gradient is a JavaScript function"),
  });
  engine.recordCall(op, ins, noAttrs, [], values);
}

// ---- traced code: the function and its gradient are the two regions of an op -----------------------------------------

function traced<A extends readonly Tensor[], R extends Tensors>(
  parent: Trace,
  what: string,
  f: (...args: A) => CustomGradient<R>,
  xs: readonly Leaf[],
): MadeValues {
  let made: Made | undefined;
  const forward = traceRegion(parent, what, avalsOf(xs), (...args) => {
    // boundary: the arguments of f, as tracers
    made = take(what, f(...(args as readonly Tensor[] as A)), args);
    return made.values;
  });
  const { template, grad } = made!;
  const values = forward.results;
  // What the gradient uses of the function is captured by a trace inside of it.
  const backward = traceRegion(forward.trace, what, avalsOf(values.filter(isFloat)), (...dys) => {
    const b = makeOps<TensorImpl>(applyToTensors);
    let next = 0;
    // boundary: b is over tensors
    const all = values.map((y) => (isFloat(y) ? dys[next++]! : (fillLike(b, y, 0) as Leaf)));
    return grad(...all).flatMap((g, i) => (isFloat(xs[i]!) ? [g ?? fillLike(b, xs[i]!, 0)] : []));
  });
  refuseAssigned(what, forward, backward);
  const kept = outersOf([backward]);
  const gradient = finishRegion(backward, kept, backward.results);
  const residuals = asTensors(kept).map((x) => engine.inTrace(forward.trace, x).value);
  const outside = outersOf([forward]);
  const graph = finishRegion(forward, outside, [...values, ...residuals]);
  const attrs = { args: xs.length, values: values.length };
  // boundary: every Tensor is a TensorImpl
  const outs = engine.apply(customGradientOp, [...xs, ...asTensors(outside)], attrs, [
    graph,
    gradient,
  ]) as readonly Leaf[];
  return { values: outs.slice(0, values.length), template };
}

// ---- recomputing -----------------------------------------------------------------------------------------------------

/**
 * `f`, whose gradient computes `f` once more instead of keeping what it computed: less memory for a third more work. Variables
 * that `f` reads have gradients as ever. `f` must do the same each time it is called.
 * @example
 *     const block = tf.recomputeGrad((x) => tf.tanh(tf.mul(x, 2)));
 *     tf.grad((x) => tf.sum(block(x)))(tf.tensor([0])); // [2]
 */
export function recomputeGrad<A extends readonly Tensor[], R extends Tensors>(f: (...args: A) => R): (...args: A) => R {
  needFunction("recomputeGrad", f);
  return (...args) => {
    connectTransforms();
    // boundary: every Tensor is a TensorImpl
    const xs = args.map((x) => toTensor(x) as Leaf);
    const made = engine.trace ? tracedAgain(engine.trace, f, xs) : eagerAgain(f, xs);
    // boundary: the structure that the function returned
    return buildStructure(made.template, made.values) as R;
  };
}

function valuesOf(value: Tensors): MadeValues {
  refusePromise("recomputeGrad", value);
  const values: TensorImpl[] = [];
  const template = flattenStructure(value, values);
  // boundary: every TensorImpl is a Tensor once the op methods are installed
  return { values: values as Leaf[], template };
}

function tracedAgain<A extends readonly Tensor[], R extends Tensors>(
  parent: Trace,
  f: (...args: A) => R,
  xs: readonly Leaf[],
): MadeValues {
  // boundary: the arguments of f, as tracers
  const region = traceRegion(parent, "recomputeGrad", avalsOf(xs), (...args) => f(...(args as readonly Tensor[] as A)));
  refuseAssigned("recomputeGrad", region);
  const outside = outersOf([region]);
  const graph = finishRegion(region, outside, region.results);
  const outs = engine.apply(recomputeOp, [...xs, ...asTensors(outside)], noAttrs, [graph]);
  // boundary: as in recomputeGrad
  return { values: outs as readonly Leaf[], template: region.template };
}

/** Notes which variables are read. */
class Reads implements Recorder {
  readonly variables: Set<VariableImpl> = new Set();

  applied(): void {}

  read(variable: VariableImpl): void {
    this.variables.add(variable);
  }
}

function eagerAgain<A extends readonly Tensor[], R extends Tensors>(
  f: (...args: A) => R,
  xs: readonly Leaf[],
): MadeValues {
  const ins = xs.map((x) => engine.snapshot(x));
  const reads = new Reads();
  const call = (args: readonly TensorImpl[]): MadeValues => {
    // boundary: the arguments of f, as tensors
    return valuesOf(f(...(args as readonly unknown[] as A)));
  };
  const made = engine.unrecorded(() => {
    engine.addRecorder(reads);
    try {
      return call(ins);
    } finally {
      engine.removeRecorder(reads);
    }
  });
  const values = fresh(made.values);
  const variables = [...reads.variables].filter(isFloat);
  const operands = [...ins, ...variables.map((v) => engine.snapshot(v))];
  const grad = (...dys: Tensor[]): readonly (Tensor | null)[] => {
    const tape = new GradientTape({ watchAccessedVariables: false });
    // boundary: every TensorImpl is a Tensor once the op methods are installed
    const sources = [...ins, ...variables] as TensorImpl[] as Leaf[];
    const floats = sources.filter(isFloat);
    const again = tape.run(() => {
      tape.watch(floats);
      return call(ins).values;
    });
    const targets = again.flatMap((y, i) => (isFloat(y) ? [[y, dys[i]!] as const] : []));
    const options = { outputGradients: targets.map(([, dy]) => dy) };
    const found = tape.gradient(
      targets.map(([y]) => y),
      floats,
      options,
    ) as readonly (Tensor | null)[];
    let next = 0;
    return sources.map((x) => (isFloat(x) ? (found[next++] ?? null) : null));
  };
  tell("recomputeGrad", grad, operands, values);
  return { values, template: made.template };
}
