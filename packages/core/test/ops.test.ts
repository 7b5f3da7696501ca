import * as tables from "../src/ops/cases.gen.js";
import { coreOps } from "../src/ops/table.js";
import { ReferenceBackend } from "../src/runtime/reference-backend.js";
import { testOp } from "../src/testing.js";

const backends = [new ReferenceBackend(), new ReferenceBackend({ name: "fusing", fusion: true })];

test("every op has cases, and every table of cases an op", () => {
  const tested = Object.values(tables).map(({ op }) => op.name);
  expect(tested.sort()).toEqual(coreOps.map(({ name }) => name).sort());
});

for (const table of Object.values(tables)) {
  describe(table.op.name, () => {
    const checks = testOp(table, backends);
    for (const check of checks) test(check.name, check.run);
    // Ops with regions have tests of their own.
    if (!["call", "cond", "whileLoop"].includes(table.op.name)) {
      test("has an edge or a sample", () => expect(checks.length).toBeGreaterThan(0));
    }
  });
}
