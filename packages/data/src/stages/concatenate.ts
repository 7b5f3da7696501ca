import { sameSpec } from "../spec.js";
import type { Flow, Stage } from "../stage.js";

/** The elements of one stage, then those of another. */
export function concatenateStage(first: Stage, second: Stage): Stage {
  const inputs = [first, second];
  return {
    name: "concatenate",
    inputs,
    size: first.size === undefined || second.size === undefined ? endlessOf(inputs) : first.size + second.size,
    spec: () => sameSpec(first.spec(), second.spec()),
    open() {
      let flow: Flow | undefined;
      let next = 0;
      return {
        async pull(count) {
          while (flow || next < inputs.length) {
            flow ??= inputs[next++]!.open();
            const elements = await flow.pull(count);
            if (elements.length > 0) return elements;
            const ended = flow;
            flow = undefined;
            await ended.close();
          }
          return [];
        },
        async close() {
          next = inputs.length;
          await flow?.close();
        },
      };
    },
  };
}

/** Without end where one of them is, whatever the other. */
function endlessOf(inputs: readonly Stage[]): number | undefined {
  return inputs.some(({ size }) => size === Number.POSITIVE_INFINITY) ? Number.POSITIVE_INFINITY : undefined;
}
