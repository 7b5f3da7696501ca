// Files that addresses name. Core and the packages above it open no connection that the caller did not name.
import { MillraceError } from "../types/errors.js";
import { platform } from "../types/platform.js";
import { type Signal, throwIfAborted } from "../types/signal.js";

/**
 * The bytes at an http: or https: address. A redirect is told, not followed.
 * @throws E_ARGUMENT where it is no address, E_FILE where it cannot be had, E_FORMAT where it has over `maxBytes`, and the signal's reason
 * @internal
 */
export async function download(address: string, maxBytes: number, signal: Signal | null): Promise<Uint8Array> {
  const { href } = readAddress(address);
  try {
    throwIfAborted(signal);
    const response = await platform.fetch(href, { redirect: "manual", ...(signal ? { signal } : {}) });
    const to = response.headers.get("location");
    if (to !== null || response.type === "opaqueredirect")
      throw new MillraceError("E_FILE", `${address}: it redirects${to ? ` to ${to}` : ""}; pass the URL it leads to`);
    if (!response.ok || !response.body)
      throw new MillraceError("E_FILE", `${address}: the answer is ${response.status}`);
    const stated = Number(response.headers.get("content-length") ?? 0);
    if (stated > maxBytes) throw tooLarge(address, stated, maxBytes);
    const reader = response.body.getReader();
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done || !value) break;
      bytes += value.length;
      pieces.push(value);
      if (bytes <= maxBytes && !signal?.aborted) continue;
      await reader.cancel();
      throwIfAborted(signal);
      throw tooLarge(address, bytes, maxBytes);
    }
    return joined(pieces, bytes);
  } catch (cause) {
    throwIfAborted(signal);
    if (cause instanceof MillraceError) throw cause;
    throw new MillraceError("E_FILE", `${address}: it cannot be fetched`, { cause });
  }
}

/**
 * An address, read relative to another where one is given. Throws E_ARGUMENT where it is none.
 * @internal
 */
export function readAddress(address: string, base?: string): { readonly href: string; readonly pathname: string } {
  try {
    return new platform.URL(address, base);
  } catch (cause) {
    throw new MillraceError("E_ARGUMENT", `${JSON.stringify(address)} is no address`, { cause });
  }
}

/**
 * The path that a file: address names; one of a drive begins with its letter. Throws E_ARGUMENT where it names none.
 * @internal
 */
export function pathOfFileUrl(address: string): string {
  const { pathname } = readAddress(address);
  try {
    const path = decodeURIComponent(pathname);
    return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
  } catch (cause) {
    throw new MillraceError("E_ARGUMENT", `${JSON.stringify(address)} names no path`, { cause });
  }
}

function tooLarge(address: string, bytes: number, maxBytes: number): MillraceError {
  return new MillraceError("E_FORMAT", `${address}: ${bytes} bytes exceed the limit of ${maxBytes}`);
}

function joined(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
