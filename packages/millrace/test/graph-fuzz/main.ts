// The fuzzer as a program: fuzzes the seeds [from, to) and prints a line of JSON for each failure, at the end the counts.
import process from "node:process";
import { fuzz, Tally } from "./fuzz.js";

const [from, to] = process.argv.slice(2).map(Number);
const tally = new Tally();
for (let seed = from!; seed < to!; seed++) tally.add(fuzz(seed));
process.stdout.write(`${JSON.stringify({ from, to, counts: tally.counts, failures: tally.failures })}\n`, () => {
  process.exit(0);
});
