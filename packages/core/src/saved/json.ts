// JSON from outside: told apart from what only looks like it, and read with the place of every mistake.
import { MillraceError } from "../types/errors.js";
import { platform } from "../types/platform.js";
import type { Json } from "./artifact.js";

/** Reads JSON. Refuses duplicate keys, `__proto__`, and text that is too deep, which JSON.parse would take. */
export function parseJson(bytes: Uint8Array, file: string, maxDepth: number): Field {
  const fail = (what: string): MillraceError => new MillraceError("E_FORMAT", `${file}: ${what}`);
  let text: string;
  try {
    text = new platform.TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new MillraceError("E_FORMAT", `${file}: it is no UTF-8 text`, { cause });
  }
  const problem = scan(text, maxDepth);
  if (problem) throw fail(problem);
  try {
    return new Field(JSON.parse(text), file);
  } catch (cause) {
    throw new MillraceError("E_FORMAT", `${file}: it is no JSON`, { cause });
  }
}

const code = (char: string): number => char.charCodeAt(0);
const [quote, backslash, colon] = [code('"'), code("\\"), code(":")];

/** What JSON.parse does not refuse. Text that is no JSON is left to it. Takes one walk, whatever the text. */
function scan(text: string, maxDepth: number): string | undefined {
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === "{" || char === "[") {
      open.push(char === "{" ? new Set() : null);
      if (open.length > maxDepth) return `it is nested deeper than ${maxDepth} levels`;
    } else if (char === "}" || char === "]") open.pop();
    else if (char === '"') {
      const start = at;
      at = endOfString(text, at);
      const keys = open.at(-1);
      if (!keys || !isKey(text, at + 1)) continue;
      const key = unescape(text.slice(start, at + 1));
      if (key === undefined) return undefined;
      if (key === "__proto__" || keys.has(key))
        return `the key ${JSON.stringify(key)} is not allowed, or is there twice`;
      keys.add(key);
    }
  }
  return undefined;
}

/** Where the string that begins at `start` has its last quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at;
}

function isKey(text: string, end: number): boolean {
  let at = end;
  while (at < text.length && text.charCodeAt(at) <= 32) at++;
  return text.charCodeAt(at) === colon;
}

function unescape(lexeme: string): string | undefined {
  if (!lexeme.includes("\\")) return lexeme.slice(1, -1);
  try {
    return String(JSON.parse(lexeme));
  } catch {
    return undefined;
  }
}

/** What a file says is shown up to so many characters. */
const longestMessage = 1000;

/** A value in a JSON file, which knows where it stands. */
export class Field {
  readonly value: unknown;
  private readonly parent: Field | string;
  private readonly key: string | number | undefined;

  constructor(value: unknown, parent: Field | string, key?: string | number) {
    this.value = value;
    this.parent = parent;
    this.key = key;
  }

  /** `artifact.json: graphs[0].nodes[3].op` */
  get path(): string {
    if (typeof this.parent === "string") return `${this.parent}:`;
    const { path } = this.parent;
    if (typeof this.key === "number") return `${path}[${this.key}]`;
    const name = /^[\w$]+$/.test(this.key ?? "") ? this.key : JSON.stringify(this.key);
    return path.endsWith(":") ? `${path} ${name}` : `${path}.${name}`;
  }

  /** The error that says what is wrong here. */
  error(what: string, cause?: unknown): MillraceError {
    const text = what.length > longestMessage ? `${what.slice(0, longestMessage)}…` : what;
    return new MillraceError("E_FORMAT", `${this.path} ${text}`, cause === undefined ? {} : { cause });
  }

  private expected(what: string): MillraceError {
    const got = JSON.stringify(this.value) ?? "nothing";
    return this.error(`must be ${what}, got ${got.length > 60 ? `${got.slice(0, 57)}…` : got}`);
  }

  integer(least = 0, most: number = Number.MAX_SAFE_INTEGER): number {
    const { value } = this;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most) return value;
    throw this.expected(
      most === Number.MAX_SAFE_INTEGER ? `a whole number from ${least}` : `one of ${least} to ${most}`,
    );
  }

  string(): string {
    if (typeof this.value === "string") return this.value;
    throw this.expected("a string");
  }

  oneOf<T extends string>(values: readonly T[]): T {
    const found = values.find((v) => v === this.value);
    if (found !== undefined) return found;
    throw this.expected(values.join(" or "));
  }

  /** The elements of a list, of `length` where that is given. */
  items(length?: number): Field[] {
    const { value } = this;
    if (Array.isArray(value) && (length === undefined || value.length === length))
      return value.map((item: unknown, i) => new Field(item, this, i));
    throw this.expected(length === undefined ? "a list" : `a list of ${length}`);
  }

  strings(): string[] {
    return this.items().map((item) => item.string());
  }

  /** The fields of an object, by name. */
  entries(): [string, Field][] {
    const { value } = this;
    if (!isObject(value)) throw this.expected("an object");
    return Object.entries(value).map(([name, inner]) => [name, new Field(inner, this, name)]);
  }

  /** The fields of an object that has all of `needed`, maybe some of `optional`, and no other. */
  fields<N extends string, O extends string = never>(
    needed: readonly N[],
    optional: readonly O[] = [],
  ): { readonly [K in N]: Field } & { readonly [K in O]?: Field } {
    const found = new Map<string, Field>(this.entries());
    for (const name of needed) if (!found.has(name)) throw this.error(`lacks ${JSON.stringify(name)}`);
    const known: readonly string[] = [...needed, ...optional];
    for (const [name, field] of found) if (!known.includes(name)) throw field.error("is no field of this format");
    // boundary: every name of `needed` is there, and no other than those of both
    return Object.fromEntries(found) as { readonly [K in N]: Field } & { readonly [K in O]?: Field };
  }

  /** The value as it is, for who takes any. */
  json(): Json {
    // boundary: it comes from JSON.parse
    return this.value as Json;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
