// What recurrences share. Sequences are [..., batch, time, size]: axes before the batch are groups with weights of their own.
import { avalOf } from "../../ir/apply.js";
import { type Aval, formatAval, formatShape, sameShape, type Val } from "../../ir/aval.js";
import { addDim, type Dim, minDim, mulDim, subDim } from "../../ir/dim.js";
import { check, checkDType } from "../../ir/op.js";
import type { Like } from "../../types/operands.js";
import type { Tensor } from "../../types/tensor.js";
import { add } from "../binary/arithmetic.js";
import { matMul } from "../contract/mat-mul.js";
import { floats } from "../elementwise.js";
import type { Ops } from "../names.js";
import { castTo, toFloat, toTensor } from "../public.js";
import { axesOf, fillLike, zerosOf } from "../rules.js";

/** Whether the last step comes first; its results stand at its own place all the same. */
export type RecurrentAttrs = { readonly reverse: boolean };

/** Of which results of the recurrence there are cotangents, in the order of the operands that hold them. */
export type RecurrentGradAttrs = RecurrentAttrs & { readonly outputs: readonly number[] };

/** x [batch, time, features] · kernel + bias: what comes from the input, one product for all steps. */
export function projected(name: string, x: Like, kernel: Like, bias: Like | undefined): Tensor {
  const t = toFloat(x);
  const { shape } = avalOf(t);
  check(`${name}.C2`, shape.length === 3, () => `needs an input [batch, time, features], got ${formatShape(shape)}`);
  const sums: Tensor = matMul(t, castTo(toTensor(kernel, t.dtype), t.dtype));
  return bias === undefined ? sums : add(sums, castTo(toTensor(bias, t.dtype), t.dtype));
}

/** The shapes of a recurrence. */
export interface RecurrentAvals {
  readonly units: Dim;
  /** [..., units, gates · units] */
  readonly kernel: Aval;
  /** [..., batch, time, gates · units], [..., batch, time, units] */
  readonly gates: Aval;
  readonly sequence: Aval;
  /** [..., batch, units] */
  readonly state: Aval;
}

/** The shapes that belong to those of a sequence, of which the last size does not count, and of a recurrent kernel. */
export function recurrentAvals({ dtype, shape }: Aval, kernel: Aval, gates: number): RecurrentAvals {
  const units = kernel.shape[kernel.shape.length - 2]!;
  const columns = mulDim(gates, units);
  const lead = shape.slice(0, -1);
  return {
    units,
    kernel: { dtype, shape: [...kernel.shape.slice(0, -1), columns] },
    gates: { dtype, shape: [...lead, columns] },
    sequence: { dtype, shape: [...lead, units] },
    state: { dtype, shape: [...lead.slice(0, -1), units] },
  };
}

/** Holds that a sequence [..., batch, time, n] and a recurrent kernel [..., units, gates · units] fit. */
export function inferRecurrent(name: string, x: Aval, kernel: Aval, gates: number): RecurrentAvals {
  const { dtype, shape } = x;
  checkDType(`${name}.C1`, floats.has(dtype), () => `needs ${floats.words}, got ${dtype}`);
  const rank = shape.length;
  const both = (): string => `${formatAval(x)} and ${formatAval(kernel)}`;
  check(
    `${name}.C2`,
    rank >= 3 && kernel.shape.length === rank - 1,
    () => `needs [batch, time, size] and [units, ${gates} · units], got ${both()}`,
  );
  const avals = recurrentAvals(x, kernel, gates);
  checkAvals(`${name}.C3`, [kernel], [avals.kernel]);
  const lead = sameShape(kernel.shape.slice(0, -2), shape.slice(0, -3));
  check(`${name}.C3`, lead, () => `the axes before the batch and those of the kernel differ: ${both()}`);
  return avals;
}

/** Holds that operands have these avals. */
export function checkAvals(label: string, got: readonly Aval[], wants: readonly Aval[]): void {
  got.forEach((aval, i) => {
    const want = wants[i]!;
    const differ = (): string => `needs ${formatAval(want)}, got ${formatAval(aval)}`;
    checkDType(label, aval.dtype === want.dtype, differ);
    check(label, sameShape(aval.shape, want.shape), differ);
  });
}

/** `x` with sizes as `aval` writes them: 4 · units, where another symbol is known to equal that. */
export function written(b: Ops, x: Val, { shape }: Aval): Val {
  return formatShape(x.aval.shape) === formatShape(shape) ? x : b.reshape([x], { shape });
}

/** The parts of the last axis, `size` elements each. */
export function partsOf(b: Ops, x: Val, size: Dim, count: number): Val[] {
  const lead = x.aval.shape.slice(0, -1);
  const zero = lead.map(() => 0);
  const strides = x.aval.shape.map(() => 1);
  return axesOf(count).map((k) =>
    b.slice([x], { start: [...zero, mulDim(k, size)], limit: [...lead, mulDim(k + 1, size)], strides }),
  );
}

/** Parts as one last axis. */
export function joined(b: Ops, parts: readonly Val[]): Val {
  return b.concat(parts, { axis: parts[0]!.aval.shape.length - 1 });
}

/** state [..., batch, n] · kernel [..., n, m], or of the transposed kernel [..., m, n]. */
export function product(b: Ops, state: Val, kernel: Val, transposed = false): Val {
  const last = state.aval.shape.length - 1;
  const lead = axesOf(last - 1);
  const rhsContract = [transposed ? last : last - 1];
  return b.dotGeneral([state, kernel], { lhsBatch: lead, rhsBatch: lead, lhsContract: [last], rhsContract });
}

/** The steps from `first` to `limit` of a sequence. */
function steps(b: Ops, x: Val, first: Dim, limit: Dim): Val {
  const { shape } = x.aval;
  const axis = shape.length - 2;
  const at = (lead: readonly Dim[], step: Dim, last: Dim): Dim[] => [...lead, step, last];
  const lead = shape.slice(0, axis);
  const start = at(
    lead.map(() => 0),
    first,
    0,
  );
  return b.slice([x], { start, limit: at(lead, limit, shape[axis + 1]!), strides: shape.map(() => 1) });
}

/** What each step found: a sequence of states moved by a step, `initial` (zeros where there is none) at the first. */
export function before(b: Ops, sequence: Val, initial: Val | undefined, reverse: boolean): Val {
  const { dtype, shape } = sequence.aval;
  const axis = shape.length - 2;
  const row: Aval = { dtype, shape: [...shape.slice(0, axis), 1, shape[axis + 1]!] };
  const first = initial ? b.reshape([initial], { shape: row.shape }) : zerosOf(b, row);
  const time = shape[axis]!;
  return reverse
    ? steps(b, b.concat([sequence, first], { axis }), 1, addDim(time, 1))
    : steps(b, b.concat([first, sequence], { axis }), 0, time);
}

/** Σ over batch and steps of (the state that a step found)ᵀ · (the cotangent of its sums). Without `initial` the first found none. */
export function kernelCotangent(b: Ops, states: Val, sums: Val, initial: Val | undefined, reverse: boolean): Val {
  let [found, g] = [states, sums];
  const rank = states.aval.shape.length;
  const time = states.aval.shape[rank - 2]!;
  if (initial) found = before(b, states, initial, reverse);
  else {
    const one = minDim(time, 1);
    const [early, late] = [(x: Val) => steps(b, x, 0, subDim(time, one)), (x: Val) => steps(b, x, one, time)];
    [found, g] = reverse ? [late(states), early(sums)] : [early(states), late(sums)];
  }
  const [lead, contract] = [axesOf(rank - 3), [rank - 3, rank - 2]];
  return b.dotGeneral([found, g], { lhsBatch: lead, rhsBatch: lead, lhsContract: contract, rhsContract: contract });
}

/** y · (1 − y) and 1 − y²: the derivatives of logistic and tanh by their results. */
export const logisticSlope = (b: Ops, y: Val): Val => b.mul([y, b.sub([fillLike(b, y, 1), y])]);
export const tanhSlope = (b: Ops, y: Val): Val => b.sub([fillLike(b, y, 1), b.mul([y, y])]);

/** Σ, of those that are there. */
export function sumOf(b: Ops, first: Val, ...rest: readonly (Val | undefined)[]): Val {
  return rest.reduce<Val>((sum, x) => (x ? b.add([sum, x]) : sum), first);
}
