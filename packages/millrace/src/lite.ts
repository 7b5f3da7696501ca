// `tf.lite`: the converter is loaded when it is first called.
import { type ArtifactSource, loadArtifact } from "@millrace/artifact";
import type { Executable, NamedFunction } from "@millrace/autodiff";
import type { Conversion, ConvertOptions } from "@millrace/lite-converter";

export type {
  Conversion,
  ConvertOptions,
  LiteLayerReport,
  LiteOutcome,
  LiteQuantize,
  LiteReport,
} from "@millrace/lite-converter";

/** What can be converted: a model, an executable, functions with names, or a saved graph by its path, URL or files. */
export type ConvertSource =
  | { toConcreteFunctions(): readonly NamedFunction[] }
  | readonly NamedFunction[]
  | ArtifactSource;

/**
 * A model as a .tflite file for LiteRT (TensorFlow Lite), with a report of what became of each layer.
 *
 * @throws E_UNIMPLEMENTED where ops cannot be lowered, all named at once with their layers, and for what is not built yet;
 * as `loadArtifact` where the source is a saved graph
 * @example const { bytes, report } = await tf.lite.convert(model, { quantize: "dynamic" });
 */
export async function convert(source: ConvertSource, options: ConvertOptions = {}): Promise<Conversion> {
  const converter = await import("@millrace/lite-converter");
  if (isConvertible(source)) return converter.convert(source, options);
  const executable: Executable = await loadArtifact(source, { signal: options.signal ?? null });
  try {
    return await converter.convert(executable, options);
  } finally {
    executable.dispose();
  }
}

type Convertible = Exclude<ConvertSource, ArtifactSource>;

function isConvertible(source: ConvertSource): source is Convertible {
  return Array.isArray(source) || (typeof source === "object" && "toConcreteFunctions" in source);
}
