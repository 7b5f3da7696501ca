// What happens beside training: hooks that fit, evaluate and predict call.
import type { Model } from "../training/model.js";

/**
 * Numbers by name, as History keeps them: loss, accuracy, val_loss …
 * @public
 */
export type Logs = Readonly<Record<string, number>>;

/**
 * The numbers of the epoch so far. Reading them waits for the device, so a batch that nobody asks about costs nothing.
 * @public
 */
export type ReadLogs = () => Promise<Logs>;

/**
 * What a callback is told before training.
 * @public
 */
export interface CallbackParams {
  readonly epochs: number;
  /** Batches an epoch; null before it is known. */
  steps: number | null;
  readonly verbose: 0 | 1 | 2;
}

/**
 * Hooks that do nothing; a subclass overrides those it wants. Each may return a promise, which is awaited.
 * @public
 */
export class Callback {
  /** Set before training. */
  model!: Model;
  /** Set before training. */
  params!: CallbackParams;

  onTrainBegin(): void | Promise<void> {}
  onTrainEnd(_logs: Logs): void | Promise<void> {}
  onEpochBegin(_epoch: number): void | Promise<void> {}
  onEpochEnd(_epoch: number, _logs: Logs): void | Promise<void> {}
  onTrainBatchBegin(_batch: number): void | Promise<void> {}
  onTrainBatchEnd(_batch: number, _logs: ReadLogs): void | Promise<void> {}
  onTestBegin(): void | Promise<void> {}
  onTestEnd(_logs: Logs): void | Promise<void> {}
  onTestBatchBegin(_batch: number): void | Promise<void> {}
  onTestBatchEnd(_batch: number, _logs: ReadLogs): void | Promise<void> {}
}

type Hook = Exclude<keyof Callback, "model" | "params">;

/** Calls the hooks of a list, one callback after another. */
export class CallbackList {
  readonly callbacks: readonly Callback[];
  readonly params: CallbackParams;

  constructor(callbacks: readonly Callback[], model: Model, params: CallbackParams) {
    this.callbacks = callbacks;
    this.params = params;
    for (const callback of callbacks) {
      callback.model = model;
      callback.params = params;
    }
  }

  async call<H extends Hook>(hook: H, ...args: Parameters<Callback[H]>): Promise<void> {
    for (const callback of this.callbacks) {
      // boundary: the arguments are those of the hook
      const f = callback[hook] as (...args: Parameters<Callback[H]>) => void | Promise<void>;
      const done = f.apply(callback, args);
      // Awaiting what is no promise would cost a turn of the queue for each batch.
      if (done !== undefined) await done;
    }
  }
}
