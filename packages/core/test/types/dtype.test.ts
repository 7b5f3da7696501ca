import { describe, expect, test } from "@jest/globals";
import { type DType, dtypes, isDType, promote, promotionOrder } from "../../src/types/dtype.js";

const names = Object.keys(dtypes) as DType[];

describe("dtypes", () => {
  test.each(names)("%s has the facts of its typed array", (name) => {
    const { arrayType, bytes, isFloat, isInteger, isSigned } = dtypes[name];
    const array = new globalThis[arrayType](1);
    expect(array.BYTES_PER_ELEMENT).toBe(bytes);
    expect(/^Float/.test(arrayType)).toBe(isFloat);
    expect(isFloat && isInteger).toBe(false);
    expect(/^(Uint)/.test(arrayType)).toBe(!isSigned);
  });

  test("ids are distinct, and every dtype has its place in promotion", () => {
    expect(new Set(names.map((name) => dtypes[name].id)).size).toBe(names.length);
    expect([...promotionOrder].sort()).toEqual([...names].sort());
  });

  test("promotion is commutative, associative and idempotent; the higher in the order wins", () => {
    for (const a of names)
      for (const b of names) {
        expect(promote(a, b)).toBe(promote(b, a));
        expect(promote(a, a)).toBe(a);
        expect([a, b]).toContain(promote(a, b));
        for (const c of names) expect(promote(promote(a, b), c)).toBe(promote(a, promote(b, c)));
      }
    expect(promote("int64", "float32")).toBe("float32");
    expect(promote("bool", "uint8")).toBe("uint8");
    expect(promote("float32", "float64")).toBe("float64");
  });

  test("isDType knows the names and nothing else", () => {
    for (const name of names) expect(isDType(name)).toBe(true);
    for (const other of ["float", "toString", "", 1, null, undefined, ["bool"]]) expect(isDType(other)).toBe(false);
  });
});
