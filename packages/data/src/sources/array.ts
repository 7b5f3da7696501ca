import { badArgument } from "../arguments.js";
import { type Element, snapshot, whenAll } from "../element.js";
import { type Spec, sameSpec, specOf } from "../spec.js";
import type { Stage } from "../stage.js";

/** The items as elements. */
export function arrayStage(items: readonly unknown[]): Stage {
  if (!Array.isArray(items))
    throw badArgument("array", `needs an array, got ${items === null ? "null" : typeof items}`);
  const ready: Promise<void>[] = [];
  const elements = items.map((item) => snapshot(item, ready));
  const isRead = whenAll(ready);
  const isPlain = ready.length === 0;
  return {
    name: "array",
    inputs: [],
    size: elements.length,
    spec: () => (isPlain ? commonSpec(elements) : undefined),
    open() {
      let at = 0;
      return {
        async pull(count) {
          await isRead;
          const taken = elements.slice(at, at + count);
          at += taken.length;
          return taken;
        },
        async close() {
          at = elements.length;
        },
      };
    },
  };
}

function commonSpec(elements: readonly Element[]): Spec | undefined {
  const [first, ...rest] = elements.map(specOf);
  return rest.reduce<Spec | undefined>(sameSpec, first);
}
