// `model.export`: layers know nothing of artifacts and converters, so the umbrella gives their models this method.
import { type SaveArtifactOptions, saveArtifact } from "@millrace/artifact";
import { getFiles, MillraceError, type Signal } from "@millrace/autodiff";
import { withDefaults } from "@millrace/autodiff/support";
import { Model } from "@millrace/layers";
import type { ConvertOptions } from "@millrace/lite-converter";
import { convert } from "./lite.js";

/** How a model is exported as a directory that `tf.loadExecutable` and the server run. */
export interface ExportOptions extends SaveArtifactOptions {
  readonly format?: "millrace";
}

/** How a model is exported as a file for LiteRT: the options of `tf.lite.convert`. */
export interface LiteExportOptions extends Omit<ConvertOptions, "signal"> {
  readonly format: "tflite";
  /** Whether a file that is there is replaced; true unless said. Else it stays, and the promise rejects with E_FILE. */
  readonly overwrite?: boolean;
  readonly signal?: Signal | null;
}

declare module "@millrace/layers" {
  interface Model {
    /**
     * Saves the forward pass of inference with its weights, to be run but not trained further. Written whole or not at all.
     *
     * @param path of the directory, or of the .tflite file
     * @throws E_ARGUMENT where the input shape is not known yet, E_FILE where it cannot be written, and for a .tflite file
     * what `tf.lite.convert` throws
     * @example
     *     await model.export("digits/1", { metadata: { labels: ["zero", "one"] } });
     *     await model.export("digits.tflite", { format: "tflite", quantize: "dynamic" });
     */
    export(path: string, options?: ExportOptions | LiteExportOptions): Promise<void>;
  }
}

/** Gives models the method. */
export function installExport(): void {
  Model.prototype.export = function (this: Model, path, options = {}) {
    return options.format === "tflite" ? exportLite(this, path, options) : exportArtifact(this, path, options);
  };
}

async function exportArtifact(model: Model, path: string, options: ExportOptions): Promise<void> {
  const defaults = { format: "millrace", metadata: {}, overwrite: true, signal: null } as const;
  const { format, ...rest } = withDefaults("export", options, defaults);
  if (format !== "millrace") {
    throw new MillraceError(
      "E_ARGUMENT",
      `export: the format is "millrace" or "tflite", got ${JSON.stringify(format)}`,
    );
  }
  await saveArtifact(path, model.toConcreteFunctions(), rest);
}

async function exportLite(model: Model, path: string, given: LiteExportOptions): Promise<void> {
  const { format: _, overwrite = true, signal = null, ...options } = given;
  const { bytes } = await convert(model, signal ? { ...options, signal } : options);
  await getFiles().write(path, bytes, { overwrite, signal });
}
