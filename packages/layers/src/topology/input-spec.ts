// What a layer needs of its input, checked before it is called so that the error names the layer.
import { MillraceError } from "@millrace/autodiff";
import { type BatchShape, type BatchShapes, isShapeList, showShape } from "../util/shapes.js";

/** What a layer needs of its one input; what is left out may be anything. */
export interface InputSpec {
  readonly rank?: number;
  readonly minRank?: number;
  /** Sizes of axes, which may count from the end: `{ "-1": 784 }`. */
  readonly axes?: Readonly<Record<string, number>>;
}

/** Throws E_SHAPE where the shape does not fit. `layer` is the layer's name, `className` its class. */
export function checkInput(layer: string, className: string, spec: InputSpec, shapes: BatchShapes): void {
  const refusal = (needs: string, got: string): MillraceError =>
    new MillraceError("E_SHAPE", `layer "${layer}" (${className}) needs ${needs}, got ${got}`, { layer });
  if (isShapeList(shapes)) throw refusal("one tensor", `a list of ${shapes.length}`);
  const shape: BatchShape = shapes;
  const got = `shape ${showShape(shape)}`;
  if (spec.rank !== undefined && shape.length !== spec.rank) throw refusal(`an input of rank ${spec.rank}`, got);
  if (spec.minRank !== undefined && shape.length < spec.minRank)
    throw refusal(`an input of rank ${spec.minRank} or more`, got);
  for (const [axis, size] of Object.entries(spec.axes ?? {})) {
    const have = shape.at(Number(axis));
    if (have !== null && have !== size) throw refusal(`size ${size} on axis ${axis}`, got);
  }
}
