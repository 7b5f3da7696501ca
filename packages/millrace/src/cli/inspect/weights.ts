import * as tf from "../../index.js";
import { bytesText, table } from "../output.js";
import type { Description } from "./description.js";

/** An HDF5 file of Keras's: its tensors by their paths. */
export async function describeWeights(path: string): Promise<Description> {
  const weights = await tf.inspectWeights(path);
  const { bytes } = await tf.getFiles().stat(path);
  const rows = weights.map(({ path: name, shape }) => [name, `[${shape.join(",")}]`]);
  const lines = [`${path}: an HDF5 file, ${bytesText(bytes)}`, "", "weights", table(rows, "  ")];
  return { lines, json: { format: "h5", bytes, weights } };
}
