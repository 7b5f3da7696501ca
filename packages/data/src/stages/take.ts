import { checkCount } from "../arguments.js";
import type { Stage } from "../stage.js";

/** The first elements. */
export function takeStage(input: Stage, count?: number): Stage {
  const limit = checkCount("take", count);
  return {
    name: "take",
    inputs: [input],
    size: limit === 0 ? 0 : input.size === undefined ? undefined : Math.min(limit, input.size),
    spec: () => input.spec(),
    open() {
      const flow = input.open();
      let left = limit;
      return {
        async pull(max) {
          if (left === 0) return [];
          const elements = await flow.pull(Math.min(max, left));
          left -= elements.length;
          return elements;
        },
        close: () => flow.close(),
      };
    },
  };
}
