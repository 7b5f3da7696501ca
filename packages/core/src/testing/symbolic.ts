// A rule where sizes are symbols against the same rule where they are numbers: one trace serves every size.
import { type Attr, type Attrs, mapAttr } from "../ir/attrs.js";
import { type Dim, evaluateDim, symbol } from "../ir/dim.js";
import { evaluateGraph, GraphBuilder, type Value } from "../ir/graph.js";
import type { AnyOp } from "../ir/op.js";
import { buildingOps } from "../ops/table.js";
import { dtypes } from "../types/dtype.js";
import { describe, expectSame, fail, ulps } from "./compare.js";
import { randomArray, randomOf } from "./data.js";
import { applyHost, type HostVal, hostOps } from "./host.js";
import { pullBack } from "./rules.js";

/** 0 and 1 stay, every other size becomes a symbol, equal sizes the same one; `sizes` holds their values. */
class SizePattern {
  readonly sizes = new Map<string, number>();

  dim(size: number): Dim {
    if (size === 0 || size === 1) return size;
    const name = size < 0 ? `minus${-size}` : `n${size}`;
    this.sizes.set(name, size);
    return symbol(name, size < 0 ? Number.MIN_SAFE_INTEGER : 2);
  }
}

function withSymbols(op: AnyOp, attrs: Attrs, pattern: SizePattern): Attrs {
  const change = (name: string, value: Attr): Attr =>
    op.sizeAttrs?.includes(name) ? mapAttr(value, (d) => (typeof d === "number" ? pattern.dim(d) : d)) : value;
  return Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, change(name, value)]));
}

function withSizes(attrs: Attrs, sizes: ReadonlyMap<string, number>): Attrs {
  const known = (value: Attr): Attr => mapAttr(value, (d) => evaluateDim(d, sizes));
  return Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, known(value)]));
}

/** The derivative's rule, traced once for symbols and run at the sizes of `xs`. */
export function checkSymbolicGradient(op: AnyOp, xs: readonly HostVal[], attrs: Attrs): void {
  const what = `gradient for any size of ${describe(op, xs, attrs)}`;
  const gs = applyHost(op, xs, attrs).map((y, i) => randomArray(randomOf(`${what} ${i}`), y.dtype, y.shape, [-1, 1]));
  const pattern = new SizePattern();
  const builder = new GraphBuilder();
  const params = [...xs, ...gs].map(({ dtype, shape }) =>
    builder.param({ dtype, shape: shape.map((d) => pattern.dim(d)) }),
  );
  const [ins, cotangents] = [params.slice(0, xs.length), params.slice(xs.length)];
  const rule = pullBack(buildingOps(builder), op, cotangents, ins, withSymbols(op, attrs, pattern));
  // boundary: the ops are over Values, those on arrays over HostVals
  const traced = rule as readonly (Value | null)[];
  const wants = pullBack(hostOps, op, gs, xs, attrs) as readonly (HostVal | null)[];
  const kept = wants.flatMap((want, i) => (want && dtypes[want.dtype].isFloat ? [i] : []));
  for (const i of kept) if (!traced[i]) fail(`${what}: operand ${i} has a cotangent only where sizes are known`);
  const graph = builder.finish(kept.map((i) => traced[i]!));
  const got = evaluateGraph<HostVal>(graph, [...xs, ...gs], (inner, args, innerAttrs, regions) => {
    return applyHost(inner, args, withSizes(innerAttrs, pattern.sizes), regions);
  });
  for (const [n, i] of kept.entries()) {
    expectSame(`${what}, operand ${i}`, got[n]!, wants[i]!, (size) => ulps("float64", 64)(Math.abs(size) + 1, 0));
  }
}
