import { transforms } from "../src/ir/transform.js";
import * as tables from "../src/ops/cases.gen.js";
import { coreOps } from "../src/ops/table.js";
import { gradientGraph } from "../src/testing/rules.js";
import { testOp } from "../src/testing.js";

// What the autodiff package gives to core; here the rules themselves are tested.
transforms.current = { ...transforms.current, vjp: gradientGraph };

/** Ops with regions have tests of their own. */
const control = ["call", "cond", "customGradient", "recompute", "scan", "whileLoop", "whileLoopBack"];

test("every op has cases, and every table of cases an op", () => {
  const tested = Object.values(tables).map(({ op }) => op.name);
  expect(tested.sort()).toEqual(coreOps.map(({ name }) => name).sort());
});

describe.each(Object.values(tables))("$op.name", (table) => {
  const checks = testOp(table);
  for (const { name, run } of checks) test(name, run);
  if (!control.includes(table.op.name)) test("has an edge or a sample", () => expect(checks.length).toBeGreaterThan(0));
});
