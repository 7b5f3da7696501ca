// f: training steps of a GPT of 4 layers, batch 16 of 128 tokens, AdamW; the loss is read after each step.

import { batch, gpt, gptStep, length } from "../lib/gpt.mjs";
import { timed } from "../lib/measure.mjs";
import { checkLoss } from "../lib/training.mjs";

const task = (run) =>
  timed({
    name: "f.gpt4x128 train b16 s128",
    unit: "tokens/s",
    rate: (s) => (batch * length) / s,
    warmUps: 2,
    run,
  });

export const systems = {
  "millrace tf.fn": {
    f() {
      const { step, tokens, next } = gptStep();
      return task(() => checkLoss(step(tokens, next)));
    },
  },
  "millrace trainOnBatch": {
    f() {
      const { model, tokens, next, compile } = gpt();
      model.compile(compile);
      return task(() => model.trainOnBatch(tokens, next));
    },
  },
};
