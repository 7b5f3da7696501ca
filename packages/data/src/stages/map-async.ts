import { checkFunction } from "../arguments.js";
import { type Element, Intake, realize, release, valueOf } from "../element.js";
import { failure, type Stage, transformAll } from "../stage.js";

/** A function of each element that is awaited, one after the other. */
export function mapAsyncStage(input: Stage, f: (value: unknown) => unknown): Stage {
  checkFunction("mapAsync", f);
  return {
    name: "mapAsync",
    inputs: [input],
    size: input.size,
    spec: () => undefined,
    report: () => ({ runs: "javascript", graphs: [], reason: "its function is awaited" }),
    open() {
      const intake = new Intake();
      const flow = input.open();
      const call = async (element: Element): Promise<Element> => {
        const realized = realize(element);
        try {
          const result = intake.take(await f(valueOf(realized)), realized);
          release(realized, result);
          return result;
        } catch (error) {
          release(realized);
          throw failure("mapAsync", error);
        }
      };
      return {
        pull: async (count) => transformAll(await flow.pull(count), call),
        close: () => flow.close(),
      };
    },
  };
}
