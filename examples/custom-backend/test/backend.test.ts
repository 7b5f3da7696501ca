// The product tests that every backend goes through, then what is this one's own.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  add,
  fn,
  getBackend,
  mul,
  neg,
  registerBackend,
  relu,
  setBackend,
  type Tensor,
  tensor,
  zeros,
} from "@millrace/core";
import { testBackend } from "@millrace/core/testing";
import { QuotaBackend } from "../src/index.js";

describe("every promise of a backend", () => {
  for (const check of testBackend(new QuotaBackend(2 ** 30))) test(check.name, check.run);
});

const small = new QuotaBackend(10_000);
registerBackend("quota", () => small);
await setBackend("quota");

test("it is used by its name", () => assert.equal(getBackend(), "quota"));

test("its memory is limited, and disposing gives some back", () => {
  const x = tensor(new Float32Array(1000));
  const y = neg(x);
  assert.throws(() => add(x, y), { code: "E_MEMORY" });
  assert.throws(() => tensor(new Float32Array(1000)), { code: "E_MEMORY" });
  y.dispose();
  neg(x).dispose();
  x.dispose();
  assert.equal(small.stats().liveBytes, 0);
});

test("it sees one fused kernel in a function", () => {
  const x = zeros([4]);
  small.kernelsByOp.clear();
  const f = fn((v: Tensor) => relu(add(mul(v, 2), 1)));
  f(x);
  assert.equal(small.kernelsByOp.get("loop"), 1);
  assert.equal(small.kernelsByOp.has("add"), false);
});
