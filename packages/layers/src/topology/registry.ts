// Classes of layers by the names that configurations and files hold.
import { MillraceError } from "@millrace/autodiff";
import { didYouMean } from "@millrace/autodiff/support";
import { layerClasses } from "../layers/layers.gen.js";
import type { Serialized } from "../util/identifiers.js";
import type { Layer } from "./layer.js";

/** A class of layers, as configurations need it. */
export interface LayerClass {
  fromConfig(config: Readonly<Record<string, unknown>>): Layer;
}

const registered = new Map<string, LayerClass>();

/**
 * Makes a class of layers of one's own known, so that models with it can be made from their configuration.
 * @param name what configurations hold; the class's `className`, else its name, unless said
 * @example tf.registerKerasSerializable(Scale);
 * @public
 */
export function registerKerasSerializable(made: LayerClass & { readonly className?: string }, name?: string): void {
  const own = Object.hasOwn(made, "className") ? made.className : undefined;
  // boundary: a class is a function, which has a name
  registered.set(name ?? own ?? (made as unknown as { readonly name: string }).name, made);
}

/** The class that is registered under this name. */
export function registeredLayer(name: string): LayerClass | undefined {
  return registered.get(name);
}

/** The class of this name in tf.layers. */
export function builtInLayer(className: string): LayerClass | undefined {
  // boundary: every class of layers has fromConfig
  return Object.hasOwn(layerClasses, className) ? (layerClasses[className] as unknown as LayerClass) : undefined;
}

/**
 * The layer that a class's name and configuration stand for. Throws E_ARGUMENT for an unknown class.
 * @public
 */
export function deserializeLayer({ className, config, buildConfig }: Serialized): Layer {
  const known = registeredLayer(className) ?? builtInLayer(className);
  if (known) {
    const layer = known.fromConfig(config);
    if (buildConfig) layer.buildFor(buildConfig.inputShape);
    return layer;
  }
  const near = didYouMean(className, [...registered.keys(), ...Object.keys(layerClasses)]);
  const what = `${JSON.stringify(className)} is no class of layers${near}; register one's own with registerKerasSerializable`;
  throw new MillraceError("E_ARGUMENT", what);
}
