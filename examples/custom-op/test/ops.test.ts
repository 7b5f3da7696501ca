// The product tests that core's own ops go through, then what users do: functions and gradients.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { grad } from "@millrace/autodiff";
import { add, fn, mul, registerReferenceBackend, sum, type Tensor, tensor } from "@millrace/core";
import { ReferenceBackend } from "@millrace/core/backend";
import { testOp } from "@millrace/core/testing";
import { cbrtCases } from "../src/cbrt.js";
import { cbrt, mish } from "../src/index.js";
import { mishCases } from "../src/mish.js";

registerReferenceBackend();
const backends = [new ReferenceBackend(), new ReferenceBackend({ name: "fusing", fusion: true })];

for (const table of [mishCases, cbrtCases])
  describe(table.op.name, () => {
    for (const check of testOp(table, backends)) test(check.name, check.run);
  });

test("both run in a function, among other ops", () => {
  const f = fn((x: Tensor) => add(mish(cbrt(mul(x, 2))), x));
  const [y] = f(tensor([4])).arraySync();
  assert.ok(Math.abs(y - (2 * Math.tanh(Math.log1p(Math.exp(2))) + 4)) < 1e-6);
});

test("both have gradients", () => {
  const slope = (f: (x: Tensor) => Tensor, x: number): number => grad((v) => sum(f(v)))(tensor([x])).arraySync()[0];
  assert.ok(Math.abs(slope(cbrt, -8) - 1 / 12) < 1e-7);
  const h = 1e-3;
  const at = (x: number): number => x * Math.tanh(Math.log1p(Math.exp(x)));
  assert.ok(Math.abs(slope(mish, 0.5) - (at(0.5 + h) - at(0.5 - h)) / (2 * h)) < 1e-5);
});
