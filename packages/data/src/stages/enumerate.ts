import { checkWhole } from "../arguments.js";
import type { Element } from "../element.js";
import { numberSpec } from "../spec.js";
import type { Stage } from "../stage.js";
import type { Structure } from "../structure.js";

/** Each element with its number, as a pair. */
export function enumerateStage(input: Stage, start: number): Stage {
  checkWhole("enumerate", "start", start, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  return {
    name: "enumerate",
    inputs: [input],
    size: input.size,
    spec() {
      const spec = input.spec();
      return spec && { structure: pair(spec.structure), leaves: [...numberSpec.leaves, ...spec.leaves] };
    },
    open() {
      const flow = input.open();
      let next = start;
      return {
        async pull(count) {
          const elements = await flow.pull(count);
          return elements.map(({ structure, leaves }): Element => {
            return { structure: pair(structure), leaves: [next++, ...leaves] };
          });
        },
        close: () => flow.close(),
      };
    },
  };
}

function pair(structure: Structure): Structure {
  return { kind: "list", items: [numberSpec.structure, structure] };
}
