/** Work that takes turns. */
export interface Turn {
  /** Runs the next batch, whatever comes of it. Resolves when the engine is free, with what is left to do: the answers. */
  runNext(): Promise<() => void>;
}

/**
 * Lets the batches of a version run in the order in which they became ready, one at a time unless said: while one runs, what
 * comes is read into the next, which grows until then.
 */
export class Scheduler {
  private free: number;
  private readonly ready: Turn[] = [];
  private readonly onError: (error: unknown) => void;

  constructor(slots: number, onError: (error: unknown) => void) {
    this.free = slots;
    this.onError = onError;
  }

  /** One more batch of `turn` is ready. */
  add(turn: Turn): void {
    this.ready.push(turn);
    this.pump();
  }

  private pump(): void {
    while (this.free > 0) {
      const turn = this.ready.shift();
      if (!turn) break;
      this.free--;
      turn
        .runNext()
        .then((answer) => {
          // First the engine gets its next batch, then the clients their answers.
          this.free++;
          this.pump();
          answer();
        })
        .catch(this.onError);
    }
  }
}
