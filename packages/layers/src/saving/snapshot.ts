// The numbers of a model at one moment: what trains on while they are read and written is not in them.
import { MillraceError, type Variable } from "@millrace/autodiff";
import type { Model } from "../training/model.js";
import type { Numbers } from "./hdf5.js";

/** The values that variables had. */
export type Snapshot = ReadonlyMap<Variable, Promise<Numbers>>;

/** Asks for all values of a model at once, its optimizer's too. Throws E_VARIABLE where a layer is not built. */
export function snapshotOf(model: Model): Snapshot {
  requireBuilt("save", model);
  const { optimizer } = model;
  optimizer?.build(model.trainableWeights);
  const variables = [...model.weights, ...(optimizer?.variables ?? [])];
  // boundary: weights are floats, and counts of steps int32
  return new Map(variables.map((variable) => [variable, variable.data() as Promise<Numbers>]));
}

/** Throws E_VARIABLE where a layer of the model has no weights yet. */
export function requireBuilt(who: string, model: Model): void {
  const unbuilt = model.allLayers().find((layer) => !layer.built);
  if (!unbuilt) return;
  const advice = "give the first layer inputShape, or call the model once";
  const what = `"${unbuilt.name}" has no weights before it is built: ${advice}`;
  throw new MillraceError("E_VARIABLE", `${who}: ${what}`, { layer: model.name });
}
