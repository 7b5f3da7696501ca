// What every backend promises, and every op of core against its definition, on native kernels.
import { setLogger } from "@millrace/core";
import { testBackend } from "@millrace/core/testing";
import { createCpuBackend } from "../src/index.js";

const backend = createCpuBackend();
// The op that prints does.
setLogger(null);
afterAll(() => {
  setLogger();
  backend.close();
});

for (const { name, run } of testBackend(backend)) test(name, run);
