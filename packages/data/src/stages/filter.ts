import * as tf from "@millrace/core";
import { badArgument } from "../arguments.js";
import { type Element, realize, release } from "../element.js";
import { failure, type Stage, transformAll } from "../stage.js";
import type { StageFunction } from "../stage-function.js";
import { isTensor } from "../structure.js";

/**
 * The elements for which a synchronous function is true, or a tensor that is. They stay what they were: rows are not made
 * tensors for good.
 */
export function filterStage(input: Stage, predicate: StageFunction): Stage {
  const chosen = (element: Element, isKept: unknown): Element | undefined => {
    if (isKept === true) return element;
    release(element);
    return undefined;
  };
  const decide = (element: Element): Element | undefined | Promise<Element | undefined> => {
    let decision: unknown;
    try {
      decision = tf.tidy(() => {
        const value = predicate.call(realize(element));
        // It may be a tensor of the element, or of the user.
        return isTensor(value) ? value.clone() : value;
      });
    } catch (error) {
      throw failure("filter", error);
    }
    if (typeof decision === "boolean") return chosen(element, decision);
    if (!isTensor(decision) || decision.dtype !== "bool" || decision.shape.length > 0) {
      tf.dispose(decision);
      const wanted = "or a bool tensor of shape []";
      throw badArgument("filter", `the function must return a boolean, got ${typeof decision}; ${wanted}`);
    }
    const answer = decision;
    return answer
      .item()
      .then((isKept) => chosen(element, isKept))
      .finally(() => answer.dispose());
  };
  return {
    name: "filter",
    inputs: [input],
    size: input.size === 0 ? 0 : undefined,
    spec: () => input.spec(),
    report: () => predicate.report(),
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
