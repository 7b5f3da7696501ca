import { philox, Random } from "../src/random.js";

const hex = (words: readonly number[]): string => words.map((w) => w.toString(16).padStart(8, "0")).join(" ");

describe("philox", () => {
  // The known answers of the Random123 library for philox4x32 with 10 rounds.
  test.each([
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ] as const)("known answer %#", (counter, key, want) => {
    expect(hex(philox([...counter], key))).toBe(want);
  });
});

describe("Random", () => {
  const draws = (seed: number, stream: number): number[] => {
    const random = new Random(seed, stream);
    return Array.from({ length: 20 }, () => random.below(1000));
  };
  test("is a function of seed and stream", () => {
    expect(draws(7, 0)).toEqual(draws(7, 0));
    expect(draws(7, 0)).not.toEqual(draws(7, 1));
    expect(draws(7, 0)).not.toEqual(draws(8, 0));
    expect(draws(7, 0)).not.toEqual(draws(7 + 2 ** 32, 0));
    expect(draws(-1, 0)).not.toEqual(draws(2 ** 32 - 1, 0));
  });
  test("draws each number about as often: chi-squared below the 0.1 % point", () => {
    const [bound, count] = [7, 70_000];
    const random = new Random(1, 0);
    const seen = new Array<number>(bound).fill(0);
    for (let i = 0; i < count; i++) seen[random.below(bound)]! += 1;
    const want = count / bound;
    expect(seen.reduce((sum, n) => sum + (n - want) ** 2 / want, 0)).toBeLessThan(22.46);
  });
  test("the bound is never reached, and 1 has one value", () => {
    const random = new Random(3, 0);
    for (let i = 0; i < 1000; i++) expect(random.below(2 ** 32)).toBeLessThan(2 ** 32);
    expect(random.below(1)).toBe(0);
  });
});
