import { type Element, releaseAll, unload } from "../element.js";
import type { Stage } from "../stage.js";

/** Keeps the elements of the first whole iteration in JavaScript's memory, and gives them again in every later one. */
export function cacheStage(input: Stage): Stage {
  let stored: readonly Element[] | undefined;
  return {
    name: "cache",
    inputs: [input],
    size: input.size,
    spec: () => input.spec(),
    open() {
      const flow = stored ? undefined : input.open();
      const known = stored;
      const collected: Element[] = [];
      let at = 0;
      return {
        async pull(count) {
          if (known) {
            const taken = known.slice(at, at + count);
            at += taken.length;
            return taken;
          }
          const elements = await unloadAll(await flow!.pull(count));
          if (elements.length === 0) stored ??= collected;
          else collected.push(...elements);
          return elements;
        },
        async close() {
          await flow?.close();
        },
      };
    },
  };
}

async function unloadAll(elements: readonly Element[]): Promise<Element[]> {
  const unloaded: Element[] = [];
  try {
    for (const element of elements) unloaded.push(await unload(element));
    return unloaded;
  } catch (error) {
    releaseAll(elements.slice(unloaded.length));
    throw error;
  }
}
