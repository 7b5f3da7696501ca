import type { Bound, Buf, LiveMemory, Origins } from "@millrace/core/backend";
import type { NativeContext } from "./addon.js";
import { thrown } from "./errors.js";

/** What the addon keeps of where buffers came from. */
export class NativeOrigins implements Origins {
  private readonly native: NativeContext;

  constructor(native: NativeContext) {
    this.native = native;
  }

  setBound(bound: Bound, first: number): void {
    try {
      this.native.setBoundOrigin(bound, first);
    } catch (error) {
      throw thrown(error);
    }
  }

  set(buf: Buf, origin: number, from?: number): void {
    try {
      this.native.setOrigin(buf, origin, from);
    } catch (error) {
      throw thrown(error);
    }
  }

  live(): LiveMemory[] {
    try {
      return rowsOf(this.native.liveByOrigin());
    } catch (error) {
      throw thrown(error);
    }
  }
}

function rowsOf(numbers: readonly number[]): LiveMemory[] {
  const rows: LiveMemory[] = [];
  for (let i = 0; i < numbers.length; i += 3)
    rows.push({ origin: numbers[i]!, buffers: numbers[i + 1]!, bytes: numbers[i + 2]! });
  return rows;
}
