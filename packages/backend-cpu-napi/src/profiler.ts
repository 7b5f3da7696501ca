import type { KernelRun, Peaks, Profiler } from "@millrace/core/backend";
import type { NativeContext } from "./addon.js";
import { thrown } from "./errors.js";

/** The times of kernels that the addon notes. */
export class NativeProfiler implements Profiler {
  private readonly native: NativeContext;

  constructor(native: NativeContext) {
    this.native = native;
  }

  start(): void {
    guard(() => this.native.startProfile());
  }

  stop(): KernelRun[] {
    const { kernels, events } = guard(() => this.native.stopProfile());
    const runs: KernelRun[] = [];
    for (let i = 0; i < events.length; i += 5) {
      runs.push({
        kernel: kernels[events[i]!]!,
        origin: events[i + 1]!,
        queued: events[i + 2] === 1,
        start: events[i + 3]! / 1e6,
        milliseconds: events[i + 4]! / 1e6,
      });
    }
    return runs;
  }

  peaks(): Peaks {
    return guard(() => this.native.peaks());
  }
}

function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw thrown(error);
  }
}
