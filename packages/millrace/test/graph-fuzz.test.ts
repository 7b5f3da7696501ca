// Random graphs give the same in every way of running them. `node tools/fuzz-graphs.mjs` runs more of them.
import process from "node:process";
import { checkExample } from "./graph-fuzz/check.js";
import { found } from "./graph-fuzz/found.js";
import { fuzz, Tally } from "./graph-fuzz/fuzz.js";
import { missingOps } from "./graph-fuzz/generate.js";

const first = Number(process.env.MILLRACE_FUZZ_SEED ?? 1);
const count = Number(process.env.MILLRACE_FUZZ ?? 1000);

test("every op can be in a graph", () => expect(missingOps()).toEqual([]));

test.each(Object.entries(found))("seed %s", (_, example) => {
  expect(checkExample(example())).toMatchObject({ value: "held" });
});

test(`${count} random graphs`, () => {
  const tally = new Tally();
  for (let seed = first; seed < first + count; seed++) tally.add(fuzz(seed));
  expect(tally.failures.map(({ seed, failed, code }) => `seed ${seed}: ${failed}\n${code}`)).toEqual([]);
  expect(tally.leftOut).toBeLessThan(0.05);
}, 3_600_000);
