/** Work that takes turns. */
export interface Turn {
  runNext(): Promise<void>;
}

/**
 * Lets batches of all models run in the order in which they became ready, a few at a time: while one runs, the next is
 * read, and what comes meanwhile joins a batch that still waits.
 */
export class Scheduler {
  private free: number;
  private readonly ready: Turn[] = [];

  constructor(slots: number) {
    this.free = slots;
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
      void turn.runNext().finally(() => {
        this.free++;
        this.pump();
      });
    }
  }
}
