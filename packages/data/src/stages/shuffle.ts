import { checkOptions, drawSeed } from "@millrace/core/support";
import { badArgument, checkWhole } from "../arguments.js";
import { type Element, releaseAll } from "../element.js";
import { Random } from "../random.js";
import { pullAll, type Stage } from "../stage.js";

/**
 * How `shuffle` draws.
 * @public
 */
export interface ShuffleOptions {
  /** A whole number that the order is a function of; drawn anew for each dataset unless given, as `tf.setRandomSeed` has it. */
  readonly seed?: number;
  /** Whether each iteration has another order; true unless said. */
  readonly reshuffleEachIteration?: boolean;
}

/** Elements drawn from a buffer, each draw replaced by the next element. */
export function shuffleStage(input: Stage, bufferSize: number, options: ShuffleOptions): Stage {
  checkWhole("shuffle", "bufferSize", bufferSize, 1);
  checkOptions("shuffle", options, ["seed", "reshuffleEachIteration"]);
  const { seed = drawSeed(), reshuffleEachIteration = true } = options;
  if (!Number.isSafeInteger(seed)) throw badArgument("shuffle", `seed must be a whole number, got ${String(seed)}`);
  let iterations = 0;
  return {
    name: "shuffle",
    inputs: [input],
    size: input.size,
    spec: () => input.spec(),
    open() {
      const random = new Random(seed, reshuffleEachIteration ? iterations++ : 0);
      const flow = input.open();
      const buffer: Element[] = [];
      let isInputDone = false;
      return {
        async pull(count) {
          // The draws are the same however many are asked for at once.
          const wanted = bufferSize + count - 1 - buffer.length;
          const incoming = isInputDone || wanted <= 0 ? [] : await pullAll(flow, wanted);
          if (incoming.length < wanted) isInputDone = true;
          const drawn: Element[] = [];
          let next = 0;
          while (drawn.length < count) {
            while (buffer.length < bufferSize && next < incoming.length) buffer.push(incoming[next++]!);
            if (buffer.length === 0) break;
            const slot = random.below(buffer.length);
            drawn.push(buffer[slot]!);
            const last = buffer.pop()!;
            if (slot < buffer.length) buffer[slot] = last;
          }
          return drawn;
        },
        async close() {
          releaseAll(buffer.splice(0));
          await flow.close();
        },
      };
    },
  };
}
