import * as tf from "@millrace/core";
import { badArgument, checkFunction } from "../arguments.js";
import { type Element, realize, release, valueOf } from "../element.js";
import { failure, type Stage, transformAll } from "../stage.js";
import { callSync } from "./map.js";

/**
 * The elements for which a synchronous function is true. They stay what they were: rows are not made tensors for good.
 */
export function filterStage(input: Stage, predicate: (value: unknown) => unknown): Stage {
  checkFunction("filter", predicate);
  const decide = (element: Element): Element | undefined => {
    let isKept: unknown;
    try {
      isKept = tf.tidy(() => callSync("filter", predicate, valueOf(realize(element))));
    } catch (error) {
      throw failure("filter", error);
    }
    if (typeof isKept !== "boolean") {
      tf.dispose(isKept);
      throw badArgument(
        "filter",
        `the function must return a boolean, got ${typeof isKept}; read a tensor with itemSync()`,
      );
    }
    if (isKept) return element;
    release(element);
    return undefined;
  };
  return {
    name: "filter",
    inputs: [input],
    size: input.size === 0 ? 0 : undefined,
    spec: () => input.spec(),
    open() {
      const flow = input.open();
      return {
        async pull(count) {
          for (;;) {
            const elements = await flow.pull(count);
            const kept = await transformAll(elements, decide);
            if (kept.length > 0 || elements.length === 0) return kept;
          }
        },
        close: () => flow.close(),
      };
    },
  };
}
