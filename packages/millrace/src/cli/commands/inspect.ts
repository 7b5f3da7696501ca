// `millrace inspect`: what is in a file, told by its content.
import { MillraceError } from "@millrace/core";
import { formatNames } from "@millrace/core/graph";
import "../../index.js";
import { formatAt } from "../formats.js";
import { describeArtifact } from "../inspect/artifact.js";
import type { Description } from "../inspect/description.js";
import { describeKeras } from "../inspect/keras.js";
import { describeLite } from "../inspect/lite.js";
import { describeWeights } from "../inspect/weights.js";
import { print, printJson } from "../output.js";

interface InspectOptions {
  readonly graph?: boolean;
  readonly json?: boolean;
}

/** Prints the graphs, signatures and sizes of a saved model. */
export async function inspect(path: string, options: InspectOptions): Promise<void> {
  const { lines, json } = await describe(path, options.graph ?? false);
  if (options.json) printJson(json);
  else print(lines.join("\n"));
}

async function describe(path: string, withGraph: boolean): Promise<Description> {
  const format = await formatAt(path);
  switch (format) {
    case "millrace":
      return describeArtifact(path, withGraph);
    case "keras":
      return describeKeras(path, withGraph);
    case "tflite":
      return describeLite(path, withGraph);
    case "h5":
      return describeWeights(path);
    default:
      throw new MillraceError("E_UNIMPLEMENTED", `${path}: it is ${formatNames[format]}, which is not read yet`);
  }
}
