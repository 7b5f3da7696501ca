/**
 * What a backend is made of: the interface, and reading programs.
 * @packageDocumentation
 */

export { registerBackend } from "./api/connect.js";
export type { Attrs } from "./ir/attrs.js";
export type { Aval } from "./ir/aval.js";
export { viewAs } from "./ir/host.js";
export type { AnyOp } from "./ir/op.js";
export type {
  Backend,
  BackendFactory,
  Bound,
  Buf,
  DeviceInfo,
  Executable,
  KernelRun,
  LiveMemory,
  MemoryStats,
  Origins,
  Peaks,
  ProfiledKernel,
  Profiler,
  Reclaimer,
} from "./runtime/backend.js";
export { FinalizationReclaimer } from "./runtime/finalization-reclaimer.js";
export { previewOf } from "./runtime/host-values.js";
export { KeptOrigins, originOf } from "./runtime/kept-origins.js";
export { log, warnOnce } from "./runtime/logger.js";
export { ReferenceBackend } from "./runtime/reference-backend.js";
export { SlotMap } from "./runtime/slot-map.js";
export { decodeProgram } from "./schedule/decode.js";
export { encodeProgram } from "./schedule/encode.js";
export { opIds, opTableHash } from "./schedule/op-ids.js";
export type * from "./schedule/program.js";
export { evaluateExprs, programFormat } from "./schedule/program.js";
export { type DType, dtypes, type TypedArray } from "./types/dtype.js";
export * from "./types/errors.js";
export type { Signal } from "./types/signal.js";
export { type CallSite, captureSites, formatSite, withSite } from "./types/site.js";
export { unwatched } from "./types/unwatched.js";
