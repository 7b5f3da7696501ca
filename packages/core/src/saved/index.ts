export * from "./artifact.js";
export * from "./format-of.js";
export {
  type ArtifactHead,
  completeLimits,
  type ReadOptions,
  readArtifact,
  readGraphs,
  readHead,
  type SavedArtifact,
  type SavedFunction,
} from "./read.js";
export { dataStart, lengthBytes, readTensorEntries } from "./safetensors.js";
export type { SavedOp, Upgrades } from "./upgrades.js";
export { type FunctionToWrite, writeArtifact } from "./write.js";
export type { TensorData } from "./write-safetensors.js";
