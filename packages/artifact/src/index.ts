/**
 * Saved graphs: functions with their weights as a directory, written whole, checked on load, and run anywhere.
 * @packageDocumentation
 */
export type { Json, ModelFormat, PackageVersion, ReadLimits, SavedFunction, TensorEntry } from "@millrace/core/graph";
export { type ArtifactReport, type InspectOptions, inspectArtifact } from "./inspect.js";
export { type LoadArtifactOptions, loadArtifact } from "./load.js";
export { type LoadExecutableOptions, loadExecutable, loadGraphModel } from "./load-executable.js";
export { artifactFiles, type SaveArtifactOptions, saveArtifact } from "./save.js";
export type { ArtifactSource } from "./source.js";
