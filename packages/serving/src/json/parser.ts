import { invalid } from "../status.js";

/** A number that was written with a fraction or exponent and is whole: 1.0 is no integer to a tensor of integers. */
export class WholeDecimal {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/**
 * A parsed document. Numbers: an integer is a number, or a bigint beyond 2^53; any other number is one with a fraction,
 * NaN, infinite, or a WholeDecimal.
 */
export type Json = null | boolean | string | number | bigint | WholeDecimal | readonly Json[] | JsonObject;

/** The first of two equal keys counts. */
export type JsonObject = ReadonlyMap<string, Json>;

export function isObject(value: Json): value is JsonObject {
  return value instanceof Map;
}

export function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** Deeper than any tensor; also what keeps the parser's recursion within the stack. */
const maxDepth = 100;

const messages = {
  empty: "The document is empty",
  after: "The document root must not be followed by other values.",
  value: "Invalid value.",
  name: "Missing a name for object member.",
  colon: "Missing a colon after a name of object member.",
  object: "Missing a comma or } after an object member.",
  array: "Missing a comma or ] after an array element.",
  hex: "Incorrect hex digit after \\u escape in string.",
  escape: "Invalid escape character in string.",
  quote: "Missing a closing quotation mark in string.",
  big: "Number too big to be stored in double.",
  fraction: "Miss fraction part in number.",
  exponent: "Miss exponent in number.",
  deep: `Nested deeper than ${maxDepth} levels.`,
} as const;

const [quote, comma, minus, point, colon] = [0x22, 0x2c, 0x2d, 0x2e, 0x3a];
const [openList, backslash, closeList, openObject, closeObject] = [0x5b, 0x5c, 0x5d, 0x7b, 0x7d];
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/**
 * Parses a document, with NaN, Infinity and Inf as numbers. It is JSON.parse for tensors: integers stay apart from other
 * numbers, int64 is exact, depth is bounded, and errors say what TensorFlow Serving's parser says.
 * @throws StatusError INVALID_ARGUMENT
 */
export function parseJson(bytes: Uint8Array): Json {
  return new Parser(bytes).document();
}

class Parser {
  private readonly bytes: Buffer;
  private at = 0;
  private depth = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  document(): Json {
    if (this.peek() === 0xef && this.bytes[1] === 0xbb && this.bytes[2] === 0xbf) this.at = 3;
    this.space();
    if (this.at >= this.bytes.length) throw invalid(`JSON Parse error: ${messages.empty}`);
    const value = this.value();
    this.space();
    if (this.at < this.bytes.length) this.fail("after");
    return value;
  }

  private fail(what: keyof typeof messages, at: number = this.at): never {
    throw invalid(`JSON Parse error: ${messages[what]} at offset: ${at}`);
  }

  /** The next byte, or -1 at the end. */
  private peek(): number {
    return this.bytes[this.at] ?? -1;
  }

  private space(): void {
    for (let c = this.peek(); c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09; c = this.peek()) this.at++;
  }

  private take(c: number): boolean {
    if (this.peek() !== c) return false;
    this.at++;
    return true;
  }

  private word(text: string): boolean {
    const end = this.at + text.length;
    if (this.bytes.toString("latin1", this.at, Math.min(end, this.bytes.length)) !== text) return false;
    this.at = end;
    return true;
  }

  private value(): Json {
    switch (this.peek()) {
      case openList:
        return this.nested(() => this.list());
      case openObject:
        return this.nested(() => this.object());
      case quote:
        return this.string();
      case 0x74:
        return this.word("true") ? true : this.fail("value");
      case 0x66:
        return this.word("false") ? false : this.fail("value");
      case 0x6e:
        return this.word("null") ? null : this.fail("value");
      default:
        return this.number();
    }
  }

  private nested<T>(read: () => T): T {
    if (++this.depth > maxDepth) this.fail("deep");
    this.at++;
    this.space();
    const value = read();
    this.depth--;
    return value;
  }

  private list(): readonly Json[] {
    const items: Json[] = [];
    if (this.take(closeList)) return items;
    for (;;) {
      items.push(this.value());
      this.space();
      if (this.take(closeList)) return items;
      if (!this.take(comma)) this.fail("array");
      this.space();
    }
  }

  private object(): JsonObject {
    const members = new Map<string, Json>();
    if (this.take(closeObject)) return members;
    for (;;) {
      if (this.peek() !== quote) this.fail("name");
      const key = this.string();
      this.space();
      if (!this.take(colon)) this.fail("colon");
      this.space();
      const value = this.value();
      if (!members.has(key)) members.set(key, value);
      this.space();
      if (this.take(closeObject)) return members;
      if (!this.take(comma)) this.fail("object");
      this.space();
    }
  }

  private string(): string {
    const start = ++this.at;
    let text = "";
    let from = start;
    for (;;) {
      const c = this.peek();
      if (c === quote) break;
      if (c < 0x20) this.fail(c < 0 ? "quote" : "escape", c < 0 ? start - 1 : this.at);
      if (c !== backslash) {
        this.at++;
        continue;
      }
      text += this.bytes.toString("utf8", from, this.at) + this.escape();
      from = this.at;
    }
    text += this.bytes.toString("utf8", from, this.at);
    this.at++;
    return text;
  }

  private escape(): string {
    const start = this.at++;
    const c = String.fromCharCode(Math.max(0, this.peek()));
    this.at++;
    if (c !== "u") return escapes[c] ?? this.fail("escape", start);
    const hex = this.bytes.toString("latin1", this.at, Math.min(this.at + 4, this.bytes.length));
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.fail("hex", start);
    this.at += 4;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  private number(): Json {
    const start = this.at;
    const negative = this.take(minus);
    const named = this.namedNumber();
    if (named !== undefined) return negative ? -named : named;
    if (this.take(0x30)) {
      // A zero stands alone before the point.
    } else if (this.digits() === 0) this.fail("value", start);
    let isInteger = true;
    if (this.take(point)) {
      isInteger = false;
      if (this.digits() === 0) this.fail("fraction");
    }
    if (this.take(0x65) || this.take(0x45)) {
      isInteger = false;
      if (!this.take(0x2b)) this.take(minus);
      if (this.digits() === 0) this.fail("exponent");
    }
    const text = this.bytes.toString("latin1", start, this.at);
    const value = Number(text);
    if (!Number.isFinite(value)) this.fail("big", start);
    if (!isInteger) return Number.isInteger(value) ? new WholeDecimal(value) : value;
    // BigInt takes time that grows with the square of the digits; what is longer is beyond 64 bits anyhow.
    if (text.length > 20) return new WholeDecimal(value);
    return Number.isSafeInteger(value) ? value + 0 : BigInt(text);
  }

  private namedNumber(): number | undefined {
    const c = this.peek();
    if (c !== 0x4e && c !== 0x49) return undefined;
    if (this.word("NaN")) return Number.NaN;
    return this.word("Infinity") || this.word("Inf") ? Number.POSITIVE_INFINITY : undefined;
  }

  private digits(): number {
    const start = this.at;
    for (let c = this.peek(); c >= 0x30 && c <= 0x39; c = this.peek()) this.at++;
    return this.at - start;
  }
}
