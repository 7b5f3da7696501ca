// k: the first call of the GPT's step in a fresh process, the model built. On the line stands what it is made of: tracing, a
// call without it, which is compiling and running, and a second call, which is running alone.
import { gptStep } from "../lib/gpt.mjs";
import { timedOnce } from "../lib/measure.mjs";
import { checkLoss } from "../lib/training.mjs";

const three = (x) => Number(x.toPrecision(3));

function firstCall() {
  const { step, tokens, next } = gptStep();
  const call = () => checkLoss(step(tokens, next));
  return timedOnce({
    name: "k.gpt first call",
    unit: "s",
    rate: (s) => s,
    async run() {
      const start = performance.now();
      // The graph that the call then runs: it is traced here, once.
      step.graph(tokens, next);
      const traced = (performance.now() - start) / 1e3;
      await call();
      return traced;
    },
    async after(traced, seconds) {
      if (step.tracingCount() !== 1) throw new Error(`traced ${step.tracingCount()} times`);
      const start = performance.now();
      await call();
      const ran = (performance.now() - start) / 1e3;
      return { trace_s: three(traced), compile_s: three(Math.max(0, seconds - traced - ran)), run_s: three(ran) };
    },
  });
}

export const systems = { "millrace tf.fn": { k: firstCall } };
