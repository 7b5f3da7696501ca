/// <reference lib="esnext.disposable" />
/**
 * A server for saved graphs, with TensorFlow Serving's REST and gRPC contract.
 * @packageDocumentation
 */
export { parseServingConfig, type ServingConfig } from "./config.js";
export type { AdmissionLimits } from "./limits.js";
export type { VersionPolicy } from "./models/policy.js";
export type { Load } from "./models/source.js";
export type { BatchingOptions, LimitOptions, ModelOptions, Models, ServingOptions } from "./options.js";
export { millraceServing } from "./plugin.js";
export {
  type AddressOptions,
  type CloseSignal,
  createServer,
  type GrpcOptions,
  type Server,
  type ServerOptions,
} from "./server.js";
