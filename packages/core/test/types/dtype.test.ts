import { describe, expect, test } from "@jest/globals";
import { type DType, dtypes, isDType, joins, promote, promotionOrder } from "../../src/types/dtype.js";

const names = Object.keys(dtypes) as DType[];

describe("dtypes", () => {
  test.each(names)("%s has the facts of its typed array", (name) => {
    const { arrayType, bytes, isFloat, isInteger, isSigned, computesIn } = dtypes[name];
    const array = new globalThis[arrayType](1);
    expect(array.BYTES_PER_ELEMENT).toBe(bytes);
    expect(isFloat && isInteger).toBe(false);
    // Narrow floats are bits in JavaScript.
    if (computesIn) return expect(dtypes[computesIn].bytes).toBeGreaterThan(bytes);
    expect(/^Float/.test(arrayType)).toBe(isFloat);
    expect(/^(Uint)/.test(arrayType)).toBe(!isSigned);
  });

  test("ids are distinct, and every dtype has its place in promotion", () => {
    expect(new Set(names.map((name) => dtypes[name].id)).size).toBe(names.length);
    expect([...promotionOrder].sort()).toEqual([...names].sort());
  });

  test("promotion is commutative, associative and idempotent; the higher in the order wins, or their join", () => {
    for (const a of names)
      for (const b of names) {
        expect(promote(a, b)).toBe(promote(b, a));
        expect(promote(a, a)).toBe(a);
        const join =
          joins.find((pair) => pair[0] === a && pair[1] === b) ?? joins.find((pair) => pair[0] === b && pair[1] === a);
        expect(join ? [join[2]] : [a, b]).toContain(promote(a, b));
        for (const c of names) expect(promote(promote(a, b), c)).toBe(promote(a, promote(b, c)));
      }
    expect(promote("int64", "float32")).toBe("float32");
    expect(promote("bool", "uint8")).toBe("uint8");
    expect(promote("float32", "float64")).toBe("float64");
    expect(promote("int8", "uint8")).toBe("int32");
    expect(promote("int64", "bfloat16")).toBe("bfloat16");
    expect(promote("bfloat16", "float32")).toBe("float32");
  });

  test("isDType knows the names and nothing else", () => {
    for (const name of names) expect(isDType(name)).toBe(true);
    for (const other of ["float", "toString", "", 1, null, undefined, ["bool"]]) expect(isDType(other)).toBe(false);
  });
});
