// How promises are aborted: what is read of an AbortSignal, whose own type is no part of the language's library.

/** What aborts a promise: an AbortSignal. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener?(type: "abort", listener: () => void): void;
  removeEventListener?(type: "abort", listener: () => void): void;
}

/**
 * Throws the reason of a signal that is aborted.
 * @internal
 */
export function throwIfAborted(signal: Signal | null | undefined): void {
  if (signal?.aborted) throw signal.reason;
}

/**
 * What `pending` gives, or the signal's reason as soon as it aborts; `late` takes what comes after that.
 * @internal
 */
export function untilAborted<T>(
  pending: T | PromiseLike<T>,
  signal: Signal | null | undefined,
  late: (value: T) => void,
): T | PromiseLike<T> {
  if (!signal?.addEventListener) return pending;
  return new Promise((resolve, reject) => {
    let isLate = false;
    const abort = (): void => {
      isLate = true;
      reject(signal.reason);
    };
    if (signal.aborted) abort();
    else signal.addEventListener!("abort", abort);
    const settle = (then: () => void): void => {
      signal.removeEventListener?.("abort", abort);
      then();
    };
    Promise.resolve(pending)
      .then(
        (value) => settle(() => (isLate ? late(value) : resolve(value))),
        (error: unknown) => settle(() => reject(error)),
      )
      // Nobody waits for what comes late.
      .catch(() => {});
  });
}
