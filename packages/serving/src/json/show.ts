import { writeFloat } from "./numbers.js";
import { isList, isObject, type Json, WholeDecimal } from "./parser.js";

const longest = 1000;

/** A value as an error shows it: over several lines, and cut where it is long. */
export function showJson(value: Json): string {
  const out: string[] = [];
  show(value, "\n", { left: longest, out });
  const text = out.join("");
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

function show(value: Json, line: string, state: { left: number; readonly out: string[] }): void {
  const emit = (text: string): void => {
    state.left -= text.length;
    state.out.push(text);
  };
  if (state.left < 0) return;
  const inner = `${line}    `;
  const items = isList(value) ? value.map((v) => [undefined, v] as const) : isObject(value) ? [...value] : undefined;
  if (items === undefined) {
    emit(showLeaf(value));
    return;
  }
  const [open, close] = isList(value) ? "[]" : "{}";
  emit(open!);
  for (const [i, [key, item]] of items.entries()) {
    if (state.left < 0) return;
    emit(`${i > 0 ? "," : ""}${inner}${key === undefined ? "" : `${JSON.stringify(key)}: `}`);
    show(item, inner, state);
  }
  emit(items.length > 0 ? `${line}${close}` : close!);
}

function showLeaf(value: Json): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, longest + 1));
  if (value instanceof WholeDecimal) return writeFloat(value.value);
  if (typeof value === "number" && !Number.isInteger(value)) return writeFloat(value);
  return String(value);
}

/** What kind of value it is, as errors name it. */
export function kindOf(value: Json): string {
  if (value === null) return "Null";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return "String";
  if (isList(value)) return "Array";
  return isObject(value) ? "Object" : "Number";
}
