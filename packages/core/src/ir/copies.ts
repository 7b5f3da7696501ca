// One copy of core in a process: a second would have its own op table and engine, and the tensors of two do not mix.
import { MillraceError } from "../types/errors.js";
import { version } from "../types/version.gen.js";

/** Where a copy of core was loaded from, and its version. */
export interface Copy {
  /** Without the query that hot reload adds. */
  readonly path: string;
  readonly version: string;
}

/** On globalThis: the copy that registered a backend first. */
const mark: unique symbol = Symbol.for("millrace.core");
// boundary: what a symbol holds on globalThis is no part of its type
const place = globalThis as { [mark]?: Copy };

/** The file in a stack's first frame. `import.meta` would say it too, but is no syntax in the scripts that bundlers write. */
export function pathOfStack(stack: string): string {
  const frame = /(?:\(|@|^\s*at )([^(@\n]+?)(?:[?#][^()\n]*?)?:\d+:\d+\)?$/m.exec(stack);
  return frame?.[1] ?? "";
}

const self: Copy = { path: pathOfStack(new Error().stack ?? ""), version };

const describe = (copy: Copy): string => `${copy.version} at ${copy.path || "an unknown path"}`;

/** The copy of core that holds this process, if it is not `own`. The same file evaluated again is no other copy. */
export function otherCopy(own: Copy = self): Copy | undefined {
  const first = place[mark];
  return first && (first.path !== own.path || first.version !== own.version) ? first : undefined;
}

/** Marks the process as this copy's. Throws E_DUPLICATE_CORE where another has done so. */
export function claimProcess(own: Copy = self): void {
  const other = otherCopy(own);
  if (other) throw duplicateCore(other, own);
  place[mark] ??= own;
}

/** The error of a second copy: both, and what to do. */
export function duplicateCore(first: Copy, second: Copy = self): MillraceError {
  return new MillraceError(
    "E_DUPLICATE_CORE",
    `two copies of @millrace/core are loaded: ${describe(first)}, and ${describe(second)}. ` +
      "Install one version (npm ls @millrace/core); a library takes it as a peer and does not bundle it",
  );
}
