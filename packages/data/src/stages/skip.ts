import { checkWhole } from "../arguments.js";
import { releaseAll } from "../element.js";
import type { Stage } from "../stage.js";

/** Elements that are dropped are asked for this many at once. */
const chunk = 256;

/** All but the first elements. */
export function skipStage(input: Stage, count: number): Stage {
  checkWhole("skip", "count", count, 0, Number.MAX_SAFE_INTEGER);
  return {
    name: "skip",
    inputs: [input],
    size: input.size === undefined ? undefined : Math.max(0, input.size - count),
    spec: () => input.spec(),
    open() {
      const flow = input.open();
      let left = count;
      return {
        async pull(max) {
          while (left > 0) {
            const dropped = await flow.pull(Math.min(left, chunk));
            if (dropped.length === 0) return [];
            left -= dropped.length;
            releaseAll(dropped);
          }
          return flow.pull(max);
        },
        close: () => flow.close(),
      };
    },
  };
}
