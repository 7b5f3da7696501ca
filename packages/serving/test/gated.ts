import type * as tf from "@millrace/core";
import { scale } from "./helpers.js";

/** x [batch, 3] → y = 2 · x, whose results can be read only when the gate is open: tests decide how long a run takes. */
export class Gated {
  readonly executable: tf.Executable = scale(2);
  /** The rows of each run so far. */
  readonly runs: number[] = [];
  private open: () => void = () => {};
  private gate: Promise<void> = Promise.resolve();
  /** Set where runs are to fail. */
  error: Error | undefined;

  constructor() {
    const { executable } = this;
    const run = executable.run.bind(executable);
    executable.run = (inputs, options) => {
      const outputs = run(inputs, options);
      const { gate } = this;
      this.runs.push(outputs.y!.shape[0]!);
      for (const y of Object.values(outputs)) {
        const data = y.data.bind(y);
        y.data = async () => {
          await gate;
          if (this.error) throw this.error;
          return data();
        };
      }
      return outputs;
    };
  }

  /** Results of runs from now on wait. */
  close(): void {
    this.gate = new Promise((resolve) => {
      this.open = resolve;
    });
  }

  /** Lets those that wait go on, and later ones pass. */
  release(): void {
    this.open();
    this.gate = Promise.resolve();
  }
}

/** A promise that `condition` makes hold, asked again after each turn of the event loop. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}
