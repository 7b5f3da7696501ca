// Numbers in and out of JSON, against JavaScript's own.

import { writeFloat, writeFloat32 } from "../src/json/numbers.js";
import { parseJson } from "../src/json/parser.js";
import { RowReader } from "../src/json/rows.js";
import { random } from "./random.js";

const next = random(1);
const bits = new DataView(new ArrayBuffer(8));

/** Any float32 by its bits; no NaN, no infinity. */
function anyFloat32(): number {
  for (;;) {
    bits.setUint32(0, next(2 ** 32));
    const x = bits.getFloat32(0);
    if (Number.isFinite(x)) return x;
  }
}
function anyFloat64(): number {
  for (;;) {
    bits.setUint32(0, next(2 ** 32));
    bits.setUint32(4, next(2 ** 32));
    const x = bits.getFloat64(0);
    if (Number.isFinite(x)) return x;
  }
}

test("a float32 is written so that it is read back, in no more digits than it needs", () => {
  for (let i = 0; i < 20_000; i++) {
    const x = i % 2 ? anyFloat32() : Math.fround((next(2_000_001) - 1_000_000) / 10 ** next(8));
    const text = writeFloat32(x);
    expect(Object.is(Math.fround(Number(text)), x)).toBe(true);
    if (!Number.isInteger(x)) expect(text.replace(/^-|e.*/g, "").replace(/^0\.0*|\D/g, "").length).toBeLessThan(10);
  }
  expect(
    [0.1, 1 / 3, 16777216, 1e-45, 3.4028234663852886e38, -0, 1e10].map((x) => writeFloat32(Math.fround(x))),
  ).toEqual(["0.1", "0.33333334", "16777216.0", "1.4013e-45", "3.4028235e+38", "-0.0", "10000000000.0"]);
  expect([Number.NaN, Infinity, -Infinity].map(writeFloat32)).toEqual(["NaN", "Infinity", "-Infinity"]);
  expect([0.1, 1e21, 5, -0, 5e-324].map(writeFloat)).toEqual(["0.1", "1e+21", "5.0", "-0.0", "5e-324"]);
});

/** What the quick reader makes of a list of numbers as text, or undefined where it leaves it to the other. */
function quick(texts: readonly string[]): number[] | undefined {
  const out = new Float32Array(texts.length);
  const reader = new RowReader(Buffer.from(`[${texts.join(next(2) ? ", " : ",")}] `));
  return reader.tensor([texts.length], 0, out, 0) === texts.length ? [...out] : undefined;
}

test("the quick reader rounds numbers as JSON.parse does", () => {
  let read = 0;
  const forms: (() => string)[] = [
    () => `${anyFloat32()}`,
    () => writeFloat32(anyFloat32()),
    () => `${anyFloat64()}`,
    () => `${next(2 ** 24)}`,
    () => (next(1_000_000) / 1_000_000).toFixed(next(20)),
    () => anyFloat32().toExponential(next(17)),
    // Halfway between two float32, and a little beside.
    () => {
      const x = Math.abs(anyFloat32());
      bits.setFloat32(0, x);
      bits.setUint32(0, bits.getUint32(0) + 1);
      const middle = (x + bits.getFloat32(0)) / 2;
      return Number.isFinite(middle) ? middle.toPrecision(17 + next(4)) : "0.5";
    },
    () => `${next(10)}.${Array.from({ length: next(60) + 1 }, () => next(10)).join("")}e${next(40) - 20}`,
  ];
  for (let i = 0; i < 4000; i++) {
    const texts = Array.from({ length: 8 }, () => forms[next(forms.length)]!());
    const got = quick(texts);
    if (!got) continue;
    read++;
    // As TensorFlow Serving does, an integer has no negative zero.
    const want = texts.map((text) => Math.fround(Number(text)) + (/^-?\d+$/.test(text) ? 0 : -0));
    for (const [j, x] of got.entries())
      if (!Object.is(x, want[j])) throw new Error(`${texts[j]}: ${x}, not ${want[j]}`);
  }
  expect(read).toBeGreaterThan(100);
});

test.each([
  "01",
  "1.",
  ".5",
  "+1",
  "1e",
  "1e+",
  "-",
  "0x1",
  "1_0",
  "--1",
  "1 1",
  "NaN",
  "Infinity",
  "1e99999",
  "",
  "1,",
])("the quick reader leaves %j to the parser", (text) => expect(quick([text])).toBeUndefined());

test("what the parser takes is what JSON.parse takes", () => {
  const texts = [
    '{"a": [1, 2.5, -3e2, true, false, null, "x\\u00e9\\n\\"", {}], "b": {"c": []}}',
    "[]",
    ' "\\ud83d\\ude00" ',
    "[1,]",
    "{,}",
    '{"a" 1}',
    '{"a": 1,}',
    "{1: 2}",
    '["a]',
    '["\\x"]',
    '["\\u12g4"]',
    "[tru]",
    "nul",
    "1 2",
    '["\u0001"]',
    "[1.e3]",
  ];
  for (const text of texts) {
    const taken = (f: () => unknown): boolean => {
      try {
        f();
        return true;
      } catch {
        return false;
      }
    };
    expect([text, taken(() => parseJson(Buffer.from(text)))]).toEqual([text, taken(() => JSON.parse(text))]);
  }
});
