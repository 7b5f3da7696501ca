/** How much a server takes on at a time. */
export interface AdmissionLimits {
  /** Requests that are read, wait or run at a time; one more is RESOURCE_EXHAUSTED. */
  readonly pendingRequests: number;
  /** Bytes of their bodies together. */
  readonly pendingBytes: number;
}

/** How requests are put together. */
export interface QueueLimits {
  /** Rows of a batch; a larger request runs alone. */
  readonly maxBatchSize: number;
  /** How long the first request of a batch waits for others while the engine is free. */
  readonly batchTimeoutMicros: number;
  /** Batches that may wait for their turn. */
  readonly maxEnqueuedBatches: number;
}
