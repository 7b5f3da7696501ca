// How many threads kernels use.
import { MillraceError } from "../types/errors.js";
import { currentDevice } from "./backends.js";

/**
 * How many threads the kernels of the default backend may use at once; 1 where it has no threads of its own.
 * @example tf.threads() // 8
 */
export function threads(): number {
  return currentDevice().backend.threads?.() ?? 1;
}

/**
 * Sets how many threads the kernels of the default backend may use at once, in the whole process: its models and worker
 * threads share them. Results do not depend on it. A backend may have a limit of its own; `threads()` tells.
 * @param count a whole number from 1
 * @throws E_ARGUMENT for any other number, E_UNIMPLEMENTED where the backend has no threads of its own
 * @example tf.setThreads(2)
 */
export function setThreads(count: number): void {
  if (!Number.isSafeInteger(count) || count < 1 || count > 2 ** 31 - 1)
    throw new MillraceError("E_ARGUMENT", `setThreads takes a whole number from 1, got ${String(count)}`);
  const { backend } = currentDevice();
  if (!backend.setThreads)
    throw new MillraceError("E_UNIMPLEMENTED", `the ${backend.name} backend has no threads that could be set`);
  backend.setThreads(count);
}
