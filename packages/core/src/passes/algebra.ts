import { type Attrs, sameAttr } from "../ir/attrs.js";
import type { GraphBuilder, Value } from "../ir/graph.js";
import type { AnyOp } from "../ir/op.js";
import { constantOf } from "./fold.js";
import type { Rewrite } from "./rewrite.js";

/** Rewrites that give equal bits for every input, NaN, −0 and ∞ included: x + 0 is not among them, since −0 + 0 is 0. */
export const algebra: Rewrite = (builder, op, ins, attrs) => {
  const [x, y] = ins;
  const rule = rules[op.name];
  const simple = rule && x ? rule(x, y, attrs, builder, op) : undefined;
  return simple && [simple];
};

type Rule = (x: Value, y: Value | undefined, attrs: Attrs, builder: GraphBuilder, op: AnyOp) => Value | undefined;

/** x itself where the result has its shape. */
const unlessChanged = (x: Value, shape: Attrs[string] | undefined): Value | undefined =>
  sameAttr(x.aval.shape, shape) ? x : undefined;

/** The entries of a list attribute. */
const numbers = (attr: Attrs[string] | undefined): number[] => (Array.isArray(attr) ? attr.map(Number) : []);

const unlessReduced: Rule = (x, _y, { axes }) => (numbers(axes).length === 0 ? x : undefined);

const rules: Readonly<Record<string, Rule>> = {
  neg: (x) => (x.node?.op.name === "neg" ? x.node.inputs[0] : undefined),
  mul: (x, y) => (isFilledWith(y, 1) ? x : isFilledWith(x, 1) ? y : undefined),
  div: (x, y) => (isFilledWith(y, 1) ? x : undefined),
  sub: (x, y) => (isFilledWith(y, 0) ? x : undefined),
  cast: (x, _y, { dtype }) => (x.aval.dtype === dtype ? x : undefined),
  identity: (x) => x,
  reduceSum: unlessReduced,
  reduceProd: unlessReduced,
  reduceMax: unlessReduced,
  reduceMin: unlessReduced,
  reduceAnd: unlessReduced,
  reduceOr: unlessReduced,
  stopGradient: (x) => x,
  broadcastInDim: (x, _y, { shape }) => unlessChanged(x, shape),
  reshape: (x, _y, attrs, builder, op) => {
    const same = unlessChanged(x, attrs.shape);
    if (same || x.node?.op.name !== "reshape") return same;
    const inner = x.node.inputs[0]!;
    return unlessChanged(inner, attrs.shape) ?? builder.apply(op, [inner], attrs)[0];
  },
  transpose: (x, _y, { perm }, builder, op) => {
    const order = numbers(perm);
    if (order.every((p, i) => p === i)) return x;
    if (x.node?.op.name !== "transpose") return undefined;
    const before = numbers(x.node.attrs.perm);
    const composed = order.map((p) => before[p]!);
    const inner = x.node.inputs[0]!;
    return composed.every((p, i) => p === i) ? inner : builder.apply(op, [inner], { perm: composed })[0];
  },
};

/** Whether every element is `value` (0 means +0), known from a constant under broadcasts. */
function isFilledWith(x: Value | undefined, value: number): boolean {
  if (!x) return false;
  if (x.node?.op.name === "broadcastInDim") return isFilledWith(x.node.inputs[0], value);
  const data = constantOf(x)?.data;
  return data !== undefined && data.length > 0 && data.every((d: number | bigint) => Object.is(Number(d), value));
}
