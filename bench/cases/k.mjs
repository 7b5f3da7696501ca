// k: the first call of the GPT's step in a fresh process, the model built: trace, compile and run.

import { gptStep } from "../lib/gpt.mjs";
import { timedOnce } from "../lib/measure.mjs";
import { checkLoss } from "../lib/training.mjs";

const task = (run) => timedOnce({ name: "k.gpt first call", unit: "s", rate: (s) => s, run });

export const systems = {
  "millrace tf.fn": {
    k() {
      const { step, tokens, next } = gptStep();
      return task(() => checkLoss(step(tokens, next)));
    },
  },
};
