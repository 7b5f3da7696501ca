// The table of a model's layers, as Keras prints it.
import { dtypes, type Variable } from "@millrace/autodiff";
import { type BatchShapes, countOf, isShapeList, showShape } from "../util/shapes.js";
import type { Layer } from "./layer.js";

/** A layer in the table. */
export interface SummaryRow {
  readonly layer: Layer;
  /** Null before the model is built. */
  readonly outputShape: BatchShapes | null;
  /** The layers whose results it takes; null in a model that is a chain. */
  readonly connectedTo: readonly string[] | null;
}

/** The lines of the table. */
export function summaryLines(
  name: string,
  rows: readonly SummaryRow[],
  weights: {
    readonly trainable: readonly Variable[];
    readonly frozen: readonly Variable[];
    readonly optimizer: readonly Variable[];
  },
): string[] {
  const isGraph = rows.some((row) => row.connectedTo !== null);
  const head = ["Layer (type)", "Output Shape", ...(isGraph ? ["Connected to"] : []), "Param #"];
  const cells = rows.map(({ layer, outputShape, connectedTo }) => [
    `${layer.name} (${layer.className})`,
    outputShape === null ? "?" : showOutput(outputShape),
    ...(isGraph ? [connectedTo?.join(", ") ?? ""] : []),
    layer.built ? layer.countParams().toLocaleString("en-US") : "? (unbuilt)",
  ]);
  const widths = head.map((title, i) =>
    Math.max(title.length, ...cells.map((row) => row[i]!.length), i === 0 ? 24 : 12),
  );
  const line = (row: readonly string[], bar: string): string => {
    const padded = row.map((cell, i) => (i === row.length - 1 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)));
    return `${bar} ${padded.join(` ${bar} `)} ${bar}`;
  };
  const rule = (left: string, fill: string, cross: string, right: string): string =>
    left + widths.map((width) => fill.repeat(width + 2)).join(cross) + right;
  const total = [...weights.trainable, ...weights.frozen, ...weights.optimizer];
  return [
    `Model: "${name}"`,
    rule("┏", "━", "┳", "┓"),
    line(head, "┃"),
    rule("┡", "━", "╇", "┩"),
    ...cells.flatMap((row, i) => [...(i === 0 ? [] : [rule("├", "─", "┼", "┤")]), line(row, "│")]),
    rule("└", "─", "┴", "┘"),
    ` Total params: ${counted(total)}`,
    ` Trainable params: ${counted(weights.trainable)}`,
    ` Non-trainable params: ${counted(weights.frozen)}`,
    ...(weights.optimizer.length > 0 ? [` Optimizer params: ${counted(weights.optimizer)}`] : []),
  ];
}

function showOutput(shapes: BatchShapes): string {
  return isShapeList(shapes) ? shapes.map(showShape).join(", ") : showShape(shapes);
}

/** "13,610 (53.16 KB)" */
function counted(weights: readonly Variable[]): string {
  const sizes = weights.map((w) => ({
    count: countOf(w.shape) ?? 0,
    bytes: dtypes[w.dtype as keyof typeof dtypes].bytes,
  }));
  const count = sizes.reduce((n, size) => n + size.count, 0);
  return `${count.toLocaleString("en-US")} (${showBytes(sizes.reduce((n, size) => n + size.count * size.bytes, 0))})`;
}

function showBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(2)} ${units[power]}`;
}
