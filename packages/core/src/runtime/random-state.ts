// The default generator of the engine: in JavaScript for eager draws, in a variable for functions, which advance it at
// each call.
import { hostState, type RandomState, variableState } from "../ops/random/state.js";
import type { Tensor } from "../types/tensor.js";
import type { Device } from "./device.js";
import { engine } from "./engine.js";
import { makeVariable } from "./variable.js";

/** Eager draws and draws in functions never share a counter: the key of the latter has this bit turned over. */
const inFunctions = 1 << 30;

export class EngineRandomState implements RandomState {
  private readonly eager = hostState();
  private readonly byDevice = new Map<Device, RandomState>();
  private words: Int32Array | undefined;

  take(): Tensor {
    return engine.trace ? this.onDevice(engine.defaultDevice()).take() : this.eager.take();
  }

  reset(words: Int32Array): void {
    this.eager.reset(words);
    this.words = words.map((word, i) => (i === 1 ? word ^ inFunctions : word));
    for (const state of this.byDevice.values()) state.reset(this.words);
  }

  private onDevice(device: Device): RandomState {
    let state = this.byDevice.get(device);
    if (!state) {
      state = variableState((words) =>
        engine.outside(() => makeVariable(words, { trainable: false, name: "random_state" })),
      );
      if (this.words) state.reset(this.words);
      this.byDevice.set(device, state);
    }
    return state;
  }
}
