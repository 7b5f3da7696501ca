import { badArgument } from "../arguments.js";
import { type Element, releaseAll } from "../element.js";
import type { Spec } from "../spec.js";
import { closeAll, pullAll, type Stage } from "../stage.js";
import { nest, type Structure } from "../structure.js";

/** Elements of several stages side by side, in the places of `structure`; as long as the shortest. */
export function zipStage(structure: Structure, inputs: readonly Stage[]): Stage {
  if (inputs.length === 0) throw badArgument("zip", "needs at least one dataset");
  return {
    name: "zip",
    inputs,
    size: shortest(inputs),
    spec() {
      const specs = inputs.map((input) => input.spec());
      return specs.every((spec) => spec !== undefined) ? joined(structure, specs) : undefined;
    },
    open() {
      const flows = inputs.map((input) => input.open());
      return {
        async pull(count) {
          const pulled = await Promise.allSettled(flows.map((flow) => pullAll(flow, count)));
          const columns = pulled.map((result) => (result.status === "fulfilled" ? result.value : []));
          const failed = pulled.find((result) => result.status === "rejected");
          const length = failed ? 0 : Math.min(...columns.map((column) => column.length));
          for (const column of columns) releaseAll(column.slice(length));
          if (failed) throw failed.reason;
          return Array.from({ length }, (_, i) =>
            sideBySide(
              structure,
              columns.map((column) => column[i]!),
            ),
          );
        },
        close: () => closeAll(flows),
      };
    },
  };
}

function sideBySide(structure: Structure, parts: readonly Element[]): Element {
  return {
    structure: nest(
      structure,
      parts.map((part) => part.structure),
    ),
    leaves: parts.flatMap((part) => part.leaves),
  };
}

function joined(structure: Structure, specs: readonly Spec[]): Spec {
  return {
    structure: nest(
      structure,
      specs.map((spec) => spec.structure),
    ),
    leaves: specs.flatMap((spec) => spec.leaves),
  };
}

function shortest(inputs: readonly Stage[]): number | undefined {
  const sizes = inputs.map(({ size }) => size);
  if (sizes.includes(0)) return 0;
  return sizes.every((size) => size !== undefined) ? Math.min(...sizes) : undefined;
}
