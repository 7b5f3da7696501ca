/**
 * The graph behind the API, for packages that transform it: ops and their rules, builders, traces, passes, and the
 * engine's hooks. Not covered by semver's promises to users.
 * @packageDocumentation
 */
export * from "./ir/apply.js";
export * from "./ir/attrs.js";
export * from "./ir/aval.js";
export * from "./ir/dim.js";
export * from "./ir/graph.js";
export * from "./ir/host.js";
export * from "./ir/inline.js";
export * from "./ir/op.js";
export * from "./ir/print.js";
export * from "./ir/remember.js";
export * from "./ir/transform.js";
export * from "./ir/verify.js";
export * from "./ops/batched.js";
export * from "./ops/families.gen.js";
export type { CompositeName, OpName, Ops, PrimitiveName } from "./ops/names.js";
export { isTensor, toTensor } from "./ops/public.js";
export * from "./ops/rules.js";
export { coreOps, findOp, makeOps } from "./ops/table.js";
export { optimize, passesFor } from "./passes/pipeline.js";
export { type Pass, rewriteGraph } from "./passes/rewrite.js";
export { CheckedFunction } from "./runtime/checked-function.js";
export { type Engine, engine } from "./runtime/engine.js";
export { Executable, type ExecutableInput, type ExecutableOptions } from "./runtime/executable.js";
export { ConcreteFunction, PolymorphicFunction, traceFunction } from "./runtime/function.js";
export { mapTensor } from "./runtime/mapped.js";
export {
  type NamedFunction,
  type NamedSpec,
  type NamedWeight,
  nameFunction,
} from "./runtime/named-function.js";
export { type Impurity, type PurityCheck, warnImpure } from "./runtime/purity.js";
export type { Recorder } from "./runtime/recorder.js";
export {
  assignedIn,
  asTensors,
  finish as finishRegion,
  outersOf,
  refuseAssigned,
  type TracedRegion,
  traceRegion,
} from "./runtime/regions.js";
export { defaultSignature, type NamedAval, type NamedGraph, type Signature, signatureOf } from "./runtime/signature.js";
export { buildStructure, flattenStructure, needFunction, refusePromise, type Template } from "./runtime/structure.js";
export { TensorImpl, TracerTensor } from "./runtime/tensor.js";
export { VariableImpl } from "./runtime/variable.js";
export * from "./saved/index.js";
export { schedule, symbolsOfGraph } from "./schedule/schedule.js";
export { Trace } from "./trace/trace.js";
export { dtypeOfArrayType } from "./types/dtype.js";
export * from "./types/site.js";
