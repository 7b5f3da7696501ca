import { checkWhole } from "../arguments.js";
import { type Element, releaseAll } from "../element.js";
import type { Stage } from "../stage.js";

/** Makes elements ready while earlier ones are being used. */
export function prefetchStage(input: Stage, bufferSize: number): Stage {
  checkWhole("prefetch", "bufferSize", bufferSize, 1);
  return {
    name: "prefetch",
    inputs: [input],
    size: input.size,
    spec: () => input.spec(),
    open() {
      const flow = input.open();
      const ready: Element[] = [];
      /** The work in the background, while there is any. */
      let filling: Promise<void> | undefined;
      let wake = (): void => {};
      let isDone = false;
      let isFailed = false;
      let error: unknown;

      const fill = async (): Promise<void> => {
        try {
          while (!isDone && ready.length < bufferSize) {
            const elements = await flow.pull(1);
            if (elements.length === 0) isDone = true;
            ready.push(...elements);
            wake();
          }
        } catch (cause) {
          isDone = true;
          isFailed = true;
          error = cause;
        } finally {
          filling = undefined;
          wake();
        }
      };

      return {
        async pull(count) {
          while (ready.length === 0 && !isDone) {
            filling ??= fill();
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
          const taken = ready.splice(0, count);
          if (taken.length === 0 && isFailed) throw error;
          if (!isDone) filling ??= fill();
          return taken;
        },
        async close() {
          isDone = true;
          await filling;
          releaseAll(ready.splice(0));
          await flow.close();
        },
      };
    },
  };
}
