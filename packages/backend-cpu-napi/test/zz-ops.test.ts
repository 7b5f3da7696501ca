import { testBackend } from "@millrace/core/testing";
import { CpuBackend } from "../src/index.js";
const checks = testBackend(new CpuBackend());
for (const { name, run } of checks) test(name, run);
