/**
 * The generated product tests, for ops and backends of this repository and of others: a table of cases becomes a list of
 * named checks, which any test runner can run.
 *
 *     for (const check of testOp(cubeCases, [backend])) test(check.name, check.run);
 * @packageDocumentation
 */
export {
  type Cases,
  type Content,
  cases,
  type Edge,
  type GradientEdge,
  type Reject,
  type RepairCase,
  type Sample,
} from "./ir/cases.js";
export { testBackend } from "./testing/backend.js";
export { CheckError } from "./testing/compare.js";
export { type Check, testOp } from "./testing/op.js";
