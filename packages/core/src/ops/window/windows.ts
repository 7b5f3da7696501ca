// Sliding windows: how many there are, how "same" and "valid" pad, and how options are read.
import { formatShape } from "../../ir/aval.js";
import { addDim, ceilDivDim, type Dim, floorDivDim, leDim, maxDim, mulDim, subDim } from "../../ir/dim.js";
import { check, checkAttr } from "../../ir/op.js";
import type { PadMode } from "../../types/rules/conv.js";
import { dilatedDim } from "../shape/pad.js";

/** A window slid along one axis. */
export interface Sliding {
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
}

/** How many windows fit: floor((padded − window) / stride) + 1; a rule refuses where that is negative. */
export function windowCount(label: string, padded: Dim, window: Dim, stride: number): Dim {
  check(label, leDim(window, addDim(padded, stride)), () => `a window of ${window} does not fit in ${padded}`);
  return addDim(floorDivDim(subDim(padded, window), stride), 1);
}

/** Whole numbers from `least`, one an axis. */
export function isCounts(list: readonly number[], length: number, least: number): boolean {
  return list.length === length && list.every((n) => Number.isInteger(n) && n >= least);
}

/** Padding before and after each axis. */
export interface Padding {
  readonly low: readonly Dim[];
  readonly high: readonly Dim[];
}

/**
 * The padding that a mode means for windows slid over axes of these sizes. "same" gives ceil(size / stride) windows, the
 * odd element of padding behind, as in TensorFlow; "valid" pads nothing; a number pads both sides by it.
 */
export function paddingOf(name: string, mode: PadMode, sizes: readonly Dim[], windows: readonly Sliding[]): Padding {
  if (mode === "same") {
    const total = sizes.map((size, i) => {
      const { stride, dilation } = windows[i]!;
      const reach = dilatedDim(windows[i]!.size, dilation);
      // The count times the stride, less the size, is what the last window overhangs.
      return maxDim(addDim(subDim(mulDim(subDim(ceilDivDim(size, stride), 1), stride), size), reach), 0);
    });
    const low = total.map((n) => floorDivDim(n, 2));
    return { low, high: total.map((n, i) => subDim(n, low[i]!)) };
  }
  checkAttr(
    `${name}.C2`,
    mode === "valid" || (Number.isInteger(mode) && mode >= 0),
    () => `pad must be "same", "valid" or a whole number, got ${mode}`,
  );
  const each = sizes.map(() => (mode === "valid" ? 0 : mode));
  return { low: each, high: each };
}

/** Refuses a window that does not fit: the caller's sizes are named, not the op's. */
export function checkFits(
  name: string,
  what: string,
  sizes: readonly Dim[],
  windows: readonly Sliding[],
  { low, high }: Padding,
): void {
  sizes.forEach((size, i) => {
    const padded = addDim(addDim(size, low[i]!), high[i]!);
    const reach = dilatedDim(windows[i]!.size, windows[i]!.dilation);
    check(
      `${name}.C3`,
      leDim(reach, padded) !== false,
      () => `${what} [${windows.map((w) => w.size)}] exceeds the input ${formatShape(sizes)}`,
    );
  });
}

/** One number for every axis, or one an axis. */
export function perAxis(
  name: string,
  what: string,
  value: number | readonly number[],
  rank: number,
): readonly number[] {
  const list = typeof value === "number" ? new Array<number>(rank).fill(value) : value;
  checkAttr(
    `${name}.C1`,
    isCounts(list, rank, 1),
    () => `${what} must be one whole number from 1, or ${rank} of them, got ${value}`,
  );
  return list;
}
