// Counts of tests, out of what the test runners say.

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * From jest's JSON. A suite that could not run is a failure.
 * @param {{ numPassedTests: number, numFailedTests: number, numRuntimeErrorTestSuites: number, numPendingTests: number, numTodoTests: number }} result
 * @returns {Counts}
 */
export const jestCounts = (result) => ({
  passed: result.numPassedTests,
  failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
  skipped: result.numPendingTests + result.numTodoTests,
});

/**
 * From the output of `cargo test`: the sum over its test programs.
 * @param {string} output
 * @returns {Counts}
 */
export function cargoCounts(output) {
  const results = [...output.matchAll(/^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored/gm)];
  return sum(results.map(([, ...counts]) => fromNumbers(counts)));
}

/**
 * From output that ends with a line of counts, as `countsLine` writes it.
 * @param {string} output
 * @returns {Counts | undefined}
 */
export function lineCounts(output) {
  const match = output.trimEnd().match(/(?:^|\n)(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/);
  return match ? fromNumbers(match.slice(1)) : undefined;
}

/** @param {Counts} counts */
export const countsLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;

/**
 * What a runner counted, or one failure where it ended badly (or said nothing) without naming any.
 * @param {boolean} ok whether the runner ended well
 * @param {Counts | undefined} counts
 * @returns {Counts}
 */
export function judged(ok, counts) {
  const said = counts ?? { passed: 0, failed: 0, skipped: 0 };
  return said.failed === 0 && (!ok || counts === undefined) ? { ...said, failed: 1 } : said;
}

/**
 * @param {readonly Counts[]} all
 * @returns {Counts}
 */
export const sum = (all) =>
  all.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }), {
    passed: 0,
    failed: 0,
    skipped: 0,
  });

function fromNumbers(counts) {
  const [passed = 0, failed = 0, skipped = 0] = counts.map((count) => Number(count ?? 0));
  return { passed, failed, skipped };
}
