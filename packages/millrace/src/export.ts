// `model.export`: layers know nothing of artifacts and converters, so the umbrella gives their models this method.
import { type SaveArtifactOptions, saveArtifact } from "@millrace/artifact";
import { MillraceError, withDefaults } from "@millrace/autodiff";
import { Model } from "@millrace/layers";

/** How a model is exported. */
export interface ExportOptions extends SaveArtifactOptions {
  /** "millrace", unless said: a directory that `tf.loadExecutable` and the server run. */
  readonly format?: "millrace" | "tflite";
}

declare module "@millrace/layers" {
  interface Model {
    /**
     * Saves the forward pass of inference with its weights, to be run but not trained further. Written whole or not at all.
     *
     * @param path of the directory
     * @throws E_ARGUMENT where the input shape is not known yet, E_FILE where it cannot be written
     * @example await model.export("digits/1", { metadata: { labels: ["zero", "one"] } });
     */
    export(path: string, options?: ExportOptions): Promise<void>;
  }
}

/** Gives models the method. */
export function installExport(): void {
  Model.prototype.export = async function (this: Model, path: string, options: ExportOptions = {}): Promise<void> {
    const { format, ...rest } = withDefaults("export", options, exportDefaults);
    if (format !== "millrace") throw new MillraceError("E_UNIMPLEMENTED", `export: there is no format "${format}" yet`);
    await saveArtifact(path, this.toConcreteFunctions(), rest);
  };
}

const exportDefaults = { format: "millrace", metadata: {}, overwrite: true, signal: null } as const;
