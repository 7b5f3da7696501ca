import * as tf from "@millrace/core";
import { Intake, realize, release } from "../element.js";
import { failure, type Stage, transformAll } from "../stage.js";
import type { StageFunction } from "../stage-function.js";

/** A synchronous function of each element. Its intermediate tensors are freed. */
export function mapStage(input: Stage, f: StageFunction): Stage {
  return {
    name: "map",
    inputs: [input],
    size: input.size,
    spec: () => undefined,
    report: () => f.report(),
    open() {
      const intake = new Intake();
      const flow = input.open();
      return {
        async pull(count) {
          return transformAll(await flow.pull(count), (element) => {
            try {
              const value = tf.tidy(() => f.call(realize(element)));
              const result = intake.take(value, element);
              release(element, result);
              return result;
            } catch (error) {
              throw failure("map", error);
            }
          });
        },
        close: () => flow.close(),
      };
    },
  };
}
