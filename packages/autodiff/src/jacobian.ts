// Jacobians: the rows are the lanes of a batch of cotangents, so reverse mode runs once.
import { MillraceError } from "@millrace/core";
import {
  batchedApply,
  type Dim,
  eqDim,
  formatShape,
  type Lane,
  laneOf,
  makeOps,
  type Ops,
  productDim,
  remember,
  stretch,
  type TensorImpl,
  withAxis,
} from "@millrace/core/graph";
import { type Application, backward } from "./backward.js";
import { applyToTensors } from "./recording.js";

/** ∂target/∂sources of what was recorded, each [...target.shape, ...source.shape]; null where nothing connects them. */
export function jacobians(
  told: readonly Application<TensorImpl>[],
  target: TensorImpl,
  sources: readonly TensorImpl[],
): (TensorImpl | null)[] {
  const b = makeOps<TensorImpl>(applyToTensors);
  const { shape } = target.aval;
  const rows = productDim(shape);
  const seed = b.reshape([unitRows(b, target, rows)], { shape: [rows, ...shape] });
  return inLanes(b, told, target, sources, seed, rows).map((found, i) => {
    // boundary: b is over tensors
    return found && (b.reshape([found], { shape: [...shape, ...sources[i]!.aval.shape] }) as TensorImpl);
  });
}

/**
 * ∂target[n]/∂source[n] for each n of a leading axis that both have: [n, ...target.shape[1:], ...source.shape[1:]]. Right where
 * target[n] depends on source[n] alone: what it has of other rows is added in.
 */
export function batchJacobian(
  told: readonly Application<TensorImpl>[],
  target: TensorImpl,
  source: TensorImpl,
): TensorImpl | null {
  const b = makeOps<TensorImpl>(applyToTensors);
  const [count, ...inner] = target.aval.shape;
  const [other, ...wrt] = source.aval.shape;
  if (count === undefined || other === undefined || eqDim(count, other) !== true) {
    const shapes = `${formatShape(target.aval.shape)} and ${formatShape(source.aval.shape)}`;
    throw new MillraceError("E_SHAPE", `batchJacobian: target and source need the same leading size, got ${shapes}`);
  }
  const rows = productDim(inner);
  const units = b.reshape([unitRows(b, target, rows)], { shape: [rows, ...inner] });
  const dims = [0, ...inner.map((_, i) => i + 2)];
  const seed = stretch(b, units, [rows, count, ...inner], dims);
  const [found] = inLanes(b, told, target, [source], seed, rows);
  if (!found) return null;
  const perm = [1, 0, ...wrt.map((_, i) => i + 2)];
  // boundary: b is over tensors
  return b.reshape([b.transpose([found], { perm })], { shape: [count, ...inner, ...wrt] }) as TensorImpl;
}

/** The rows of an identity matrix. */
function unitRows(b: Ops, { aval: { dtype } }: TensorImpl, rows: Dim): ReturnType<Ops["cast"]> {
  const place = (axis: number) => b.iota([], { dtype: "int32", shape: [rows, rows], axis });
  return b.cast([b.eq([place(0), place(1)])], { dtype });
}

/** Reverse mode from the rows of `seed`, each a cotangent of the target. */
function inLanes(
  b: Ops,
  told: readonly Application<TensorImpl>[],
  target: TensorImpl,
  sources: readonly TensorImpl[],
  seed: ReturnType<Ops["cast"]>,
  rows: Dim,
): (TensorImpl | null)[] {
  const known = new Map<TensorImpl, Lane<TensorImpl>>();
  const lane = (x: TensorImpl): Lane<TensorImpl> => remember(known, x, () => laneOf(x, false));
  const lanes = told.map(({ ins, outs, ...rest }) => ({ ...rest, ins: ins.map(lane), outs: outs.map(lane) }));
  // boundary: b is over tensors
  const seeds = new Map([[lane(target), laneOf(seed as TensorImpl, true)]]);
  const found = backward(lanes, seeds, sources.map(lane), batchedApply(applyToTensors, rows));
  return sources.map((x) => {
    const g = found.get(lane(x));
    return g ? withAxis(b, g, rows) : null;
  });
}
