import {
  type AnyOp,
  type Attrs,
  axesOf,
  broadcastInDimOp,
  type Dim,
  dimKey,
  reshapeOp,
  transposeOp,
  type Value,
} from "@millrace/core/graph";

type Apply = (op: AnyOp, ins: readonly Value[], attrs: Attrs) => Value;

const keyOf = (shape: readonly Dim[]): string => shape.map(dimKey).join();

// boundary: a node has the attributes of its op
const dims = (attr: unknown): readonly Dim[] => attr as readonly Dim[];
const numbers = (attr: unknown): readonly number[] => attr as readonly number[];

/** What an application of an op comes to where it does nothing, or nothing that the one before it could not do at once. */
export function simplify(op: AnyOp, ins: readonly Value[], attrs: Attrs, apply: Apply): Value | undefined {
  const x = ins[0];
  return x && rules[op.name]?.(x, attrs, apply);
}

type Rule = (x: Value, attrs: Attrs, apply: Apply) => Value | undefined;

const same: Rule = (x) => x;
const unlessReduced: Rule = (x, { axes }) => (numbers(axes).length === 0 ? x : undefined);

const rules: Readonly<Record<string, Rule>> = {
  identity: same,
  stopGradient: same,
  mean: unlessReduced,
  reduceAnd: unlessReduced,
  reduceMax: unlessReduced,
  reduceMin: unlessReduced,
  reduceOr: unlessReduced,
  reduceProd: unlessReduced,
  reduceSum: unlessReduced,
  cast: (x, { dtype }) => (x.aval.dtype === dtype ? x : undefined),
  reshape(x, { shape }, apply) {
    if (keyOf(x.aval.shape) === keyOf(dims(shape))) return x;
    if (x.node?.op !== reshapeOp) return undefined;
    return apply(reshapeOp, [x.node.inputs[0]!], { shape: dims(shape) });
  },
  transpose(x, { perm }, apply) {
    const order = numbers(perm);
    if (order.every((p, i) => p === i)) return x;
    if (x.node?.op === transposeOp) {
      const before = numbers(x.node.attrs.perm);
      return apply(transposeOp, [x.node.inputs[0]!], { perm: order.map((p) => before[p]!) });
    }
    // Axes of size 1 may go anywhere: no element moves.
    const moving = order.filter((p) => x.aval.shape[p] !== 1);
    if (!moving.every((p, i) => i === 0 || p > moving[i - 1]!)) return undefined;
    return apply(reshapeOp, [x], { shape: order.map((p) => x.aval.shape[p]!) });
  },
  /** Operands stretch along axes in front by themselves: others get their places by a reshape to sizes 1. */
  broadcastInDim(x, attrs, apply) {
    const [shape, at] = [dims(attrs.shape), numbers(attrs.dims)];
    if (keyOf(x.aval.shape) === keyOf(shape)) return x;
    const front = shape.length - at.length;
    if (at.every((d, i) => d === front + i)) return undefined;
    const first = at.length === 0 ? shape.length : at[0]!;
    const placed = shape.slice(first).map((_, i) => {
      const from = at.indexOf(first + i);
      return from < 0 ? 1 : x.aval.shape[from]!;
    });
    const places = axesOf(placed.length).map((i) => first + i);
    return apply(broadcastInDimOp, [apply(reshapeOp, [x], { shape: placed })], { shape, dims: places });
  },
};
