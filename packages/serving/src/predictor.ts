import type { HostArray } from "@millrace/core/graph";
import type { Waiter } from "./batching/batch.js";
import type { SignaturePlan } from "./models/signature.js";
import type { ServedVersion } from "./models/version.js";
import { asStatusError, StatusError } from "./status.js";

/** How a prediction ends: with the outputs in the signature's order, or an error. Called once. */
export type Answer = (error: StatusError | undefined, outputs: readonly HostArray[]) => void;

/**
 * One prediction: keeps its version loaded, lets `submit` put the rows into a queue, and answers once, in time.
 *
 * @param isGone whether the client has left
 */
export function predict(
  version: ServedVersion,
  timeoutMs: number,
  isGone: () => boolean,
  submit: (waiter: Waiter) => void,
  answer: Answer,
): void {
  version.retain();
  let isOver = false;
  const end = (error: StatusError | undefined, outputs: readonly HostArray[]): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    version.release();
    answer(error, outputs);
  };
  const late = (): void => end(new StatusError("DEADLINE_EXCEEDED", `no answer within ${timeoutMs} ms`), []);
  const timer = setTimeout(late, timeoutMs);
  try {
    submit({
      done: (outputs) => end(undefined, outputs),
      fail: (error) => end(error, []),
      isDead: () => isOver || isGone(),
    });
  } catch (error) {
    end(asStatusError(error), []);
  }
}

/** The outputs by name. */
export function named(plan: SignaturePlan, outputs: readonly HostArray[]): readonly (readonly [string, HostArray])[] {
  return plan.outputs.map(({ name }, i) => [name, outputs[i]!]);
}
