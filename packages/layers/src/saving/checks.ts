// What every reader of a file shares: refusals, limits, and JSON that is believed only as far as it was looked at.
import { isMillraceError, MillraceError } from "@millrace/autodiff";
import { complete, type Defaults } from "../util/options.js";

/**
 * How much a file may ask for.
 * @public
 */
export interface LoadLimits {
  /** The most bytes of the file, of what it unpacks to, and of the model's weights, each; 2 GiB unless said. */
  readonly bytes?: number;
  /** The most bytes of a configuration; 64 MiB unless said. */
  readonly jsonBytes?: number;
  /** The most applications of layers, those inside of layers counted each time; a million unless said. */
  readonly layers?: number;
}

const defaults: Defaults<LoadLimits> = { bytes: 2 ** 31, jsonBytes: 2 ** 26, layers: 1e6 };

export type Limits = Required<LoadLimits>;

/** The limits with defaults filled in. Throws E_ARGUMENT. */
export function limitsOf(given: LoadLimits | null | undefined): Limits {
  const limits = complete("limits", given ?? {}, defaults);
  for (const [name, value] of Object.entries(limits)) {
    if (value > 0) continue;
    throw new MillraceError("E_ARGUMENT", `limits: ${name} must be over 0, got ${String(value)}`);
  }
  return limits;
}

/** A refusal of a file. */
export function badFile(what: string, cause?: unknown): MillraceError {
  return new MillraceError("E_FORMAT", what, cause === undefined ? {} : { cause });
}

const callersMistakes = new WeakSet<object>();

/** A refusal of what the caller gave beside the file. */
export function badCustomObject(what: string): MillraceError {
  const error = new MillraceError("E_ARGUMENT", `customObjects: ${what}`);
  callersMistakes.add(error);
  return error;
}

/**
 * Runs `f` on what a file says. What goes wrong in it is the file's fault, E_FORMAT, unless it says that something is
 * missing here.
 */
export function believing<T>(where: string, f: () => T): T {
  try {
    return f();
  } catch (error) {
    if (isMillraceError(error, "E_FORMAT") || isMillraceError(error, "E_UNIMPLEMENTED")) throw error;
    if (isMillraceError(error, "E_VERSION") || (isMillraceError(error) && callersMistakes.has(error))) throw error;
    const reason = isMillraceError(error) ? error.reason : error instanceof Error ? error.message : String(error);
    throw badFile(`${where}: ${reason}`, error);
  }
}

/** Deeper than any model is nested, and no deeper than recursion may go. */
const maxDepth = 256;

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** The object that UTF-8 bytes hold as JSON. Throws E_FORMAT. */
export function parseJson(name: string, bytes: Uint8Array, { jsonBytes }: Limits): Json {
  if (bytes.length > jsonBytes) throw badFile(`${name}: ${bytes.length} bytes exceed the limit of ${jsonBytes}`);
  checkDepth(name, bytes);
  const value = believing(name, () => JSON.parse(utf8(bytes)) as unknown);
  if (isJson(value)) return value;
  throw badFile(`${name} holds no JSON object`);
}

/** Counts brackets outside of strings: what is too deep is not parsed. */
function checkDepth(name: string, bytes: Uint8Array): void {
  const [quote, backslash, open, close, openList, closeList] = Array.from('"\\{}[]', (c) => c.charCodeAt(0));
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === backslash) i++;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === open || byte === openList) {
      if (++depth > maxDepth) throw badFile(`${name} is nested over ${maxDepth} deep`);
    } else if (byte === close || byte === closeList) depth--;
  }
}

/** Whether a value is an object, neither a list nor null. */
export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether two JSON values are equal. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((x, i) => sameJson(x, b[i]));
  if (!isJson(a)) return a === b;
  const keys = Object.keys(a);
  return isJson(b) && keys.length === Object.keys(b).length && keys.every((key) => sameJson(a[key], b[key]));
}

/** A short form of a value for messages. */
export function show(value: unknown): string {
  const text = typeof value === "function" ? value.name : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

// boundary: both platforms have these
const { TextDecoder, TextEncoder } = globalThis as unknown as {
  readonly TextDecoder: new (label: string, options: { fatal: boolean }) => { decode(bytes: Uint8Array): string };
  readonly TextEncoder: new () => { encode(text: string): Uint8Array };
};

/** Throws where the bytes are no UTF-8. */
export function utf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

export function toUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
