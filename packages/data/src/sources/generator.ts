import { MillraceError } from "@millrace/core";
import { badArgument } from "../arguments.js";
import { type Element, Intake, releaseAll } from "../element.js";
import { failure, type Stage } from "../stage.js";
import { isPromise } from "../structure.js";

const name = "generator";

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

/** What a generator function gives, or an iterable. Each iteration asks for a new iterator. */
export function generatorStage(source: unknown): Stage {
  if (typeof source !== "function" && !iteratorMethod(source)) {
    throw badArgument(name, "needs a generator function or an iterable");
  }
  const used = new WeakSet<AnyIterator>();

  const start = async (): Promise<AnyIterator> => {
    const made: unknown = typeof source === "function" ? await source() : source;
    const method = iteratorMethod(made);
    const iterator: unknown = method ? method.call(made) : made;
    if (!isIterator(iterator)) throw badArgument(name, "the function must return an iterator or an iterable");
    if (used.has(iterator)) {
      const message = "an iterator can be read once; pass the generator function, not its result";
      throw new MillraceError("E_EXHAUSTED", message, { op: name });
    }
    used.add(iterator);
    return iterator;
  };

  return {
    name,
    inputs: [],
    size: undefined,
    spec: () => undefined,
    open() {
      const intake = new Intake();
      let iterator: AnyIterator | undefined;
      let isDone = false;
      return {
        async pull(count) {
          const taken: Element[] = [];
          try {
            if (isDone) return taken;
            iterator ??= await start();
            while (taken.length < count) {
              const stepped = iterator.next();
              const step = isPromise(stepped) ? await stepped : stepped;
              if (step.done) {
                isDone = true;
                break;
              }
              taken.push(intake.take(isPromise(step.value) ? await step.value : step.value));
            }
            return taken;
          } catch (error) {
            releaseAll(taken);
            throw failure(name, error);
          }
        },
        async close() {
          if (isDone) return;
          isDone = true;
          try {
            await iterator?.return?.();
          } catch (error) {
            throw failure(name, error);
          }
        },
      };
    },
  };
}

type IteratorMethod = (this: unknown) => unknown;

function iteratorMethod(value: unknown): IteratorMethod | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const method: unknown = Reflect.get(value, Symbol.asyncIterator) ?? Reflect.get(value, Symbol.iterator);
  // boundary: the protocol says that it takes nothing and gives an iterator, which is checked
  return typeof method === "function" ? (method as IteratorMethod) : undefined;
}

function isIterator(value: unknown): value is AnyIterator {
  return typeof value === "object" && value !== null && "next" in value && typeof value.next === "function";
}
