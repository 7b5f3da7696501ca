// What the commands print: results on standard output, what goes on and what failed on standard error.
import process from "node:process";
import { isMillraceError } from "@millrace/core";
import { CommanderError } from "commander";

/** Who reads the output may stop, as `head` does: then there is nothing more to do, and nothing went wrong. */
export function endWithReader(
  stream: { on(event: "error", listener: (error: NodeJS.ErrnoException) => void): unknown },
  exit: () => void,
): void {
  stream.on("error", (error) => {
    if (error.code !== "EPIPE") throw error;
    exit();
  });
}

/** Prints a result. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints a result for programs. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Whether the cursor stands behind a bar. */
let isBarOpen = false;

/** Prints what goes on. */
export function note(text: string): void {
  process.stderr.write(`${isBarOpen ? "\n" : ""}${text}\n`);
  isBarOpen = false;
}

/** Says what failed; gives the exit code. */
export function reportFailure(error: unknown, asJson: boolean): number {
  if (error instanceof CommanderError) {
    // commander has written its message, except for one of our own.
    if (error.code === "millrace.invalidNumber") note(error.message);
    return error.exitCode === 0 ? 0 : 2;
  }
  if (!isMillraceError(error)) {
    note(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return 1;
  }
  // The line that called is one of ours: it says nothing to who typed a command.
  const { code, reason } = error;
  if (asJson) printJson({ error: { code, message: reason } });
  else note(`${code}: ${reason}\nmillrace explain ${code} says more.`);
  return error.code === "E_ARGUMENT" ? 2 : 1;
}

/** Lines of cells in columns; numbers are set to the right. */
export function table(rows: readonly (readonly (string | number)[])[], indent = ""): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => String(row[i] ?? "").length)));
  const cell = (value: string | number, i: number): string => {
    return typeof value === "number" ? String(value).padStart(widths[i]!) : value.padEnd(widths[i]!);
  };
  return rows.map((row) => (indent + row.map(cell).join("  ")).trimEnd()).join("\n");
}

/** 1536 → "1.5 KiB". */
export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** A bar on a terminal, redrawn in place; nothing elsewhere. */
export function progressBar(what: string): (fraction: number) => void {
  const { stderr } = process;
  if (!stderr.isTTY) return () => {};
  const width = 30;
  return (fraction) => {
    const done = Math.round(Math.min(1, Math.max(0, fraction)) * width);
    stderr.write(`\r${what} [${"=".repeat(done)}${" ".repeat(width - done)}] ${Math.round(fraction * 100)} %`);
    isBarOpen = fraction < 1;
    if (!isBarOpen) stderr.write("\n");
  };
}
