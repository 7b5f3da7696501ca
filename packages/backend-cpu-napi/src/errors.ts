import { type CallSite, type ErrorCode, errorCodes, MillraceError } from "@millrace/core/backend";
import type { Calls } from "./calls.js";

/** An error of the addon as a Millrace error, a late one with the line of its call; anything else as it is. */
export function thrown(error: unknown, calls?: Calls): unknown {
  if (!isCoded(error) || !(error.code in errorCodes)) return error;
  const site = calls && siteOf(error, calls);
  // boundary: just looked up
  return new MillraceError(error.code as ErrorCode, error.message, {
    cause: error,
    ...(site ? { site } : {}),
  });
}

/** The line of the call that queued what failed. */
export function siteOf(error: object, calls: Calls): CallSite | undefined {
  return "call" in error && typeof error.call === "number" ? calls.at(error.call) : undefined;
}

/** Not by `instanceof`: the addon's errors may be of another realm. */
function isCoded(error: unknown): error is { readonly code: string; readonly message: string } {
  if (typeof error !== "object" || error === null) return false;
  return "code" in error && typeof error.code === "string" && "message" in error && typeof error.message === "string";
}
