// Puts the pieces together that must not know each other: op methods on the tensor class, the engine behind the ops.
import { claimProcess } from "../ir/copies.js";
import { randomState } from "../ops/random/state.js";
import type { BackendFactory } from "../runtime/backend.js";
import { addBackend } from "../runtime/backends.js";
import { connectEngine } from "../runtime/engine.js";
import { EngineRandomState } from "../runtime/random-state.js";
import { ReferenceBackend } from "../runtime/reference-backend.js";
import { TensorImpl } from "../runtime/tensor.js";
import { withDefaults } from "../types/options.js";
import { installMethods } from "./methods.gen.js";

let connected = false;

/**
 * Makes a backend known. Nothing is started, and a name that is known stays as it is. The first registration connects
 * the engine; until then every op throws E_NO_BACKEND.
 * @throws E_DUPLICATE_CORE where another copy of core has registered a backend in this process
 * @param factory makes the backend when it is first needed, at once or awaited
 * @param options.priority of those that start, the highest is the default
 */
export function registerBackend(
  name: string,
  factory: BackendFactory,
  options: { readonly priority?: number } = {},
): void {
  const { priority } = withDefaults("registerBackend", options, { priority: 0 });
  if (!connected) {
    claimProcess();
    connected = true;
    installMethods(TensorImpl.prototype);
    connectEngine();
    randomState.current = new EngineRandomState();
  }
  addBackend(name, factory, priority);
}

/** Registers the reference backend, which needs nothing but JavaScript, below every other. */
export function registerReferenceBackend(): void {
  registerBackend("reference", () => new ReferenceBackend(), { priority: -1 });
}
