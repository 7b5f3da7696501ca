// The gradients of a convolution as convolutions: what the gradient composites mean, and what autodiff uses where the
// input is dilated.
import type { Val } from "../../ir/aval.js";
import { addDim, type Dim, mulDim, subDim } from "../../ir/dim.js";
import type { Ops } from "../names.js";
import { axesOf } from "../rules.js";
import { dilatedDim } from "../shape/pad.js";
import { type ConvAttrs, partOf } from "./shape.js";

/** What each spatial axis spans once its dilations are in: the input, the filter and the cotangent, whose step is the stride. */
interface Extent {
  readonly x: Dim;
  readonly w: Dim;
  readonly g: Dim;
}

function extents(x: readonly Dim[], w: readonly Dim[], g: readonly Dim[], attrs: ConvAttrs): Extent[] {
  return attrs.strides.map((stride, i) => ({
    x: dilatedDim(x[i + 1]!, attrs.lhsDilation[i]!),
    w: dilatedDim(w[i]!, attrs.rhsDilation[i]!),
    g: dilatedDim(g[i + 1]!, stride),
  }));
}

/** The cotangent of x [n, spatial…, c]: the cotangent of the result, spread by the strides, with the filter turned around. */
export function inputGradient(b: Ops, g: Val, w: Val, inputShape: readonly Dim[], attrs: ConvAttrs): Val {
  const { strides, low, lhsDilation, rhsDilation, groups } = attrs;
  const spans = extents(inputShape, w.aval.shape, g.aval.shape, attrs);
  return b.convGeneral([g, turned(b, w, groups)], {
    strides: lhsDilation,
    low: spans.map((e, i) => subDim(subDim(e.w, 1), low[i]!)),
    high: spans.map((e, i) => addDim(subDim(e.x, e.g), low[i]!)),
    lhsDilation: strides,
    rhsDilation,
    groups,
  });
}

/** w [spatial…, c, groups·o] → [reversed spatial…, o, groups·c] */
function turned(b: Ops, w: Val, groups: number): Val {
  const { shape } = w.aval;
  const spatial = shape.slice(0, -2);
  const at = spatial.length;
  const [c, o] = [shape[at]!, partOf(shape[at + 1]!, groups)];
  const axes = axesOf(at);
  const flipped = at === 0 ? w : b.reverse([w], { axes });
  if (groups === 1) return b.transpose([flipped], { perm: [...axes, at + 1, at] });
  const apart = b.reshape([flipped], { shape: [...spatial, c, groups, o] });
  const swapped = b.transpose([apart], { perm: [...axes, at + 2, at + 1, at] });
  return b.reshape([swapped], { shape: [...spatial, o, mulDim(c, groups)] });
}

/**
 * The cotangent of w [spatial…, c/groups, o]: a convolution that slides the cotangent of the result over the input, batch
 * and channels in each other's place.
 */
export function filterGradient(b: Ops, x: Val, g: Val, filterShape: readonly Dim[], attrs: ConvAttrs): Val {
  const { strides, low, lhsDilation, rhsDilation, groups } = attrs;
  const spans = extents(x.aval.shape, filterShape, g.aval.shape, attrs);
  const spatial = axesOf(strides.length).map((i) => i + 1);
  const last = strides.length + 1;
  const y = b.convGeneral([channelsAsBatch(b, x, groups), b.transpose([g], { perm: [...spatial, 0, last] })], {
    strides: rhsDilation,
    low,
    high: spans.map((e, i) => subDim(subDim(addDim(subDim(e.w, 1), e.g), e.x), low[i]!)),
    lhsDilation,
    rhsDilation: strides,
    groups,
  });
  return b.transpose([y], { perm: [...spatial, 0, last] });
}

/** x [n, spatial…, groups·c] → [c, spatial…, groups·n] */
function channelsAsBatch(b: Ops, x: Val, groups: number): Val {
  const { shape } = x.aval;
  const last = shape.length - 1;
  const spatial = axesOf(last - 1).map((i) => i + 1);
  if (groups === 1) return b.transpose([x], { perm: [last, ...spatial, 0] });
  const [n, c] = [shape[0]!, partOf(shape[last]!, groups)];
  const apart = b.reshape([x], { shape: [...shape.slice(0, -1), groups, c] });
  const swapped = b.transpose([apart], { perm: [last + 1, ...spatial, last, 0] });
  return b.reshape([swapped], { shape: [c, ...shape.slice(1, -1), mulDim(n, groups)] });
}
