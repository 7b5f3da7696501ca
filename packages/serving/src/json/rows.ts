import { exactPower } from "./numbers.js";

const [space, quote, plus, comma, minus, point, zero, nine] = [0x20, 0x22, 0x2b, 0x2c, 0x2d, 0x2e, 0x30, 0x39];
const [openList, backslash, closeList] = [0x5b, 0x5c, 0x5d];

const maxExact = 2 ** 53;
const largestWhole = 2 ** 24 - 1;
const largestFloat = 3.4028234663852886e38;

/**
 * Reads well-formed JSON straight into arrays of tensors' elements: several times quicker than JSON.parse and a copy. It
 * understands only what is common; at anything else it says so, and the request is read anew by the parser that knows
 * everything. So it never decides what an error is.
 */
export class RowReader {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The next byte that is no white space, or -1. */
  next(): number {
    const { bytes } = this;
    let { at } = this;
    let c = at < bytes.length ? bytes[at]! : -1;
    while (c <= space && (c === space || c === 0x0a || c === 0x0d || c === 0x09))
      c = ++at < bytes.length ? bytes[at]! : -1;
    this.at = at;
    return c;
  }

  /** Skips white space and this byte; false where another stands there. */
  take(c: number): boolean {
    if (this.next() !== c) return false;
    this.at++;
    return true;
  }

  /** A string of plain ASCII, else undefined. */
  text(): string | undefined {
    if (!this.take(quote)) return undefined;
    const { bytes } = this;
    let text = "";
    for (let c = bytes[this.at]; c !== undefined; c = bytes[++this.at]) {
      if (c === quote) {
        this.at++;
        return text;
      }
      if (c < space || c > 0x7e || c === backslash || text.length > 200) return undefined;
      text += String.fromCharCode(c);
    }
    return undefined;
  }

  /** Reads nested lists of these sizes from `axis` on into `out`; the index after the last element, or -1. */
  tensor(shape: readonly number[], axis: number, out: Float32Array, index: number): number {
    const rank = shape.length;
    if (axis === rank) return this.numbers(1, out, index);
    if (!this.take(openList)) return -1;
    const size = shape[axis]!;
    let to = index;
    if (axis === rank - 1) {
      if (size > 0) to = this.numbers(size, out, index);
    } else {
      for (let i = 0; i < size && to >= 0; i++) {
        if (i > 0 && !this.take(comma)) return -1;
        to = this.tensor(shape, axis + 1, out, to);
      }
    }
    return to >= 0 && this.take(closeList) ? to : -1;
  }

  /** Reads `count` numbers with commas between them. What is rounded twice here is rounded once elsewhere, to the same. */
  private numbers(count: number, out: Float32Array, index: number): number {
    if (this.next() < 0) return -1;
    const { bytes } = this;
    const { length } = bytes;
    let { at } = this;
    for (let i = 0; i < count; i++) {
      let c = bytes[at]!;
      if (i > 0) {
        while (c <= space && at < length) c = bytes[++at]!;
        if (c !== comma) return -1;
        c = bytes[++at]!;
        while (c <= space && at < length) c = bytes[++at]!;
      }
      const start = at;
      const negative = c === minus;
      if (negative) c = bytes[++at]!;
      let mantissa = c - zero;
      if (!(mantissa >= 0 && mantissa <= 9)) return -1;
      const first = at;
      c = bytes[++at]!;
      if (mantissa === 0) {
        if (c >= zero && c <= nine) return -1;
      } else {
        for (; c >= zero && c <= nine; c = bytes[++at]!) mantissa = mantissa * 10 + (c - zero);
      }
      let scale = 0;
      let whole = true;
      if (c === point) {
        whole = false;
        const from = ++at;
        for (c = bytes[at]!; c >= zero && c <= nine; c = bytes[++at]!) mantissa = mantissa * 10 + (c - zero);
        scale = from - at;
        if (scale === 0) return -1;
      }
      const digits = at - first;
      if (c === 0x65 || c === 0x45) {
        whole = false;
        c = bytes[++at]!;
        const down = c === minus;
        if (down || c === plus) c = bytes[++at]!;
        let exponent = 0;
        const from = at;
        for (; c >= zero && c <= nine; c = bytes[++at]!) exponent = exponent * 10 + (c - zero);
        if (at === from || at - from > 4) return -1;
        scale += down ? -exponent : exponent;
      }
      // The number must have ended within the body.
      if (at >= length) return -1;
      let value: number;
      if (whole) {
        if (mantissa > largestWhole) return -1;
        value = negative ? 0 - mantissa : mantissa;
      } else {
        value = scaled(mantissa, scale, digits);
        if (Number.isNaN(value)) value = Math.abs(Number(latin1(bytes, start, at)));
        if (value > largestFloat) return -1;
        if (negative) value = -value;
      }
      out[index++] = value;
    }
    this.at = at;
    return index;
  }
}

/**
 * mantissa · 10^scale where that rounds to the right float32, else NaN. One operation on exact numbers is right. With more
 * digits it is off by less than 2^-46 of itself, which decides nothing unless the edge between two float32 is that near.
 */
function scaled(mantissa: number, scale: number, digits: number): number {
  if (scale < -22 || scale > 22) return mantissa === 0 ? 0 : Number.NaN;
  const value = scale < 0 ? mantissa / exactPower(-scale) : mantissa * exactPower(scale);
  if (mantissa < maxExact) return value;
  if (digits > 40) return Number.NaN;
  const margin = value * 1.5e-14;
  return Math.fround(value - margin) === Math.fround(value + margin) ? value : Number.NaN;
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");
}
