// Shapes with sizes that may be unknown, as layers see them before data comes.
import { MillraceError, type Tensor } from "@millrace/autodiff";

/**
 * The shape of one tensor; null is a size that may be anything, the batch above all.
 * @public
 */
export type BatchShape = readonly (number | null)[];

/**
 * One shape, or one for each tensor of a list.
 * @public
 */
export type BatchShapes = BatchShape | readonly BatchShape[];

export function isShapeList(shapes: BatchShapes): shapes is readonly BatchShape[] {
  return Array.isArray(shapes[0]);
}

/** The shape of a tensor as a layer sees it: a size that is not known while tracing is null. */
export function shapeOf(x: Tensor): BatchShape {
  return (x.shape as readonly unknown[]).map((size) => (typeof size === "number" ? size : null));
}

/** "[batch, 28, 28, 1]". */
export function showShape(shape: BatchShape): string {
  return `[${shape.map((size, i) => size ?? (i === 0 ? "batch" : "?")).join(", ")}]`;
}

export function showShapes(shapes: BatchShapes): string {
  return isShapeList(shapes) ? shapes.map(showShape).join(", ") : showShape(shapes);
}

/** The one shape of a layer that takes one tensor. */
export function single(who: string, shapes: BatchShapes): BatchShape {
  if (!isShapeList(shapes)) return shapes;
  if (shapes.length === 1) return shapes[0]!;
  throw new MillraceError("E_SHAPE", `${who}: takes one tensor, got ${shapes.length}`);
}

/** A size that must be known to make weights from it. */
export function knownSize(who: string, shape: BatchShape, axis: number): number {
  const size = shape.at(axis);
  if (typeof size === "number") return size;
  throw new MillraceError(
    "E_SHAPE",
    `${who}: axis ${axis} of ${showShape(shape)} must be known when the layer is built`,
  );
}

/** The number of elements; null where a size is unknown. */
export function countOf(shape: BatchShape): number | null {
  return shape.reduce<number | null>((n, size) => (n === null || size === null ? null : n * size), 1);
}

/** An axis counted from 0. */
export function axisIn(who: string, axis: number, rank: number): number {
  const index = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && index >= 0 && index < rank) return index;
  throw new MillraceError("E_SHAPE", `${who}: axis ${axis} is out of range for rank ${rank}`);
}
