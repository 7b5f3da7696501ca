// Which format a path leads to, told by its content.
import { getFiles, MillraceError } from "@millrace/core";
import { formatHeadBytes, formatNames, formatOfFile, type ModelFormat, mainFileOf } from "@millrace/core/graph";

/** The format of a file, or of a directory by its main file. Throws E_FILE and E_FORMAT. */
export async function formatAt(path: string): Promise<ModelFormat> {
  const files = getFiles();
  const kind = await files.kind(path);
  if (kind === null) throw new MillraceError("E_FILE", `${path}: there is no such file or directory`);
  const main = kind === "file" ? "" : mainFileOf(await files.list(path));
  const file = main === undefined ? undefined : main === "" ? path : `${path}/${main}`;
  const format = file && formatOfFile(await files.read(file, { range: [0, formatHeadBytes] }));
  if (format) return format;
  const what =
    file === undefined ? "it is a directory without a model of its own: name a file in it" : "it is no model";
  throw new MillraceError("E_FORMAT", `${path}: ${what}; the formats are ${Object.values(formatNames).join(", ")}`);
}
