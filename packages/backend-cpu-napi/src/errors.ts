import { type ErrorCode, errorCodes, MillraceError } from "@millrace/core/backend";

/** An error of the addon as a Millrace error; anything else as it is. */
export function thrown(error: unknown): unknown {
  if (!isCoded(error) || !(error.code in errorCodes)) return error;
  // boundary: just looked up
  return new MillraceError(error.code as ErrorCode, error.message, { cause: error });
}

/** Not by `instanceof`: the addon's errors may be of another realm. */
function isCoded(error: unknown): error is { readonly code: string; readonly message: string } {
  if (typeof error !== "object" || error === null) return false;
  return "code" in error && typeof error.code === "string" && "message" in error && typeof error.message === "string";
}
