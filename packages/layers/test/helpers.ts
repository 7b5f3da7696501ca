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
