// Whether two arrays are the same, with a message that shows the first difference.
import type { Attrs } from "../ir/attrs.js";
import { attrsKey } from "../ir/attrs.js";
import { formatAval } from "../ir/aval.js";
import { numbersOf } from "../ir/host.js";
import type { AnyOp } from "../ir/op.js";
import { type DType, dtypes, type FloatDType, type NarrowDType } from "../types/dtype.js";
import { applyHost, type HostVal, hostVal } from "./host.js";

/** What a check throws where a fact does not hold. */
export class CheckError extends Error {}

export function fail(message: string): never {
  throw new CheckError(message);
}

/** The distance from 1 to the next number. */
const epsilons: Readonly<Record<FloatDType | NarrowDType, number>> = {
  bfloat16: 2 ** -7,
  float32: 2 ** -23,
  float64: 2 ** -52,
};
const epsilonOf = (dtype: DType): number => (dtypes[dtype].isFloat ? epsilons[dtype as FloatDType | NarrowDType] : 0);

/** How far `got[i]` may be from `want[i]`; 0 by default. */
export type Tolerance = (want: number, i: number) => number;

/** Compares elements: integers and bools exactly, floats within the tolerance, NaN and ±∞ exactly, −0 where `signs`. */
export function expectSame(
  what: string,
  got: HostVal,
  want: HostVal,
  tolerance: Tolerance = () => 0,
  signs = false,
): void {
  const [had, wanted] = [formatAval(got.aval), formatAval(want.aval)];
  if (had !== wanted) fail(`${what}: got ${had}, want ${wanted}`);
  const { isFloat } = dtypes[want.dtype];
  const [gots, wants] = [numbersOf(got), numbersOf(want)];
  for (let i = 0; i < wants.length; i++) {
    const [x, y] = [gots[i]!, wants[i]!];
    if (Object.is(x, y) || (x === y && !(signs && isFloat))) continue;
    const close =
      isFloat && Number.isFinite(y) && y !== 0 && Math.abs(Number(x) - Number(y)) <= tolerance(Number(y), i);
    const tiny = isFloat && y === 0 && !signs && Math.abs(Number(x)) <= tolerance(0, i);
    if (!close && !tiny) fail(`${what}: element ${i} of ${wanted} is ${show(x)}, want ${show(y)}`);
  }
}

const show = (x: number | bigint): string => (Object.is(x, -0) ? "-0" : `${x}`);

/** Within a few units in the last place. */
export function ulps(dtype: DType, count: number): Tolerance {
  const epsilon = epsilonOf(dtype) * count;
  return (want) => Math.abs(want) * epsilon;
}

/**
 * How far a backend may be from the reference: sums may be taken in another order and products fused, so that the bound
 * grows with the size of what is added up, which the op on |operands| measures.
 */
export function runningBound(op: AnyOp, ins: readonly HostVal[], attrs: Attrs): (out: number) => Tolerance {
  const sizes = sizesOf(op, ins, attrs);
  return (out) => {
    const added = sizes[out];
    if (!added) return () => 0;
    const numbers = numbersOf(added);
    // Narrow floats compute in wider ones: there errors grow so, and the one rounding at the end may go the other way.
    const { dtype } = added;
    const epsilon = epsilonOf(dtypes[dtype].computesIn ?? dtype);
    const rounding = dtypes[dtype].computesIn ? epsilonOf(dtype) : 0;
    return (want, i) => {
      const size = Number(numbers[i] ?? 0);
      return 64 * epsilon * (Math.abs(want) + (Number.isFinite(size) ? Math.abs(size) : 0)) + rounding * Math.abs(want);
    };
  };
}

function sizesOf(op: AnyOp, ins: readonly HostVal[], attrs: Attrs): readonly HostVal[] {
  const absolute = ins.map((x) => {
    const { isFloat, computesIn } = dtypes[x.dtype];
    // boundary: 16-bit floats are their bits, the sign the highest
    if (computesIn) return hostVal({ ...x, data: Uint16Array.from(x.data as Uint16Array, (bits) => bits & 0x7fff) });
    return isFloat ? hostVal({ ...x, data: Float64Array.from(x.data as Float64Array, Math.abs) }) : x;
  });
  return applyHost(op, absolute, attrs);
}

/** `add float32[2,3], float32[2,3] {…}` */
export function describe(op: AnyOp, ins: readonly HostVal[], attrs: Attrs): string {
  const operands = ins.map((x) => formatAval(x.aval)).join(", ");
  return `${op.name}(${operands})${attrsKey(attrs).slice(0, 120)}`;
}
