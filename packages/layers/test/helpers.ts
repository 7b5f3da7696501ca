// What the tests share.
import type { MillraceError, Tensor } from "@millrace/autodiff";
import { isMillraceError } from "@millrace/autodiff";

/** The elements, row-major. */
export const values = (t: Tensor): number[] => Array.from(t.dataSync() as Float32Array);

/** The Millrace error that `f` throws. */
export function thrown(f: () => unknown): MillraceError {
  try {
    f();
  } catch (error) {
    if (isMillraceError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** The code that a promise rejects with. */
export async function codeOf(f: () => Promise<unknown>): Promise<string> {
  try {
    await f();
  } catch (error) {
    if (isMillraceError(error)) return error.code;
    throw error;
  }
  return "nothing was thrown";
}

/** Throws where a number is apart from the wanted by over `tolerance` times the greater of 1 and the wanted. */
export function near(got: readonly number[], want: readonly number[], tolerance: number): void {
  if (got.length !== want.length) throw new Error(`${got.length} numbers, not ${want.length}`);
  for (const [i, w] of want.entries()) {
    const off = Math.abs(got[i]! - w) / Math.max(1, Math.abs(w));
    if (!(off <= tolerance) && !Object.is(got[i], w)) throw new Error(`number ${i} is ${got[i]}, not ${w}`);
  }
}
