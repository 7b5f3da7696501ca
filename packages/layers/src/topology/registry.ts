// Classes of layers by the names that configurations and files hold.
import { MillraceError } from "@millrace/autodiff";
import { layerClasses } from "../layers/layers.gen.js";
import { type Serialized, suggestion } from "../util/identifiers.js";
import type { Layer } from "./layer.js";

interface LayerClass {
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

/**
 * The layer that a class's name and configuration stand for. Throws E_ARGUMENT for an unknown class.
 * @public
 */
export function deserializeLayer({ className, config }: Serialized): Layer {
  // boundary: every class of layers has fromConfig
  const known = registered.get(className) ?? (layerClasses[className] as LayerClass | undefined);
  if (known) return known.fromConfig(config);
  const near = suggestion(className, [...registered.keys(), ...Object.keys(layerClasses)]);
  const what = `${JSON.stringify(className)} is no class of layers${near}; register one's own with registerKerasSerializable`;
  throw new MillraceError("E_ARGUMENT", what);
}
