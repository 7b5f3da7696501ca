import { MillraceError } from "../types/errors.js";
import { withDefaults } from "../types/options.js";
import { throwIfAborted, untilAborted } from "../types/signal.js";
import type { AwaitOptions } from "../types/tensor.js";
import { deviceNamed, startedDevices } from "./backends.js";
import { engine } from "./engine.js";
import { checkKept } from "./purity.js";
import { flattenStructure, refusePromise } from "./structure.js";
import { isSlices, TensorImpl, TracerTensor } from "./tensor.js";
import { VariableImpl } from "./variable.js";

/** Disposes of every tensor in a structure. */
export function dispose(structure: unknown): void {
  const leaves: TensorImpl[] = [];
  flattenStructure(structure, leaves);
  for (const x of leaves) x.dispose();
}

/** Keeps a tensor beyond the tidy that it was made in. */
export function keep<T>(tensor: T): T {
  if (tensor instanceof TracerTensor) checkKept();
  if (tensor instanceof TensorImpl && engine.scope) {
    const at = engine.scope.made.indexOf(tensor);
    if (at >= 0) engine.scope.made.splice(at, 1);
  }
  return tensor;
}

/**
 * Runs `f` and disposes of the tensors it made, except those it returns, those it keeps, and variables.
 * Throws E_ASYNC_SCOPE where `f` returns a promise.
 */
export function tidy<T>(nameOrF: string | (() => T), maybe?: () => T): T {
  const f = typeof nameOrF === "function" ? nameOrF : maybe;
  if (!f) throw new MillraceError("E_ARGUMENT", "tidy: needs a function");
  const outer = engine.scope;
  const scope = { made: [] as TensorImpl[] };
  engine.scope = scope;
  const returned: TensorImpl[] = [];
  try {
    const value = f();
    refusePromise("tidy", value);
    flattenStructure(value, returned);
    return value;
  } finally {
    engine.scope = outer;
    const kept = new Set(returned.flatMap((x) => (isSlices(x) ? [x, x.values, x.indices] : [x])));
    for (const x of scope.made) {
      // A tape around this scope may need what was made inside it; it belongs to the scope around the tape then.
      if (kept.has(x) || engine.recording) outer?.made.push(x);
      else if (!(x instanceof VariableImpl)) x.dispose();
    }
  }
}

/**
 * Waits until everything that was queued has run. Rejects with the first error that nobody has read. A signal ends the
 * wait and nothing else: what was queued runs on.
 */
export async function sync(device?: string, options: AwaitOptions = {}): Promise<void> {
  const { signal } = withDefaults("sync", options, { signal: null });
  if (device !== undefined) deviceNamed(device);
  for (const { backend, index, name } of startedDevices()) {
    throwIfAborted(signal);
    if (!device || name === device) await untilAborted(backend.sync(index, signal), signal, () => {});
  }
}
