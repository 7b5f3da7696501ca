// What layers use of the platform, which Node and browsers both have; no library of either is among the compiler's.

/**
 * What aborts a promise: an AbortSignal.
 * @public
 */
export interface Signal {
  readonly aborted: boolean;
  readonly reason?: unknown;
}

/** Throws the reason of a signal that is aborted. */
export function throwIfAborted(signal: Signal | null | undefined): void {
  if (signal?.aborted) throw signal.reason;
}

interface Timers {
  /** Node alone: runs after pending events, without a timer's millisecond. */
  readonly setImmediate?: (f: () => void) => unknown;
  readonly setTimeout: (f: () => void, ms: number) => unknown;
}

// boundary: both platforms have timers
const timers: Timers = globalThis as unknown as Timers;

/** Lets pending events run: timers, input, an abort. */
export function yieldToEvents(): Promise<void> {
  return new Promise((resolve) => {
    if (timers.setImmediate) timers.setImmediate(() => resolve());
    else timers.setTimeout(() => resolve(), 0);
  });
}
