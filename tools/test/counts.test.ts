import { cargoCounts, countsLine, jestCounts, judged, lineCounts, sum } from "../lib/counts.mjs";

test("a suite that could not run is a failure", () => {
  const result = {
    numPassedTests: 3,
    numFailedTests: 1,
    numRuntimeErrorTestSuites: 2,
    numPendingTests: 1,
    numTodoTests: 1,
  };
  expect(jestCounts(result)).toEqual({ passed: 3, failed: 3, skipped: 2 });
});

test("cargo's test programs are summed", () => {
  const output = [
    "running 2 tests",
    "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
    "test result: FAILED. 5 passed; 3 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.00s",
  ];
  expect(cargoCounts(output.join("\n"))).toEqual({ passed: 7, failed: 3, skipped: 1 });
});

test("a line of counts reads back as it was written", () => {
  for (const skipped of [0, 4]) {
    const counts = { passed: 12, failed: 3, skipped };
    expect(lineCounts(`9 passed, 9 failed\n${countsLine(counts)}\n`)).toEqual(counts);
  }
  expect(lineCounts("3 passed, 0 failed\nand more")).toBeUndefined();
});

test("a runner that ends badly fails, whatever it counted", () => {
  const good = { passed: 2, failed: 0, skipped: 0 };
  expect(judged(true, good)).toEqual(good);
  expect(judged(false, good)).toEqual({ ...good, failed: 1 });
  expect(judged(true, undefined)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(judged(false, { ...good, failed: 4 })).toEqual({ ...good, failed: 4 });
});

test("sums of nothing are zero", () => {
  expect(sum([])).toEqual({ passed: 0, failed: 0, skipped: 0 });
});
