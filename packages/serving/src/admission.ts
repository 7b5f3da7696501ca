import type { AdmissionLimits } from "./limits.js";
import { StatusError } from "./status.js";

/** Counts what a server has taken on, and refuses what is too much before it is read. */
export class Admission {
  private readonly limits: AdmissionLimits;
  private readonly refusals: Readonly<Record<"closing" | "requests" | "bytes", StatusError>>;
  private requests = 0;
  private bytes = 0;
  /** Whether nothing new is taken on. */
  isClosing = false;
  private whenEmpty: (() => void) | undefined;

  constructor(limits: AdmissionLimits) {
    this.limits = limits;
    const { pendingRequests, pendingBytes } = limits;
    // Made once: refusing must be cheaper than answering.
    this.refusals = {
      closing: new StatusError("UNAVAILABLE", "the server is closing"),
      requests: tooMuch(`${pendingRequests} requests are pending already: try again later`),
      bytes: tooMuch(`${pendingBytes} bytes of requests are pending: try again later`),
    };
  }

  /**
   * Takes a request on; what it returns must be called once when it was answered.
   * @throws StatusError RESOURCE_EXHAUSTED where there are too many, UNAVAILABLE where the server is closing
   */
  enter(bytes: number): () => void {
    const { pendingRequests, pendingBytes } = this.limits;
    if (this.isClosing) throw this.refusals.closing;
    if (this.requests >= pendingRequests) throw this.refusals.requests;
    // One request may always come, however large.
    if (this.requests > 0 && this.bytes + bytes > pendingBytes) throw this.refusals.bytes;
    this.requests++;
    this.bytes += bytes;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.requests--;
      this.bytes -= bytes;
      if (this.requests === 0) this.whenEmpty?.();
    };
  }

  /** Refuses what comes from now on; resolves when all that was taken on is answered. */
  drain(): Promise<void> {
    this.isClosing = true;
    if (this.requests === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.whenEmpty = resolve;
    });
  }
}

function tooMuch(message: string): StatusError {
  return new StatusError("RESOURCE_EXHAUSTED", message);
}
