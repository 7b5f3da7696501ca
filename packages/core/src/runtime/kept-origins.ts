import { remember } from "../ir/remember.js";
import type { Bound, Buf, LiveMemory, Origins } from "./backend.js";
import type { SlotMap } from "./slot-map.js";

/** A buffer, as far as its origin goes. */
interface Kept {
  origin: number;
  readonly bytes: number;
}

/** The origin of a bound's result, given that of its first one. */
export function originOf(first: number, result: number): number {
  return first === 0 ? 0 : first + result;
}

/** The origins of a backend in JavaScript, whose buffers and bounds have a field for them. */
export class KeptOrigins implements Origins {
  private readonly buffers: SlotMap<Kept>;
  private readonly bounds: SlotMap<{ origin: number }>;

  constructor(buffers: SlotMap<Kept>, bounds: SlotMap<{ origin: number }>) {
    this.buffers = buffers;
    this.bounds = bounds;
  }

  setBound(bound: Bound, first: number): void {
    this.bounds.get(bound, "bound program").origin = first;
  }

  set(buf: Buf, origin: number, from?: number): void {
    const kept = this.buffers.get(buf, "buffer");
    if (from === undefined || kept.origin === from) kept.origin = origin;
  }

  live(): Iterable<LiveMemory> {
    const found = new Map<number, { origin: number; buffers: number; bytes: number }>();
    for (const { origin, bytes } of this.buffers.all()) {
      const sum = remember(found, origin, () => ({ origin, buffers: 0, bytes: 0 }));
      sum.buffers++;
      sum.bytes += bytes;
    }
    return found.values();
  }
}
