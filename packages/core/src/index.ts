/// <reference lib="esnext.disposable" />
/**
 * The Millrace engine: tensors and their ops, variables, functions, devices and memory.
 * @packageDocumentation
 */

export * as config from "./api/config.js";
export { registerBackend, registerReferenceBackend } from "./api/connect.js";
export * as debugging from "./api/debugging.js";
export * from "./api/exports.gen.js";
export { poly } from "./api/poly.js";
export { device, ensureShape, fn, fn as function, print, variable } from "./api/tensors.js";
export type { Aval } from "./ir/aval.js";
export type { Dim, SymDim } from "./ir/dim.js";
export { getBackend, listDevices, ready, setBackend } from "./runtime/backends.js";
export type { CallReport, HostCallReport } from "./runtime/call-report.js";
export { cond, type LoopVars, switchCase, type WhileOptions, whileLoop } from "./runtime/control-flow.js";
export { Executable, type ExecutableInput, type ExecutableOptions } from "./runtime/executable.js";
export {
  type FileStat,
  type Files,
  getFiles,
  provideFiles,
  type ReadFileOptions,
  type WriteFileOptions,
} from "./runtime/files.js";
export {
  type AnyFunction,
  type FunctionOptions,
  runFunctionsEagerly,
} from "./runtime/function.js";
export { type IndexedSlices, indexedSlices, isIndexedSlices } from "./runtime/indexed-slices.js";
export { type Logger, log as getLogger, setLogger } from "./runtime/logger.js";
export { dispose, keep, sync, tidy } from "./runtime/memory.js";
export { type LiveTensors, type Memory, memory } from "./runtime/memory-report.js";
export {
  type NamedFunction,
  type NamedSpec,
  type NamedWeight,
  nameFunction,
} from "./runtime/named-function.js";
export { type KernelRow, type Profile, profile, type TraceEvent } from "./runtime/profile.js";
export type { ArgumentChange, Retrace, RetraceReport } from "./runtime/retracing.js";
export { foldl, foldr, mapFn, type Nested, type ScanOptions, scan } from "./runtime/scan.js";
export type { NamedAval, NamedGraph, Signature, TensorSpec } from "./runtime/signature.js";
export { TensorArray, type TensorArrayOptions } from "./runtime/tensor-array.js";
export { setThreads, threads } from "./runtime/threads.js";
export type { TracedFunction } from "./runtime/traced-function.js";
export type { VariableOptions } from "./runtime/variable.js";
export type * from "./types/index.js";
export { dtypes, errorCodes, isDType, isMillraceError, MillraceError, promote, warningCodes } from "./types/index.js";
