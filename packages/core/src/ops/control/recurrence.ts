// A recurrence along an axis, as decompositions write it: unrolled where the number of steps is known, else a scan.
import type { Aval, Val } from "../../ir/aval.js";
import type { Dim } from "../../ir/dim.js";
import { buildRegion } from "../../ir/make-ops.js";
import { axesFirst, transposed } from "../index/rows.js";
import type { Ops } from "../names.js";
import { axesOf, inversePerm, zerosOf } from "../rules.js";

/** What goes through a recurrence. */
export interface Recurrence {
  /** Each step reads its own part of these along `axis`, which the part lacks. */
  readonly each: readonly Val[];
  /** Every step reads these whole. */
  readonly all: readonly Val[];
  readonly axis: number;
  /** Whether the last part comes first. */
  readonly reverse: boolean;
  /** What the first step starts from; without it, from zeros of `states`. */
  readonly start: readonly Val[] | undefined;
  readonly states: readonly Aval[];
  /** What the results of all steps make together: each stands at the place of its step along `axis`. */
  readonly outs: readonly Aval[];
}

/** A state and results. */
export interface StateAndOuts {
  readonly state: readonly Val[];
  readonly outs: readonly Val[];
}

/** State and parts in, state and results out. Without a state it is a first step that starts from zeros. */
export type Step = (
  b: Ops,
  state: readonly Val[] | undefined,
  each: readonly Val[],
  all: readonly Val[],
) => StateAndOuts;

/** The state after the last step, and the results of all. */
export function recur(b: Ops, recurrence: Recurrence, step: Step): StateAndOuts {
  const { each, axis, start, states, outs } = recurrence;
  const steps = each[0]!.aval.shape[axis]!;
  if (steps === 0) return { state: start ?? zeros(b, states), outs: zeros(b, outs) };
  return typeof steps === "number" ? unrolled(b, recurrence, steps, step) : scanned(b, recurrence, steps, step);
}

const zeros = (b: Ops, avals: readonly Aval[]): Val[] => avals.map((aval) => zerosOf(b, aval));

/** A shape with another size along `axis`. */
const resized = (shape: readonly Dim[], axis: number, size: Dim): Dim[] => shape.map((d, a) => (a === axis ? size : d));
const without = (shape: readonly Dim[], axis: number): Dim[] => shape.filter((_, a) => a !== axis);

/** The part at place `i` of `axis`. */
function part(b: Ops, x: Val, axis: number, i: number): Val {
  const { shape } = x.aval;
  const start = resized(
    shape.map(() => 0),
    axis,
    i,
  );
  const slice = b.slice([x], { start, limit: resized(shape, axis, i + 1), strides: shape.map(() => 1) });
  return b.reshape([slice], { shape: without(shape, axis) });
}

function unrolled(b: Ops, recurrence: Recurrence, steps: number, step: Step): StateAndOuts {
  const { each, all, axis, reverse, outs } = recurrence;
  const parts = axesOf(steps).map((i) => each.map((x) => part(b, x, axis, i)));
  const made: StateAndOuts[] = [];
  for (const own of reverse ? parts.reverse() : parts)
    made.push(step(b, made.at(-1)?.state ?? recurrence.start, own, all));
  const { state } = made.at(-1)!;
  if (reverse) made.reverse();
  const whole = outs.map((aval, k) => {
    const rows = made.map((one) => b.reshape([one.outs[k]!], { shape: resized(aval.shape, axis, 1) }));
    return rows.length === 1 ? rows[0]! : b.concat(rows, { axis });
  });
  return { state, outs: whole };
}

function scanned(b: Ops, recurrence: Recurrence, length: Dim, step: Step): StateAndOuts {
  const { each, all, axis, reverse, outs } = recurrence;
  const start = recurrence.start ?? zeros(b, recurrence.states);
  const rows = each.map((x) => transposed(b, x, axesFirst(x.aval.shape.length, [axis])));
  const rowAvals = rows.map(({ aval }): Aval => ({ dtype: aval.dtype, shape: aval.shape.slice(1) }));
  const [states, others] = [start, all].map((vals) => vals.map((x) => x.aval));
  const body = buildRegion([...states!, ...rowAvals, ...others!], (r, params) => {
    const [state, own] = [params.slice(0, start.length), params.slice(start.length)];
    const made = step(r, state, own.slice(0, rows.length), own.slice(rows.length));
    return [...made.state, ...made.outs];
  });
  const attrs = { carried: start.length, scanned: rows.length, length, reverse };
  const found = b.scan([...start, ...rows, ...all], attrs, [body]);
  const back = (x: Val): Val => transposed(b, x, inversePerm(axesFirst(x.aval.shape.length, [axis])));
  return { state: found.slice(0, start.length), outs: found.slice(start.length, start.length + outs.length).map(back) };
}
