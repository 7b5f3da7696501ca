import { MillraceError } from "@millrace/core";
import { type Element, unload } from "../element.js";
import { Row, rowOf, splitRow } from "../rows.js";
import { reshaped } from "../spec.js";
import type { Stage } from "../stage.js";
import { leafNames } from "../structure.js";

/** Each element's slices along the first axis as elements. */
export function unbatchStage(input: Stage): Stage {
  return {
    name: "unbatch",
    inputs: [input],
    size: input.size === 0 ? 0 : undefined,
    spec() {
      const spec = input.spec();
      const isSplit = spec?.leaves.every(({ shape }) => shape.length > 0);
      return isSplit ? reshaped(spec, (shape) => shape.slice(1)) : undefined;
    },
    open() {
      const flow = input.open();
      let pending: readonly Element[] = [];
      let at = 0;
      return {
        async pull(count) {
          while (at === pending.length) {
            const [element] = await flow.pull(1);
            if (!element) return [];
            pending = slicesOf(await unload(element));
            at = 0;
          }
          const taken = pending.slice(at, at + count);
          at += taken.length;
          return taken;
        },
        async close() {
          // What is pending are rows, which nobody owns.
          pending = [];
          at = 0;
          await flow.close();
        },
      };
    },
  };
}

function slicesOf({ structure, leaves }: Element): Element[] {
  const names = leafNames(structure);
  const columns = leaves.map((leaf, i) => splitLeaf(leaf, names[i]!));
  const length = columns[0]?.length ?? 0;
  const other = columns.findIndex((column) => column.length !== length);
  if (other >= 0) throw broken(`${names[0]} has ${length} slices, ${names[other]} has ${columns[other]!.length}`);
  return Array.from({ length }, (_, i) => ({ structure, leaves: columns.map((column) => column[i]) }));
}

function splitLeaf(leaf: unknown, name: string): readonly unknown[] {
  if (Array.isArray(leaf)) return leaf;
  const row = rowOf(leaf);
  if (row instanceof Row && row.rows.shape.length > 0) return splitRow(row);
  throw broken(`${name} has no axis to slice along`);
}

function broken(message: string): MillraceError {
  return new MillraceError("E_SHAPE", `unbatch: ${message}`, { op: "unbatch" });
}
