// tf.scan and its kin: in eager code plain JavaScript, in a trace one op with a region.

import { formatShape, type Val } from "../ir/aval.js";
import { eqDim } from "../ir/dim.js";
import { scanOp } from "../ops/control/scan.js";
import { gather } from "../ops/index/gather.js";
import { toTensor } from "../ops/public.js";
import { stack } from "../ops/shape/concat.js";
import type { Trace } from "../trace/trace.js";
import { MillraceError } from "../types/errors.js";
import { withDefaults } from "../types/options.js";
import type { Tensor } from "../types/tensor.js";
import { engine } from "./engine.js";
import { assignedIn, asTensors, outersOf, settle, traceRegion } from "./regions.js";
import {
  buildStructure,
  flattenStructure,
  needFunction,
  refusePromise,
  sameTemplate,
  type Template,
} from "./structure.js";
import type { TensorImpl } from "./tensor.js";

/** A tensor, or a list or record of them. */
export type Nested = Tensor | readonly Nested[] | { readonly [key: string]: Nested };

/** In which order rows are taken. */
export interface ScanOptions {
  /** Whether the last row comes first; false unless said. */
  readonly reverse?: boolean;
}

/** What one step takes and gives: the state, and a row of each result. */
type Step = (state: readonly Tensor[], row: readonly Tensor[]) => { state: readonly Tensor[]; made: readonly Tensor[] };

type Leaf = TensorImpl & Tensor;

/** The tensors of a structure. */
function leavesOf(structure: unknown): { template: Template; leaves: readonly Leaf[] } {
  const leaves: TensorImpl[] = [];
  const template = flattenStructure(structure, leaves);
  // boundary: every TensorImpl is a Tensor once the op methods are installed
  return { template, leaves: leaves as Leaf[] };
}

/** Runs steps over rows: the last state, and the stacked results. */
function overRows(
  what: string,
  step: Step,
  state: readonly Leaf[],
  rows: readonly Leaf[],
  reverse: boolean,
): { state: readonly Tensor[]; made: readonly Tensor[] } {
  const [first] = rows;
  const length = first?.aval.shape[0];
  if (length === undefined)
    throw new MillraceError("E_SHAPE", `${what}: a scalar has no rows to go over`, { op: what });
  const odd = rows.find((x) => x.aval.shape[0] === undefined || eqDim(x.aval.shape[0], length) === false);
  if (odd) {
    const shapes = rows.map((x) => formatShape(x.aval.shape)).join(", ");
    throw new MillraceError("E_SHAPE", `${what}: all must have as many rows, got ${shapes}`, { op: what });
  }
  if (engine.trace) return inTrace(engine.trace, what, step, state, rows, reverse);
  return eagerly(what, step, state, rows, Number(length), reverse);
}

function eagerly(
  what: string,
  step: Step,
  start: readonly Tensor[],
  rows: readonly Tensor[],
  length: number,
  reverse: boolean,
): { state: readonly Tensor[]; made: readonly Tensor[] } {
  if (length === 0)
    throw new MillraceError("E_SHAPE", `${what}: there are no rows, so no step says what is made`, { op: what });
  let state = start;
  const steps: (readonly Tensor[])[] = [];
  for (let n = 0; n < length; n++) {
    const i = reverse ? length - 1 - n : n;
    const given = state;
    const next = step(
      given,
      rows.map((x) => gather(x, toTensor(i, "int32"))),
    );
    checkState(what, given, next.state);
    state = next.state;
    steps.push(next.made);
  }
  if (reverse) steps.reverse();
  return { state, made: steps[0]!.map((_, k) => stack(steps.map((made) => made[k]!))) };
}

/** A state keeps its shapes and dtypes, in eager code as in a trace. */
function checkState(what: string, given: readonly Tensor[], next: readonly Tensor[]): void {
  const text = (x: Tensor): string => `${x.dtype}[${x.shape}]`;
  const at = given.findIndex((x, i) => next[i] === undefined || text(x) !== text(next[i]));
  if (at < 0 && given.length === next.length) return;
  const [had, has] = [given, next].map((list) => list.map(text).join(", "));
  throw new MillraceError("E_SHAPE", `${what}: a step must return the state as it is given: ${had}, got ${has}`, {
    op: what,
  });
}

function inTrace(
  parent: Trace,
  what: string,
  step: Step,
  state: readonly Leaf[],
  rows: readonly Leaf[],
  reverse: boolean,
): { state: readonly Tensor[]; made: readonly Tensor[] } {
  const operands = [...state, ...rows].map((x) => engine.inTrace(parent, x));
  // A region's rows have no leading axis: their avals are those of one step.
  const avals = operands.map((x, i) => {
    const { dtype, shape } = x.aval;
    return i < state.length ? x.aval : { dtype, shape: shape.slice(1) };
  });
  const region = traceRegion(parent, what, avals, (...xs) => {
    // boundary: tracers have the op methods
    const all = xs as unknown as readonly Tensor[];
    const next = step(all.slice(0, state.length), all.slice(state.length));
    return [...next.state, ...next.made];
  });
  const assigned = assignedIn(region);
  const before = assigned.map((v) => engine.inTrace(parent, v));
  const finals = assigned.map((v) => engine.inTrace(region.trace, v).value);
  const results = [...region.results];
  const made = results.splice(state.length);
  const outers = outersOf([region]).filter((x) => !before.some((v) => v === x));
  // The region's parameters: the state, the assigned variables, the rows, what it uses from outside.
  const params = [
    ...region.args.slice(0, state.length),
    ...before.map((v: Val) => region.trace.capture(v)),
    ...region.args.slice(state.length),
    ...outers.map((x) => region.trace.capture(x)),
  ];
  const graph = region.trace.finish([...results, ...finals, ...made], params);
  const carried = state.length + assigned.length;
  const attrs = { carried, scanned: rows.length, length: rows[0]!.aval.shape[0]!, reverse };
  const all = [...operands.slice(0, state.length), ...before, ...operands.slice(state.length), ...asTensors(outers)];
  const outs = engine.apply(scanOp, all as readonly Leaf[], attrs, [graph]);
  settle(parent, assigned, outs.slice(state.length, carried));
  return { state: outs.slice(0, state.length), made: outs.slice(carried) };
}

/** Holds that a step gives the structure of the state. */
function sameStructure(what: string, template: Template, given: unknown): readonly Leaf[] {
  refusePromise(what, given);
  const { template: got, leaves } = leavesOf(given);
  if (sameTemplate(template, got)) return leaves;
  throw new MillraceError("E_ARGUMENT", `${what}: the function must return the structure of the initial value`, {
    op: what,
  });
}

function fold<S extends Nested, E extends Nested>(
  what: string,
  f: (state: S, row: E) => S,
  elems: E,
  initializer: S,
  reverse: boolean,
  keep: boolean,
): { state: S; made: S } {
  needFunction(what, f);
  const [start, rows] = [leavesOf(initializer), leavesOf(elems)];
  const step: Step = (state, row) => {
    // boundary: the templates were made from these structures
    const next = f(buildStructure(start.template, state) as S, buildStructure(rows.template, row) as E);
    const leaves = sameStructure(what, start.template, next);
    return { state: leaves, made: keep ? leaves : [] };
  };
  const found = overRows(what, step, start.leaves, rows.leaves, reverse);
  // boundary: as above
  const build = (leaves: readonly Tensor[]): S => buildStructure(start.template, leaves) as S;
  return { state: build(found.state), made: keep ? build(found.made) : build(found.state) };
}

/**
 * The states of a fold over the rows of `elems`, stacked: s₀ = f(initializer, row 0), s₁ = f(s₀, row 1) … In tf.function it is one
 * op, whatever the number of rows; gradients go through, and keep one state a row.
 * @param f from the state and a row (a tensor, or a list or record of tensors) to the next state, of the same shapes
 * @param elems what is gone over; all leading sizes are equal
 * @throws E_SHAPE where leading sizes or the shapes of states differ
 * @example tf.scan((sum, x) => tf.add(sum, x), tf.tensor([1, 2, 3]), tf.scalar(0)) // [1, 3, 6]
 */
export function scan<S extends Nested, E extends Nested>(
  f: (state: S, row: E) => S,
  elems: E,
  initializer: S,
  options: ScanOptions = {},
): S {
  const { reverse } = withDefaults("scan", options, { reverse: false });
  return fold("scan", f, elems, initializer, reverse, true).made;
}

/**
 * The last state of `scan`: f(… f(f(initializer, row 0), row 1) …).
 * @example tf.foldl((sum, x) => tf.add(sum, x), tf.tensor([1, 2, 3]), tf.scalar(0)) // 6
 */
export function foldl<S extends Nested, E extends Nested>(f: (state: S, row: E) => S, elems: E, initializer: S): S {
  return fold("foldl", f, elems, initializer, false, false).state;
}

/**
 * `foldl` from the last row to the first.
 * @example tf.foldr((sum, x) => tf.sub(x, sum), tf.tensor([1, 2, 3]), tf.scalar(0)) // 2
 */
export function foldr<S extends Nested, E extends Nested>(f: (state: S, row: E) => S, elems: E, initializer: S): S {
  return fold("foldr", f, elems, initializer, true, false).state;
}

/**
 * `f` of each row of `elems`, one after the other, stacked. `tf.vectorizedMap` computes all rows at once, which is faster where every op
 * of `f` has a batched form.
 * @example tf.mapFn((x) => tf.mul(x, x), tf.tensor([1, 2, 3])) // [1, 4, 9]
 */
export function mapFn<E extends Nested, R>(f: (row: E) => R, elems: E): R {
  needFunction("mapFn", f);
  const rows = leavesOf(elems);
  let template: Template | undefined;
  const step: Step = (_state, row) => {
    // boundary: the template was made from the elements
    const value = f(buildStructure(rows.template, row) as E);
    refusePromise("mapFn", value);
    const made = leavesOf(value);
    if (template && !sameTemplate(template, made.template))
      throw new MillraceError("E_ARGUMENT", "mapFn: the function must return the same structure for every row");
    template = made.template;
    return { state: [], made: made.leaves };
  };
  const { made } = overRows("mapFn", step, [], rows.leaves, false);
  // boundary: the structure that the function returned
  return buildStructure(template!, made) as R;
}
