import * as tf from "@millrace/core";
import { MillraceError } from "@millrace/core";
import { checkFunction } from "../arguments.js";
import { Intake, realize, release, valueOf } from "../element.js";
import { failure, type Stage, transformAll } from "../stage.js";
import { isPromise } from "../structure.js";

/** A synchronous function of each element. Its intermediate tensors are freed. */
export function mapStage(input: Stage, f: (value: unknown) => unknown): Stage {
  checkFunction("map", f);
  return {
    name: "map",
    inputs: [input],
    size: input.size,
    spec: () => undefined,
    open() {
      const intake = new Intake();
      const flow = input.open();
      return {
        async pull(count) {
          return transformAll(await flow.pull(count), (element) => {
            try {
              const value = tf.tidy(() => callSync("map", f, valueOf(realize(element))));
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

/** Refuses a promise, for which the tensors of a scope would be freed too early. */
export function callSync<R>(stage: string, f: (value: unknown) => R, value: unknown): R {
  const result = f(value);
  if (!isPromise(result)) return result;
  result.then(undefined, () => {});
  const instead = stage === "map" ? "use mapAsync" : "decide in a mapAsync before";
  throw new MillraceError("E_ASYNC_SCOPE", `the function returned a promise; ${instead}`, { op: stage });
}
