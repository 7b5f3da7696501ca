import { type Executable, MillraceError } from "@millrace/core";
import {
  defaultLimits,
  formatHeadBytes,
  formatNames,
  formatOfFile,
  isTrainable,
  type ModelFormat,
  mainFileOf,
} from "@millrace/core/graph";
import { withDefaults } from "@millrace/core/support";
import { type LoadArtifactOptions, loadArtifact } from "./load.js";
import { type ArtifactSource, openSource, type SourceFiles } from "./source.js";

/** How an executable is loaded. */
export interface LoadExecutableOptions extends LoadArtifactOptions {
  /** What the source is; told by its content unless said. */
  readonly format?: ModelFormat;
}

/**
 * Loads a graph to run, not to train: an artifact. Its format is told by its content.
 *
 * @param source the path or URL of a directory or of its main file, or bytes
 * @throws E_ARGUMENT where the source is a model to train, which `tf.loadModel` loads; E_UNIMPLEMENTED where this release
 * does not read the format yet; otherwise as `loadArtifact`
 * @example const executable = await loadExecutable("half");
 * @public
 */
export async function loadExecutable(source: ArtifactSource, options: LoadExecutableOptions = {}): Promise<Executable> {
  const defaults = { format: undefined, signal: null, onProgress: undefined, limits: {} };
  const { format, signal, onProgress, limits } = withDefaults("loadExecutable", options, defaults);
  const files = await openSource(source, signal);
  const found = format ?? (await formatOf(files));
  if (found === "millrace") return loadArtifact(source, { signal, limits, ...(onProgress ? { onProgress } : {}) });
  throw refusal(files.label, found);
}

/** TensorFlow.js's name of `loadExecutable`. */
export const loadGraphModel: typeof loadExecutable = loadExecutable;

/** The format of a source, by the content of its main file. */
async function formatOf(files: SourceFiles): Promise<ModelFormat | undefined> {
  const names = await files.list();
  const name = names ? mainFileOf(names) : files.mainFile;
  if (name === undefined) return undefined;
  const head = files.local
    ? await files.local.part(name, 0, formatHeadBytes)
    : await files.read(name, defaultLimits.weightBytes);
  return formatOfFile(head);
}

function refusal(label: string, format: ModelFormat | undefined): MillraceError {
  if (format === undefined) {
    const known = Object.values(formatNames).join(", ");
    return new MillraceError("E_FORMAT", `${label}: it is none of the known formats: ${known}`);
  }
  if (isTrainable(format)) {
    const what = `${label} is ${formatNames[format]}: a model to train, which tf.loadModel loads`;
    return new MillraceError("E_ARGUMENT", what);
  }
  return new MillraceError(
    "E_UNIMPLEMENTED",
    `${label} is ${formatNames[format]}, which this release does not load yet`,
  );
}
