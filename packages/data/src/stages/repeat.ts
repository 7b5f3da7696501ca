import { checkCount } from "../arguments.js";
import type { Flow, Stage } from "../stage.js";

/** The input's iterations one after the other. */
export function repeatStage(input: Stage, count?: number): Stage {
  const times = checkCount("repeat", count);
  return {
    name: "repeat",
    inputs: [input],
    size: times === 0 || input.size === 0 ? 0 : input.size && input.size * times,
    spec: () => input.spec(),
    open() {
      let flow: Flow | undefined;
      let iteration = 0;
      let isEmpty = true;
      return {
        async pull(max) {
          while (iteration < times) {
            flow ??= input.open();
            const elements = await flow.pull(max);
            if (elements.length > 0) {
              isEmpty = false;
              return elements;
            }
            const ended = flow;
            flow = undefined;
            await ended.close();
            // What has given nothing once is not asked for ever.
            iteration = isEmpty ? times : iteration + 1;
          }
          return [];
        },
        async close() {
          iteration = times;
          await flow?.close();
        },
      };
    },
  };
}
