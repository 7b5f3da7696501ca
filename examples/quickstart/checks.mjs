// What the quickstart proves on the way: each check is shown, and is in the report.
import { largestDifference, likeliest, sameBits } from "./numbers.mjs";

/** Checks with how they came out. */
export class Checks {
  #list = [];

  /** @param measured what was found, as text */
  add(name, passed, measured) {
    this.#list.push({ name, passed, measured });
    console.log(`${passed ? "ok" : "FAILED"}: ${name}: ${measured}`);
  }

  /** Passes where two arrays of predictions hold the same bits. */
  sameBits(name, want, got) {
    const same = sameBits(want, got);
    this.add(name, same, same ? "the same bits" : `differs by up to ${largestDifference(want, got)}`);
  }

  /** Passes where no probability differs by more than `most`. */
  close(name, want, got, most) {
    const difference = largestDifference(want, got);
    const measured = difference === 0 ? "the same numbers" : `differs by up to ${difference.toExponential(1)}`;
    this.add(name, difference <= most, measured);
  }

  /** Passes where at least this share of the digits is taken for the same one. */
  sameAnswers(name, want, got, least) {
    const [wanted, found] = [likeliest(want), likeliest(got)];
    const same = found.reduce((n, digit, i) => n + (digit === wanted[i] ? 1 : 0), 0);
    this.add(name, same >= least * wanted.length, `the same digit for ${same} of ${wanted.length}`);
  }

  get list() {
    return [...this.#list];
  }

  get failed() {
    return this.#list.filter(({ passed }) => !passed).length;
  }
}
