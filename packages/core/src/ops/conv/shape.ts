// The shape rule of convolutions and of their gradients.
import { type Aval, formatShape } from "../../ir/aval.js";
import { addDim, type Dim, eqDim, floorDivDim, modDim, mulDim } from "../../ir/dim.js";
import { check, checkAttr, checkDType } from "../../ir/op.js";
import { numeric } from "../elementwise.js";
import { dilatedDim } from "../shape/pad.js";
import { isCounts, windowCount } from "../window/windows.js";

/** How a filter slides: one entry a spatial axis. Dilations spread the elements of the input (lhs) or the filter (rhs). */
export type ConvAttrs = {
  readonly strides: readonly number[];
  readonly low: readonly Dim[];
  readonly high: readonly Dim[];
  readonly lhsDilation: readonly number[];
  readonly rhsDilation: readonly number[];
  /** Channels and results fall into so many parts that do not see each other. */
  readonly groups: number;
  /** A kernel may round otherwise, and need not keep to the rules of ∞ and NaN; left out where not. */
  readonly fastMath?: boolean;
};

/** Holds the rules of a convolution of `x` [n, one to three spatial axes, c] with `w` [spatial…, c/groups, o], and gives [n, spatial'…, o]. */
export function convolvedShape(name: string, x: Aval, w: Aval, attrs: ConvAttrs): Dim[] {
  const [s, f] = [x.shape, w.shape];
  checkDType(`${name}.C1`, numeric.has(x.dtype), () => `needs ${numeric.words}, got ${x.dtype}`);
  checkDType(`${name}.C2`, x.dtype === w.dtype, () => `needs one dtype, got ${x.dtype} and ${w.dtype}`);
  const ranks = (): string =>
    `input must be [n,spatial…,c] and filter [spatial…,in,out], got ${formatShape(s)} and ${formatShape(f)}`;
  check(`${name}.C3`, s.length >= 3 && s.length <= 5 && s.length === f.length, ranks);
  const spatial = s.length - 2;
  const { strides, low, high, lhsDilation, rhsDilation, groups } = attrs;
  const complete = [strides, lhsDilation, rhsDilation].every((list) => isCounts(list, spatial, 1));
  checkAttr(
    `${name}.C4`,
    complete && low.length === spatial && high.length === spatial,
    () => `needs a stride, two dilations and paddings for each of ${spatial} spatial axes`,
  );
  checkAttr(`${name}.C5`, isCounts([groups], 1, 1), () => `groups must be a whole number from 1, got ${groups}`);
  const [channels, seen, results] = [s[spatial + 1]!, f[spatial]!, f[spatial + 1]!];
  check(
    `${name}.C6`,
    eqDim(channels, mulDim(seen, groups)),
    () => `input has ${channels} channels, filter expects ${groups === 1 ? seen : `${groups} x ${seen}`}`,
  );
  check(`${name}.C7`, eqDim(modDim(results, groups), 0), () => `${results} results do not fall into ${groups} groups`);
  const sizes = strides.map((stride, i) => {
    const padded = addDim(addDim(dilatedDim(s[i + 1]!, lhsDilation[i]!), low[i]!), high[i]!);
    return windowCount(`${name}.C8`, padded, dilatedDim(f[i]!, rhsDilation[i]!), stride);
  });
  return [s[0]!, ...sizes, results];
}

/** The size of one of `parts` equal parts. */
export function partOf(size: Dim, parts: number): Dim {
  return floorDivDim(size, parts);
}
