// A bounded cache of what has to be given back.

/** A map that keeps what was used last: when it is full, the half that was not used for longest is given back. */
export class RecentMap<K, V> {
  private readonly entries = new Map<K, V>();
  private readonly most: number;
  private readonly giveBack: (value: V) => void;
  private readonly onEvict: () => void;

  /**
   * @param most entries that are kept
   * @param giveBack is called with each value that leaves
   * @param onEvict is called after a half has left: whoever remembers values must forget them, so that must be rare
   */
  constructor(most: number, giveBack: (value: V) => void, onEvict: () => void) {
    this.most = most;
    this.giveBack = giveBack;
    this.onEvict = onEvict;
  }

  get size(): number {
    return this.entries.size;
  }

  /** The value of a key, which is now the one used last. */
  get(key: K): V | undefined {
    const value = this.entries.get(key);
    if (value === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, value);
    return value;
  }

  /** Adds a value under a key that has none. */
  add(key: K, value: V): void {
    if (this.entries.size >= this.most) this.evict();
    this.entries.set(key, value);
  }

  /** Gives all values back. */
  clear(): void {
    for (const value of this.entries.values()) this.giveBack(value);
    this.entries.clear();
  }

  private evict(): void {
    for (const [key, value] of this.entries) {
      if (this.entries.size <= this.most / 2) break;
      this.giveBack(value);
      this.entries.delete(key);
    }
    this.onEvict();
  }
}
