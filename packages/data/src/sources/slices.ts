import { MillraceError, type TensorSpec } from "@millrace/core";
import { badArgument } from "../arguments.js";
import { type Element, whenAll } from "../element.js";
import { makeRows, Row, type Rows, readRow, rowOf } from "../rows.js";
import type { Stage } from "../stage.js";
import { isTensor, isUserLeaf, leafNames, split } from "../structure.js";

/** The slices of a structure of tensors and arrays along their first axis. Typed arrays are referred to, not copied. */
export function slicesStage(value: unknown): Stage {
  return rowsStage("fromTensorSlices", value, ([count, ...shape], leaf) => {
    if (count !== undefined) return { count, shape };
    throw new MillraceError("E_SHAPE", `fromTensorSlices: ${leaf} has no axis to slice along`, {
      op: "fromTensorSlices",
    });
  });
}

/** A structure of tensors and arrays as the only element. */
export function tensorsStage(value: unknown): Stage {
  return rowsStage("fromTensors", value, (shape) => ({ count: 1, shape }));
}

interface Cut {
  readonly count: number;
  readonly shape: readonly number[];
}

/** @param cut how many rows of which shape a leaf of this shape is */
function rowsStage(name: string, value: unknown, cut: (shape: readonly number[], leaf: string) => Cut): Stage {
  const values: unknown[] = [];
  const structure = split(value, values, isUserLeaf);
  const names = leafNames(structure);
  if (values.length === 0) throw badArgument(name, "needs at least one tensor or array");

  const columns: Rows[] = [];
  const specs: TensorSpec[] = [];
  const cuts: Cut[] = [];
  const ready: Promise<void>[] = [];
  for (const [i, leaf] of values.entries()) {
    const source = isTensor(leaf) ? leaf : rowOf(leaf)?.rows;
    if (!source) {
      throw new MillraceError("E_DTYPE", `${name}: ${names[i]} is no tensor and no array of numbers`, { op: name });
    }
    const made = cut(source.shape, names[i]!);
    cuts.push(made);
    specs.push({ shape: made.shape, dtype: source.dtype });
    const place = ({ rows }: Row): void => {
      columns[i] = makeRows(rows.dtype, made.shape, rows.data);
    };
    if (isTensor(leaf)) ready.push(readRow(leaf).then(place));
    else place(new Row(source as Rows, 0));
  }
  const { count: size } = cuts[0]!;
  const other = cuts.findIndex(({ count }) => count !== size);
  if (other >= 0) {
    const message = `${name}: ${names[0]} has ${size} slices, ${names[other]} has ${cuts[other]!.count}`;
    throw new MillraceError("E_SHAPE", message, { op: name });
  }
  const isRead = whenAll(ready);

  return {
    name,
    inputs: [],
    size,
    spec: () => ({ structure, leaves: specs }),
    open() {
      let at = 0;
      return {
        async pull(count) {
          await isRead;
          const taken: Element[] = [];
          for (const end = Math.min(size, at + count); at < end; at++) {
            taken.push({ structure, leaves: columns.map((rows) => new Row(rows, at)) });
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
