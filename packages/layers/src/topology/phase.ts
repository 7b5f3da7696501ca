// Whether the calls that are being made are part of a training step; a layer that is not told takes it from the one around.

let training = false;

export const isTraining: { now(): boolean; during<T>(value: boolean, f: () => T): T } = {
  now: (): boolean => training,
  /** Runs the synchronous `f` with the phase set. */
  during<T>(value: boolean, f: () => T): T {
    const outer = training;
    training = value;
    try {
      return f();
    } finally {
      training = outer;
    }
  },
};

/** Counts what changes the weights of models or which of them are trained, so that a step need not look for them. */
export const structure: { version: number } = { version: 0 };
