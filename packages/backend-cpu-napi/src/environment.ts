import { MillraceError } from "@millrace/core/backend";

/** The values of MILLRACE_CPU; native/kernels/src/isa.rs reads it. */
export const instructionPaths = ["portable", "neon", "avx2", "avx512", "avx512vnni", "amx"] as const;

/**
 * Refuses variables of the environment with values that the kernels would ignore.
 * @throws E_ARGUMENT, naming the values that there are
 */
export function checkEnvironment(environment: Readonly<Record<string, string | undefined>> = process.env): void {
  const { MILLRACE_CPU: path, MILLRACE_THREADS: threads } = environment;
  if (path && !instructionPaths.some((known) => known === path)) {
    throw new MillraceError("E_ARGUMENT", `MILLRACE_CPU is ${instructionPaths.join(", ")} or not set, got "${path}"`);
  }
  if (threads && !/^0*[1-9]\d*$/.test(threads)) {
    throw new MillraceError("E_ARGUMENT", `MILLRACE_THREADS is a whole number from 1 or not set, got "${threads}"`);
  }
}
