// A model as functions that converters, savers and servers take.
import { MillraceError, type NamedFunction, nameFunction, type Tensor } from "@millrace/autodiff";
import { defaultSignature } from "@millrace/autodiff/support";
import { isList } from "../topology/layer.js";
import { inputOf } from "./functions.js";
import type { Model } from "./model.js";

/** The forward pass of inference, traced for any batch size. Inputs and outputs have the model's names for them. */
export function concreteFunctions(model: Model): readonly NamedFunction[] {
  const { inputNames, inputShapes, inputDTypes, outputNames } = model;
  if (!inputShapes) {
    const what = "its input shape is not known: give the first layer inputShape, or apply the model once";
    throw new MillraceError("E_ARGUMENT", `model "${model.name}": ${what}`, { layer: model.name });
  }
  model.buildFor(inputShapes.length === 1 ? inputShapes[0]! : inputShapes);
  const specs = inputNames.map((name, i) => {
    const [, ...sizes] = inputShapes[i]!;
    return [name, { shape: ["batch", ...sizes], dtype: inputDTypes[i] ?? "float32" }] as const;
  });
  const forward = (inputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> => {
    const xs = inputNames.map((name) => inputs[name]!);
    const made = model.applyTensors(inputOf(xs), { training: false });
    return Object.fromEntries((isList(made) ? made : [made]).map((y, i) => [outputNames[i]!, y]));
  };
  return [nameFunction(defaultSignature, forward, Object.fromEntries(specs))];
}
