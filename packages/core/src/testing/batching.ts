// A batching rule against a loop over the batch.
import type { Attrs } from "../ir/attrs.js";
import { countOf, hostArray } from "../ir/host.js";
import type { AnyOp } from "../ir/op.js";
import { describe, expectSame, ulps } from "./compare.js";
import { applyHost, type HostVal, hostVal } from "./host.js";
import { applyBatched } from "./rules.js";

/** Which operands are batched: each alone, all but each, and all. */
function masks(count: number): boolean[][] {
  const each = Array.from({ length: count }, (_, i) => i);
  const all = each.map(() => true);
  if (count === 1) return [all];
  const alone = each.map((i) => each.map((k) => k === i));
  const others = count > 2 ? each.map((i) => each.map((k) => k !== i)) : [];
  return [all, ...alone, ...others];
}

/** Arrays of one shape along a new leading axis. */
function stack(parts: readonly HostVal[]): HostVal {
  const { dtype, shape } = parts[0]!;
  const whole = hostArray(dtype, [parts.length, ...shape]);
  parts.forEach((part, lane) => {
    for (let i = 0; i < part.data.length; i++) whole.data[lane * countOf(shape) + i] = part.data[i]!;
  });
  return hostVal(whole);
}

/** `lanes` holds the operands of each element of the batch. */
export function checkBatching(op: AnyOp, lanes: readonly (readonly HostVal[])[], attrs: Attrs): void {
  const [first] = lanes;
  for (const mask of masks(first!.length)) {
    const used = lanes.map((lane) => lane.map((x, i) => (mask[i] ? x : first![i]!)));
    const ins = first!.map((x, i) => (mask[i] ? stack(lanes.map((lane) => lane[i]!)) : x));
    const got = applyBatched(op, ins, mask, attrs, lanes.length);
    const one = used.map((lane) => applyHost(op, lane, attrs));
    const what = `batched ${describe(op, first!, attrs)} with operands ${mask.flatMap((m, i) => (m ? [i] : []))}`;
    got.forEach((y, out) => {
      const want = stack(one.map((outs) => outs[out]!));
      expectSame(what, y, want, (size) => ulps(y.dtype, 16)(size, 0) + ulps(y.dtype, 16)(1, 0));
    });
  }
}
