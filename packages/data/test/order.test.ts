import * as data from "../src/index.js";
import { numbers } from "./helpers.js";

describe("repeat, take, skip, concatenate, enumerate", () => {
  test("against lists", async () => {
    const ds = data.range(5);
    expect(await ds.repeat(2).toArray()).toEqual([...numbers(5), ...numbers(5)]);
    expect(await ds.repeat(0).toArray()).toEqual([]);
    expect(await ds.repeat().take(12).toArray()).toEqual(numbers(12).map((i) => i % 5));
    expect(await ds.take(2).toArray()).toEqual([0, 1]);
    expect(await ds.take(9).toArray()).toEqual(numbers(5));
    expect(await ds.take(0).toArray()).toEqual([]);
    expect(await ds.take(-1).toArray()).toEqual(numbers(5));
    expect(await ds.skip(3).toArray()).toEqual([3, 4]);
    expect(await ds.skip(9).toArray()).toEqual([]);
    expect(await data.range(1000).skip(997).toArray()).toEqual([997, 998, 999]);
    expect(await ds.concatenate(data.array(["a"])).toArray()).toEqual([...numbers(5), "a"]);
    expect(await ds.take(0).concatenate(ds.take(1)).toArray()).toEqual([0]);
    expect(await data.array(["a", "b"]).enumerate().toArray()).toEqual([
      [0, "a"],
      [1, "b"],
    ]);
    expect(await data.array(["a"]).enumerate(5).toArray()).toEqual([[5, "a"]]);
  });
  test("random pipelines give what the same operations on a list give", async () => {
    let state = 12345;
    const below = (n: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % n;
    };
    for (let round = 0; round < 200; round++) {
      let ds: data.Dataset<number> = data.range(below(12));
      let want = numbers(ds.cardinality());
      const steps: string[] = [];
      for (let i = below(6); i >= 0; i--) {
        const n = below(7);
        const steppers: [string, () => void][] = [
          [`take ${n}`, () => ([ds, want] = [ds.take(n), want.slice(0, n)])],
          [`skip ${n}`, () => ([ds, want] = [ds.skip(n), want.slice(n)])],
          [
            `repeat ${n % 3}`,
            () => ([ds, want] = [ds.repeat(n % 3), Array.from({ length: n % 3 }, () => want).flat()]),
          ],
          ["map", () => ([ds, want] = [ds.map((x) => x * 2 + n), want.map((x) => x * 2 + n)])],
          ["filter", () => ([ds, want] = [ds.filter((x) => x % 3 !== n % 3), want.filter((x) => x % 3 !== n % 3)])],
          ["concatenate", () => ([ds, want] = [ds.concatenate(data.range(n)), [...want, ...numbers(n)]])],
          [`prefetch ${n + 1}`, () => (ds = ds.prefetch(n + 1))],
          ["cache", () => (ds = ds.cache())],
          [
            `batch ${n + 1}`,
            () =>
              (ds = ds
                .batch(n + 1)
                .unbatch()
                .map((x) => x.itemSync())),
          ],
        ];
        const [name, step] = steppers[below(steppers.length)]!;
        steps.push(name);
        step();
      }
      const label = steps.join(" → ");
      const known = ds.cardinality();
      if (known !== data.UNKNOWN) expect([label, known]).toEqual([label, want.length]);
      expect([label, await ds.toArray()]).toEqual([label, want]);
      expect([label, await ds.toArray()]).toEqual([label, want]);
    }
  });
  test("repeating nothing for ever ends", async () => {
    expect(await data.array([]).repeat().toArray()).toEqual([]);
    expect(
      await data
        .range(3)
        .filter(() => false)
        .repeat()
        .take(1)
        .toArray(),
    ).toEqual([]);
  });
  test("refuses bad counts", () => {
    for (const bad of [-2, 1.5, Number.NaN]) {
      expect(() => data.range(1).repeat(bad)).toThrow("repeat: count must be a whole number from 0");
      expect(() => data.range(1).take(bad)).toThrow("take: count");
      expect(() => data.range(1).skip(bad)).toThrow("skip: count");
    }
    // boundary: the error is the subject
    expect(() => data.range(1).concatenate(3 as unknown as data.Dataset<number>)).toThrow("needs a dataset");
  });
});
