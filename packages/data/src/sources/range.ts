import { badArgument } from "../arguments.js";
import type { Element } from "../element.js";
import { numberSpec } from "../spec.js";
import type { Stage } from "../stage.js";

/** Numbers from `start`, `step` apart, to before `stop`. */
export function rangeStage(start: number, stop: number, step: number): Stage {
  if (![start, step].every(Number.isFinite) || Number.isNaN(stop) || typeof stop !== "number" || step === 0) {
    throw badArgument("range", `needs numbers and a step other than 0, got ${start}, ${stop}, ${step}`);
  }
  const size = Math.max(0, Math.ceil((stop - start) / step));
  return {
    name: "range",
    inputs: [],
    size,
    spec: () => numberSpec,
    open() {
      let at = 0;
      return {
        async pull(count) {
          const taken: Element[] = [];
          for (const end = Math.min(size, at + count); at < end; at++) {
            taken.push({ structure: numberSpec.structure, leaves: [start + at * step] });
          }
          return taken;
        },
        async close() {
          at = size;
        },
      };
    },
  };
}
