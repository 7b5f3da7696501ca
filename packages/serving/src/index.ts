/// <reference lib="esnext.disposable" />
/**
 * A server for saved graphs, with TensorFlow Serving's REST and gRPC contract.
 * @packageDocumentation
 */
export type { AdmissionLimits } from "./admission.js";
export { parseServingConfig, type ServingConfig } from "./config.js";
export type { Load } from "./models/model.js";
export type { VersionPolicy } from "./models/policy.js";
export type { BatchingOptions, LimitOptions, ModelOptions, Models, ServingOptions } from "./options.js";
export { millraceServing } from "./rest/plugin.js";
export { type AddressOptions, createServer, type GrpcOptions, type Server, type ServerOptions } from "./server.js";
