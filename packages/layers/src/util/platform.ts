// What layers use of the platform, which Node and browsers both have; no library of either is among the compiler's.

export type { Signal } from "@millrace/autodiff";
export { throwIfAborted, untilAborted } from "@millrace/autodiff/support";

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
