/**
 * A server for saved graphs, with TensorFlow Serving's REST and gRPC contract.
 * @packageDocumentation
 */
export {};
