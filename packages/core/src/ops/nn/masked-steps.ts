// Steps of a sequence that a mask leaves out: a recurrence runs over the others, moved together, and each step gets the
// state of the last one that counted.
import { dispatch } from "../../ir/apply.js";
import { type Aval, formatAval, type Val } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { addDim, eqDim, mulDim } from "../../ir/dim.js";
import { type Composite, check, checkDType, defineComposite } from "../../ir/op.js";
import type { Like } from "../../types/operands.js";
import type { Tensor } from "../../types/tensor.js";
import { floats } from "../elementwise.js";
import { dimensionOf, rowIndices } from "../index/rows.js";
import type { Ops } from "../names.js";
import { castTo, toTensor } from "../public.js";
import { fillLike, scalarOf, stretch, zerosOf } from "../rules.js";
import type { RecurrentAttrs } from "./recurrent.js";

function checkMask(name: string, sequence: Aval, mask: Aval): void {
  const both = (): string => `${formatAval(sequence)} and ${formatAval(mask)}`;
  const fitting = floats.has(sequence.dtype) && mask.dtype === "bool";
  checkDType(`${name}.C1`, fitting, () => `needs ${floats.words} and a mask of bool, got ${both()}`);
  check(`${name}.C2`, sequence.shape.length === 3 && mask.shape.length === 2, () => {
    return `needs [batch, time, size] and a mask [batch, time], got ${both()}`;
  });
  const fits = mask.shape.every((size, axis) => eqDim(size, sequence.shape[axis]!));
  check(`${name}.C2`, fits, () => `sequence and mask differ in batch or time: ${both()}`);
}

/** How many steps up to each one count, itself included. */
const counted = (b: Ops, mask: Val, reverse: boolean): Val =>
  b.cumsum([b.cast([mask], { dtype: "int32" })], { axis: 1, reverse, exclusive: false });

/** The place of a step by how many counted before it and with it: from the end where the last comes first. */
function placeOf(b: Ops, count: Val, time: Val, reverse: boolean): Val {
  const whole = (x: Val): Val => stretch(b, x, count.aval.shape, []);
  return reverse ? b.sub([whole(time), count]) : b.sub([count, whole(scalarOf(b, "int32", 1))]);
}

/** [n, m, size] → [n · m, size] */
function rowsOf(b: Ops, x: Val): Val {
  const [n, m, size] = x.aval.shape;
  return b.reshape([x], { shape: [mulDim(n!, m!), size!] });
}

/** The steps of x [batch, time, size] where the mask is true, moved together to the first ones (the last if reversed); the rest is 0. */
export const packStepsOp: Composite<"packSteps", RecurrentAttrs> = defineComposite({
  name: "packSteps",
  version: 1,
  arity: 2,
  infer([x, mask]) {
    checkMask("packSteps", x!, mask!);
    return [x!];
  },
  lower(b, [x, mask], { reverse }) {
    const time = x!.aval.shape[1]!;
    const place = placeOf(b, counted(b, mask!, reverse), dimensionOf(b, time, "int32"), reverse);
    const to = rowIndices(b, b.select([mask!, place, fillLike(b, place, -1)]), time);
    const rows = rowsOf(b, zerosOf(b, x!.aval));
    return [b.reshape([b.scatterAdd([rows, to, x!], { axis: 0 })], { shape: x!.aval.shape })];
  },
  vjp: "lower",
  batch: "lower",
});
export const packStepsCases: Cases<RecurrentAttrs> = cases(packStepsOp, () => ({
  samples: [false, true].flatMap((reverse) => [
    {
      ins: [
        [2, 3, 2],
        [2, 3],
      ],
      dtypes: ["*", "bool"],
      attrs: { reverse },
    },
    {
      ins: [
        [1, 17, 1],
        [1, 17],
      ],
      dtypes: ["*", "bool"],
      attrs: { reverse },
    },
    {
      ins: [
        [2, 0, 2],
        [2, 0],
      ],
      dtypes: ["*", "bool"],
      attrs: { reverse },
    },
    {
      ins: [
        [0, 2, 1],
        [0, 2],
      ],
      dtypes: ["*", "bool"],
      attrs: { reverse },
    },
  ]),
  edges: [
    {
      ins: [[[[1], [NaN], [3]]], [[1, 0, 1]]],
      dtypes: ["float32", "bool"],
      attrs: { reverse: false },
      want: [[[1], [3], [0]]],
    },
    {
      ins: [[[[1], [NaN], [3]]], [[1, 0, 1]]],
      dtypes: ["float32", "bool"],
      attrs: { reverse: true },
      want: [[[0], [1], [3]]],
    },
  ],
  reject: [
    {
      ins: [
        [1, 2, 3],
        [1, 2],
      ],
      dtypes: ["float32", "int32"],
      attrs: { reverse: false },
      code: "packSteps.C1",
    },
    {
      ins: [
        [1, 2],
        [1, 2],
      ],
      dtypes: ["float32", "bool"],
      attrs: { reverse: false },
      code: "packSteps.C2",
    },
    {
      ins: [
        [1, 2, 3],
        [1, 3],
      ],
      dtypes: ["float32", "bool"],
      attrs: { reverse: false },
      code: "packSteps.C2",
    },
  ],
}));

/**
 * What packed steps found, at the places of the steps: [batch, time, size]; where none counted before it is the state to start
 * from, else 0. And what the last step found, [batch, size]. Operands: the results of packed steps, the mask, that state.
 */
export const unpackStepsOp: Composite<"unpackSteps", RecurrentAttrs, "many"> = defineComposite({
  name: "unpackSteps",
  version: 1,
  arity: [2, 3],
  many: true,
  infer([sequence, mask, initial]) {
    checkMask("unpackSteps", sequence!, mask!);
    const { dtype, shape } = sequence!;
    const state: Aval = { dtype, shape: [shape[0]!, shape[2]!] };
    const fits =
      !initial || (initial.shape.length === 2 && initial.shape.every((size, i) => eqDim(size, state.shape[i]!)));
    check("unpackSteps.C3", fits, () => `needs a state ${formatAval(state)}, got ${formatAval(initial!)}`);
    checkDType("unpackSteps.C3", !initial || initial.dtype === dtype, () => `needs ${dtype}, got ${initial!.dtype}`);
    return [sequence!, state];
  },
  lower(b, [sequence, mask, initial], { reverse }) {
    const [batch, time, size] = sequence!.aval.shape;
    const count = counted(b, mask!, reverse);
    const total = b.reduceSum([b.cast([mask!], { dtype: "int32" })], { axes: [1] });
    // The state to start from stands before the first step of the recurrence.
    const first = initial && b.reshape([initial], { shape: [batch!, 1, size!] });
    const all = first ? b.concat(reverse ? [sequence!, first] : [first, sequence!], { axis: 1 }) : sequence!;
    const places = first ? addDim(time!, 1) : time!;
    const steps = dimensionOf(b, time!, "int32");
    const found = (counts: Val): Val => {
      const place = first && !reverse ? counts : placeOf(b, counts, steps, reverse);
      return b.gather([rowsOf(b, all), rowIndices(b, place, places)], { axis: 0 });
    };
    return [found(count), found(total)];
  },
  vjp: "lower",
  batch: "lower",
});
export const unpackStepsCases: Cases<RecurrentAttrs> = cases(unpackStepsOp, () => ({
  samples: [false, true].flatMap((reverse) => [
    {
      ins: [
        [2, 3, 2],
        [2, 3],
        [2, 2],
      ],
      dtypes: ["*", "bool", "*"],
      attrs: { reverse },
    },
    {
      ins: [
        [2, 3, 2],
        [2, 3],
      ],
      dtypes: ["*", "bool"],
      attrs: { reverse },
    },
    {
      ins: [
        [1, 17, 1],
        [1, 17],
        [1, 1],
      ],
      dtypes: ["*", "bool", "*"],
      attrs: { reverse },
    },
    {
      ins: [
        [2, 0, 2],
        [2, 0],
        [2, 2],
      ],
      dtypes: ["*", "bool", "*"],
      attrs: { reverse },
    },
    {
      ins: [
        [0, 2, 1],
        [0, 2],
      ],
      dtypes: ["*", "bool"],
      attrs: { reverse },
    },
  ]),
  edges: [
    {
      ins: [[[[1], [2], [NaN]]], [[0, 1, 1]], [[7]]],
      dtypes: ["float32", "bool", "float32"],
      attrs: { reverse: false },
      want: [[[[7], [1], [2]]], [[2]]],
    },
    {
      ins: [[[[NaN], [1], [2]]], [[1, 1, 0]], [[7]]],
      dtypes: ["float32", "bool", "float32"],
      attrs: { reverse: true },
      want: [[[[1], [2], [7]]], [[1]]],
    },
    {
      ins: [[[[NaN], [NaN]]], [[0, 0]]],
      dtypes: ["float32", "bool"],
      attrs: { reverse: false },
      want: [[[[0], [0]]], [[0]]],
    },
  ],
  reject: [
    {
      ins: [
        [1, 2, 3],
        [1, 2],
      ],
      dtypes: ["float32", "int32"],
      attrs: { reverse: false },
      code: "unpackSteps.C1",
    },
    {
      ins: [
        [1, 2, 3],
        [2, 2],
      ],
      dtypes: ["float32", "bool"],
      attrs: { reverse: false },
      code: "unpackSteps.C2",
    },
    {
      ins: [
        [1, 2, 3],
        [1, 2],
        [1, 2],
      ],
      dtypes: ["float32", "bool", "float32"],
      attrs: { reverse: false },
      code: "unpackSteps.C3",
    },
  ],
}));

/** What a recurrence found: sequences of all its states, and the last ones. */
export interface Found {
  readonly along: readonly Tensor[];
  readonly last: readonly Tensor[];
}

/** Runs a recurrence over the steps that count. `start` are the states to start from, in the order of `along`. */
export function withMask(
  x: Tensor,
  mask: Like | undefined,
  reverse: boolean,
  start: readonly Tensor[],
  run: (x: Tensor) => Found,
): Found {
  if (mask === undefined) return run(x);
  const counts = castTo(toTensor(mask), "bool");
  const [packed] = dispatch.current.apply(packStepsOp, [x, counts], { reverse });
  const unpacked = run(packed!).along.map((sequence, i) =>
    dispatch.current.apply(unpackStepsOp, [sequence, counts, ...start.slice(i, i + 1)], { reverse }),
  );
  return { along: unpacked.map((both) => both[0]!), last: unpacked.map((both) => both[1]!) };
}
