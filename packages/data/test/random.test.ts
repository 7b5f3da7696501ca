import { Random } from "../src/random.js";

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
