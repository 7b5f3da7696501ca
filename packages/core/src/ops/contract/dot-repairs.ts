import type { Aval } from "../../ir/aval.js";
import type { Dim } from "../../ir/dim.js";
import type { Repair } from "../../ir/op.js";
import { axesOf } from "../rules.js";
import type { DotAttrs } from "./dot-general.js";

/** What the caller of a matrix product may have meant: the other axis, the other order, an axis of size 1 that is missing. */
export function dotRepairs([a, b]: readonly Aval[], attrs: DotAttrs): Repair[] {
  const [s, t] = [a!.shape, b!.shape];
  const [i, j] = [attrs.lhsContract[0], attrs.rhsContract[0]];
  if (attrs.lhsContract.length !== 1 || attrs.rhsContract.length !== 1 || i === undefined || j === undefined) return [];
  const withShapes = (change: string, x: readonly Dim[], y: readonly Dim[], changed: Partial<DotAttrs>): Repair => ({
    change,
    ins: [
      { dtype: a!.dtype, shape: x },
      { dtype: b!.dtype, shape: y },
    ],
    attrs: { ...attrs, ...changed },
  });
  if (s.length === t.length && s.length >= 2) {
    const other = (axis: number): number => 2 * s.length - 3 - axis;
    return [
      withShapes(`transposeA: ${i === s.length - 1}`, s, t, { lhsContract: [other(i)] }),
      withShapes(`transposeB: ${j === t.length - 2}`, s, t, { rhsContract: [other(j)] }),
      withShapes("swapping a and b", t, s, {}),
    ];
  }
  const batch = axesOf(Math.max(s.length, t.length) - 2);
  const row = [...s.slice(0, -1), 1, ...s.slice(-1)];
  const column = [...t, 1];
  const whole = { lhsBatch: batch, rhsBatch: batch };
  if (s.length === 1 && t.length === 2) return [withShapes("expandDims(a, 0)", row, t, { lhsContract: [1] })];
  if (s.length === 2 && t.length === 1) return [withShapes("expandDims(b, 1)", s, column, { rhsContract: [0] })];
  if (t.length === s.length + 1) {
    return [
      withShapes("expandDims(a, -2)", row, t, { ...whole, lhsContract: [s.length], rhsContract: [t.length - 2] }),
    ];
  }
  if (s.length === t.length + 1) {
    return [
      withShapes("expandDims(b, -1)", s, column, {
        ...whole,
        lhsContract: [s.length - 1],
        rhsContract: [t.length - 1],
      }),
    ];
  }
  return [];
}
