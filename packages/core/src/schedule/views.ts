// Index maps: how an element of a view is found in the value that it looks at.
import { sameShape } from "../ir/aval.js";
import { addDim, type Dim, dimKey, mulDim, productDim, subDim } from "../ir/dim.js";
import type { Value } from "../ir/graph.js";

/** Where one axis of a value is read: offset + step · (index along `extent`); extent −1 is no extent, the offset alone. */
export interface AxisMap {
  readonly extent: number;
  readonly offset: Dim;
  readonly step: Dim;
}

/** A value, read at an index map over an iteration space. */
export interface View {
  readonly root: Value;
  readonly axes: readonly AxisMap[];
}

/** Reads every axis of `value` at the extent of the same number. */
export function identityView(value: Value): View {
  return { root: value, axes: value.aval.shape.map((_, i) => ({ extent: i, offset: 0, step: 1 })) };
}

/** Whether a view reads every element of its root, in order, over an iteration space: a slice from 0 on does not. */
export function isIdentity({ root, axes }: View, space: readonly Dim[]): boolean {
  const isWhole = sameShape(root.aval.shape, space) === true;
  return isWhole && axes.every((a, i) => a.extent === i && a.offset === 0 && a.step === 1);
}

const fixed: AxisMap = { extent: -1, offset: 0, step: 0 };

/** offset + step · inner, as one map. */
function along(inner: AxisMap, offset: Dim, step: Dim): AxisMap {
  return { extent: inner.extent, offset: addDim(offset, mulDim(step, inner.offset)), step: mulDim(step, inner.step) };
}

/** Follows views down to the value that has memory, or an elementwise op, of its own. */
export function resolveView(value: Value): View {
  let view = identityView(value);
  for (;;) {
    const next = throughOne(view);
    if (!next) return view;
    view = next;
  }
}

/** Whether a value is an index map over another. */
export function isView(value: Value): boolean {
  return resolveView(value).root !== value;
}

/** One op further down; undefined where the root is no view. */
function throughOne({ root, axes }: View): View | undefined {
  const { node } = root;
  if (!node) return undefined;
  const [source] = node.inputs;
  const rule = viewRules[node.op.name];
  // boundary: a rule reads the attributes of its own op only
  const inner = source && rule?.(axes, source, node.attrs as unknown as ViewAttrs, root);
  return inner && { root: source, axes: inner };
}

/** The attributes of the ops that are views; each has its own of these. */
interface ViewAttrs {
  readonly dims: readonly number[];
  readonly perm: readonly number[];
  readonly axes: readonly number[];
  readonly start: readonly Dim[];
  readonly strides: readonly number[];
}

type ViewRule = (axes: readonly AxisMap[], source: Value, attrs: ViewAttrs, root: Value) => AxisMap[] | undefined;

/** How each view finds its operand's axes. A reshape is a view where it only adds or drops sizes 1. */
const viewRules: Readonly<Record<string, ViewRule>> = {
  broadcastInDim: (axes, source, { dims }, root) =>
    source.aval.shape.map((d, j) => (d === 1 && root.aval.shape[dims[j]!] !== 1 ? fixed : axes[dims[j]!]!)),
  transpose: (axes, _source, { perm }) => perm.map((_, j) => axes[perm.indexOf(j)]!),
  slice: (axes, _source, { start, strides }) => axes.map((a, i) => along(a, start[i]!, strides[i]!)),
  reverse: (axes, source, attrs) =>
    axes.map((a, i) => (attrs.axes.includes(i) ? along(a, subDim(source.aval.shape[i]!, 1), -1) : a)),
  reshape: (axes, source, _attrs, root) => throughReshape(axes, source.aval.shape, root.aval.shape),
  stopGradient: (axes) => [...axes],
  identity: (axes) => [...axes],
};

function throughReshape(axes: readonly AxisMap[], from: readonly Dim[], to: readonly Dim[]): AxisMap[] | undefined {
  const kept = to.map((_, i) => i).filter((i) => to[i] !== 1);
  const real = from.filter((d) => d !== 1);
  if (kept.length !== real.length || !kept.every((i, k) => dimKey(to[i]!) === dimKey(real[k]!))) return undefined;
  let next = 0;
  return from.map((d) => (d === 1 ? fixed : axes[kept[next++]!]!));
}

/** The offset and the stride an extent of a view of a dense row-major buffer. */
export function stridesOfView(view: View, rank: number): { readonly offset: Dim; readonly strides: readonly Dim[] } {
  const { shape } = view.root.aval;
  const strides = new Array<Dim>(rank).fill(0);
  let offset: Dim = 0;
  view.axes.forEach((a, i) => {
    const row = productDim(shape.slice(i + 1));
    offset = addDim(offset, mulDim(a.offset, row));
    if (a.extent >= 0) strides[a.extent] = addDim(strides[a.extent]!, mulDim(a.step, row));
  });
  return { offset, strides };
}
