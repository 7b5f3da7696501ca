// Losses that layers report while they are called, for the training step around them.
import type { Tensor } from "@millrace/autodiff";

let collected: Tensor[] | null = null;

/** Hands a loss to the training step, if there is one. */
export function reportLoss(loss: Tensor): void {
  collected?.push(loss);
}

/** Runs the synchronous `f` and returns its value with the losses that layers reported. */
export function collectLosses<T>(f: () => T): { readonly value: T; readonly losses: readonly Tensor[] } {
  const outer = collected;
  const losses: Tensor[] = [];
  collected = losses;
  try {
    return { value: f(), losses };
  } finally {
    collected = outer;
  }
}
