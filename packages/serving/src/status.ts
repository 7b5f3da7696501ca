import { type ErrorCode, isMillraceError } from "@millrace/core";

/** The canonical codes of an answer, with gRPC's number and HTTP's status for each. */
export const statuses = {
  OK: { grpc: 0, http: 200 },
  CANCELLED: { grpc: 1, http: 499 },
  UNKNOWN: { grpc: 2, http: 500 },
  INVALID_ARGUMENT: { grpc: 3, http: 400 },
  DEADLINE_EXCEEDED: { grpc: 4, http: 504 },
  NOT_FOUND: { grpc: 5, http: 404 },
  ALREADY_EXISTS: { grpc: 6, http: 409 },
  PERMISSION_DENIED: { grpc: 7, http: 403 },
  RESOURCE_EXHAUSTED: { grpc: 8, http: 429 },
  FAILED_PRECONDITION: { grpc: 9, http: 400 },
  ABORTED: { grpc: 10, http: 409 },
  OUT_OF_RANGE: { grpc: 11, http: 400 },
  UNIMPLEMENTED: { grpc: 12, http: 501 },
  INTERNAL: { grpc: 13, http: 500 },
  UNAVAILABLE: { grpc: 14, http: 503 },
  DATA_LOSS: { grpc: 15, http: 500 },
  UNAUTHENTICATED: { grpc: 16, http: 401 },
} as const;

export type StatusName = keyof typeof statuses;

/** A request that is answered with an error: what the client is told, over either protocol. */
export class StatusError extends Error {
  readonly status: StatusName;
  constructor(status: StatusName, message: string) {
    super(message);
    this.status = status;
  }
}

/** A request that is wrong in itself. */
export function invalid(message: string): StatusError {
  return new StatusError("INVALID_ARGUMENT", message);
}

/** What a client is told of an error of the engine; a code that is not here is the server's own fault. */
const ofCode: Partial<Record<ErrorCode, StatusName>> = {
  E_ARGUMENT: "INVALID_ARGUMENT",
  E_DTYPE: "INVALID_ARGUMENT",
  E_FORMAT: "INVALID_ARGUMENT",
  E_GUARD: "INVALID_ARGUMENT",
  E_SHAPE: "INVALID_ARGUMENT",
  E_ABORTED: "ABORTED",
  E_MEMORY: "RESOURCE_EXHAUSTED",
  E_UNIMPLEMENTED: "UNIMPLEMENTED",
};

/**
 * Any error as one that can be answered: what is wrong with the request, without the place in the server's source. What is
 * the server's own fault is INTERNAL, without details that are not the client's.
 */
export function asStatusError(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  const status = isMillraceError(error) ? ofCode[error.code] : undefined;
  if (status && isMillraceError(error)) return new StatusError(status, error.reason);
  return new StatusError("INTERNAL", "the server failed to answer; its log has the reason");
}
