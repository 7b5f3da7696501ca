import type { TypedArray } from "@millrace/core";
import { bytesOf } from "@millrace/core/graph";

/** Copies `from` into `into` from element `at` on. Both hold the same dtype. */
export function copyInto(into: TypedArray, from: TypedArray, at: number): void {
  bytesOf(into).set(bytesOf(from), at * into.BYTES_PER_ELEMENT);
}
