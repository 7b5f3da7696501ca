import { readFileSync } from "node:fs";
import { MillraceError } from "@millrace/core/backend";
import { checkEnvironment, instructionPaths } from "../src/environment.js";

test.each([{}, { MILLRACE_CPU: "" }, { MILLRACE_CPU: "portable", MILLRACE_THREADS: "4" }, { MILLRACE_CPU: "avx512" }])(
  "%j is well",
  (environment) => {
    expect(() => checkEnvironment(environment)).not.toThrow();
  },
);

test.each([
  [
    { MILLRACE_CPU: "nonsense" },
    'MILLRACE_CPU is portable, neon, avx2, avx512, avx512vnni, amx or not set, got "nonsense"',
  ],
  [{ MILLRACE_CPU: "AVX2" }, 'MILLRACE_CPU is portable, neon, avx2, avx512, avx512vnni, amx or not set, got "AVX2"'],
  [{ MILLRACE_THREADS: "all" }, 'MILLRACE_THREADS is a whole number from 1 or not set, got "all"'],
  [{ MILLRACE_THREADS: "0" }, 'MILLRACE_THREADS is a whole number from 1 or not set, got "0"'],
])("%j is refused", (environment, reason) => {
  expect(() => checkEnvironment(environment)).toThrow(expect.objectContaining({ code: "E_ARGUMENT", reason }));
  expect(() => checkEnvironment(environment)).toThrow(MillraceError);
});

test("the paths are those that the kernels and the guide name", () => {
  const source = readFileSync(new URL("../../../native/kernels/src/isa.rs", import.meta.url), "utf8");
  const guide = readFileSync(new URL("../../../docs/guide.md", import.meta.url), "utf8");
  expect(source).toContain(`MILLRACE_CPU=${instructionPaths.join("|")}\``);
  expect(guide).toContain(`\`MILLRACE_CPU=${instructionPaths[0]}\`, \`${instructionPaths.slice(1).join("`, `")}\``);
});
