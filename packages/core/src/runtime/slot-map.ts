import { MillraceError } from "../types/errors.js";

/** Slots that fit a small integer, with the generation above. */
const slotBits = 20;
const generations = 1 << 10;

/** Values under small integers. A number carries its slot's generation, so that a stale one is noticed, not confused. */
export class SlotMap<T> {
  private readonly values: (T | undefined)[] = [];
  private readonly generation: number[] = [];
  private readonly free: number[] = [];
  size = 0;

  add(value: T): number {
    const slot = this.free.pop() ?? this.values.length;
    this.values[slot] = value;
    this.generation[slot] ??= 0;
    this.size++;
    return this.generation[slot]! * (1 << slotBits) + slot;
  }

  get(id: number, what: string): T {
    const slot = id & ((1 << slotBits) - 1);
    const value = this.generation[slot] === id >> slotBits ? this.values[slot] : undefined;
    if (value === undefined) throw new MillraceError("E_DISPOSED", `${what} ${id} is not there any more`);
    return value;
  }

  /** Every value. */
  *all(): Iterable<T> {
    for (const value of this.values) if (value !== undefined) yield value;
  }

  /** Takes a value out; undefined where it has gone already. */
  remove(id: number): T | undefined {
    const slot = id & ((1 << slotBits) - 1);
    if (this.generation[slot] !== id >> slotBits) return undefined;
    const value = this.values[slot];
    if (value === undefined) return undefined;
    this.values[slot] = undefined;
    this.generation[slot] = (this.generation[slot]! + 1) % generations;
    this.free.push(slot);
    this.size--;
    return value;
  }
}
