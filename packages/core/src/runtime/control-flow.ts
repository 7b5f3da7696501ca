// tf.cond and tf.whileLoop: in eager code plain JavaScript, in a trace ops with regions.

import { avalOf } from "../ir/apply.js";
import { noAttrs } from "../ir/attrs.js";
import { formatAval, type Val } from "../ir/aval.js";
import { check, checkAttr, checkDType } from "../ir/op.js";
import { equal } from "../ops/compare/order.js";
import { condOp } from "../ops/control/cond.js";
import { whileLoopOp } from "../ops/control/while-loop.js";
import { toTensor } from "../ops/public.js";
import type { Trace } from "../trace/trace.js";
import { MillraceError } from "../types/errors.js";
import type { Like } from "../types/operands.js";
import { withDefaults } from "../types/options.js";
import type { Tensor } from "../types/tensor.js";
import { engine } from "./engine.js";
import { assignedIn, asTensors, finish, outersOf, settle, traceRegion } from "./regions.js";
import { buildStructure, flattenStructure, refusePromise, sameTemplate } from "./structure.js";
import type { TensorImpl } from "./tensor.js";
import { TensorArray } from "./tensor-array.js";

/**
 * `onTrue()` where the scalar `pred` is true, else `onFalse()`. In tf.function both are traced, and one runs.
 * Both must return the same structure, shapes and dtypes.
 * @example tf.cond(tf.scalar(true), () => tf.scalar(1), () => tf.scalar(2)) // 1
 */
export function cond<R>(pred: Like, onTrue: () => R, onFalse: () => R): R {
  const test = toTensor(pred);
  const parent = engine.trace;
  if (!parent) {
    needCondition("cond", "the condition must be", test);
    const value = test.itemSync() ? onTrue() : onFalse();
    refusePromise("tf.cond", value);
    return value;
  }
  const regions = [traceRegion(parent, "tf.cond", [], onTrue), traceRegion(parent, "tf.cond", [], onFalse)] as const;
  const [yes, no] = regions;
  if (!sameTemplate(yes.template, no.template)) {
    throw new MillraceError("E_ARGUMENT", "tf.cond: both branches must return the same structure", { op: "cond" });
  }
  const assigned = [...new Set(regions.flatMap(assignedIn))];
  const finals = regions.map((r) => [...r.results, ...assigned.map((v) => engine.inTrace(r.trace, v).value)]);
  const outers = outersOf(regions);
  const graphs = regions.map((r, i) => finish(r, outers, finals[i]!));
  const outs = engine.apply(condOp, [test, ...asTensors(outers)], noAttrs, graphs);
  settle(parent, assigned, outs.slice(yes.results.length));
  // boundary: the structure that the branches returned, around this op's outputs
  return buildStructure(yes.template, outs) as R;
}

/**
 * The branch whose number `index` is: `branches[index]()`, or the last one where there is none of that number. In tf.function all
 * are traced, and one runs. All must return the same structure, shapes and dtypes.
 * @param index an int32 scalar
 * @example tf.switchCase(tf.scalar(1, "int32"), [() => tf.scalar(10), () => tf.scalar(20)]) // 20
 */
export function switchCase<R>(index: Like, branches: readonly (() => R)[]): R {
  const which = toTensor(index, "int32");
  const { dtype, shape } = avalOf(which);
  checkDType("switchCase.C1", dtype === "int32", () => `the index must be int32, got ${dtype}`);
  check("switchCase.C2", shape.length === 0, () => `the index must be a scalar, got ${formatAval({ dtype, shape })}`);
  checkAttr("switchCase.C3", branches.length > 0, () => "needs a branch");
  const from = (i: number): R => {
    const branch = branches[i]!;
    return i + 1 === branches.length ? branch() : cond(equal(which, toTensor(i, "int32")), branch, () => from(i + 1));
  };
  return from(0);
}

/** In eager code the rule that the ops hold in a trace. */
function needCondition(op: "cond" | "whileLoop", what: string, test: Tensor): void {
  const aval = avalOf(test);
  checkDType(`${op}.C${op === "cond" ? 1 : 2}`, aval.dtype === "bool", () => `${what} bool, got ${aval.dtype}`);
  check(`${op}.C2`, aval.shape.length === 0, () => `${what} a scalar, got ${formatAval(aval)}`);
}

/** What the body of a loop returned. */
function needVars(made: unknown, count: number): readonly Tensor[] {
  refusePromise("tf.whileLoop", made);
  const got = Array.isArray(made) ? made.length : "no list";
  checkAttr(
    "whileLoop.C3",
    got === count,
    () => `the body must return a list of the ${count} loop variables, got ${got}`,
  );
  // boundary: what it says is a list, of whatever the body made
  return made as readonly Tensor[];
}

/** How a loop runs. */
export interface WhileOptions {
  /**
   * The loop ends after so many trips at the latest. Gradients keep the state of each trip: in so many places, made at once, or
   * without this in as many as there are trips, on the CPU backend; others compute it anew, in n²/2 steps for n trips.
   */
  readonly maximumIterations?: number;
}

/** What a loop's functions are given, and what it gives, for what it starts from. */
export type LoopVars<V extends readonly (Like | TensorArray)[]> = {
  -readonly [K in keyof V]: V[K] extends TensorArray ? TensorArray : Tensor;
};

/**
 * While `condition(...vars)` is true, `vars` become what `body(...vars)` returns. In tf.function it is one op.
 * @param loopVars tensors, and TensorArrays
 * @returns the final loop variables
 * @example tf.whileLoop((i) => tf.less(i, 3), (i) => [tf.add(i, 1)], [tf.scalar(0)])[0] // 3
 */
export function whileLoop<const V extends readonly (Like | TensorArray)[]>(
  condition: (...vars: LoopVars<V>) => Tensor,
  body: (...vars: LoopVars<V>) => readonly (Tensor | TensorArray)[],
  loopVars: V,
  options: WhileOptions = {},
): LoopVars<V> {
  const given = loopVars.map((x) => (x instanceof TensorArray ? x : toTensor(x)));
  // boundary: eager code gives the functions what the loop carries as it is
  if (!engine.trace) return loop(condition as LoopTest, body as LoopBody, given as Tensor[], options) as LoopVars<V>;
  const leaves: TensorImpl[] = [];
  const template = flattenStructure(given, leaves);
  // boundary: the template was made from the loop variables
  const build = (vars: readonly Tensor[]): LoopVars<V> => buildStructure(template, vars) as LoopVars<V>;
  const after = (...vars: Tensor[]): readonly Tensor[] => {
    const made = needVars(body(...build(vars)), given.length);
    const found: TensorImpl[] = [];
    const structure = flattenStructure(
      made.map((x, i) => (given[i] instanceof TensorArray || x instanceof TensorArray ? x : toTensor(x))),
      found,
    );
    checkAttr("whileLoop.C3", sameTemplate(template, structure), () => "the body must return what it is given");
    // boundary: every TensorImpl is a Tensor once the op methods are installed
    return found as readonly TensorImpl[] as readonly (TensorImpl & Tensor)[];
  };
  // boundary: as in after
  const start = leaves as readonly TensorImpl[] as readonly (TensorImpl & Tensor)[];
  return build(loop((...vars) => condition(...build(vars)), after, start, options));
}

type LoopTest = (...vars: Tensor[]) => Tensor;
type LoopBody = (...vars: Tensor[]) => readonly Tensor[];

/** A loop over tensors; in eager code over anything. */
function loop(condition: LoopTest, body: LoopBody, vars: readonly Tensor[], options: WhileOptions): Tensor[] {
  // boundary: every Tensor is a TensorImpl
  const start = vars as readonly (TensorImpl & Tensor)[];
  const { maximumIterations: most } = withDefaults("whileLoop", options, { maximumIterations: undefined });
  checkAttr(
    "whileLoop.C4",
    most === undefined || (Number.isSafeInteger(most) && most >= 0),
    () => `maximumIterations must be a whole number from 0, got ${String(most)}`,
  );
  if (!engine.trace) return runEagerly(condition, body, start, most ?? Number.POSITIVE_INFINITY);
  if (most === 0) return start.map((x) => engine.clone(x));
  return most === undefined
    ? tracedLoop(engine.trace, condition, body, start, 0)
    : boundedLoop(engine.trace, condition, body, start, most);
}

function runEagerly(
  condition: (...vars: Tensor[]) => Tensor,
  body: (...vars: Tensor[]) => readonly Tensor[],
  start: readonly Tensor[],
  most: number,
): Tensor[] {
  let vars: readonly Tensor[] = start;
  const goesOn = (): unknown => {
    const test = toTensor(condition(...vars));
    needCondition("whileLoop", "the condition must give", test);
    return test.itemSync();
  };
  for (let trip = 0; trip < most && goesOn(); trip++) vars = needVars(body(...vars), start.length);
  return [...vars];
}

/** A loop with a bound counts its trips in one more loop variable. */
function boundedLoop(
  trace: Trace,
  condition: (...vars: Tensor[]) => Tensor,
  body: (...vars: Tensor[]) => readonly Tensor[],
  start: readonly (TensorImpl & Tensor)[],
  most: number,
): Tensor[] {
  const zero = engine.toTensor(0, "int32");
  const counted = tracedLoop(
    trace,
    (i, ...vars) => i!.less(most).logicalAnd(condition(...vars)),
    (i, ...vars) => [i!.add(1), ...needVars(body(...vars), vars.length)],
    [zero, ...start],
    most,
  );
  return counted.slice(1);
}

function tracedLoop(
  parent: Trace,
  condition: (...vars: Tensor[]) => Tensor,
  body: (...vars: Tensor[]) => readonly Tensor[],
  start: readonly TensorImpl[],
  maximumIterations: number,
): Tensor[] {
  const carry = start.map((x) => engine.inTrace(parent, x));
  const f = condition as (...xs: readonly unknown[]) => unknown;
  const g = (...xs: readonly unknown[]): unknown => needVars((body as typeof f)(...xs), carry.length);
  const avals = carry.map((x) => x.aval);
  const test = traceRegion(parent, "tf.whileLoop", avals, f);
  const step = traceRegion(parent, "tf.whileLoop", avals, g);
  const assigned = assignedIn(step);
  if (assignedIn(test).length > 0)
    throw new MillraceError("E_VARIABLE", "tf.whileLoop: the condition must not assign variables");
  // A variable that the body assigns is carried: its value before the loop is an operand, its value after a result.
  const before = assigned.map((v) => engine.inTrace(parent, v));
  const finals = [...step.results, ...assigned.map((v) => engine.inTrace(step.trace, v).value)];
  const outers = [...new Set<Val>([...before, ...outersOf([test, step])])];
  const graphs = [finish(test, outers, test.results), finish(step, outers, finals)];
  const attrs = { carried: carry.length + assigned.length, maximumIterations };
  const outs = engine.apply(whileLoopOp, [...asTensors(carry), ...asTensors(outers)], attrs, graphs);
  settle(parent, assigned, outs.slice(carry.length));
  return [...outs.slice(0, carry.length)];
}
