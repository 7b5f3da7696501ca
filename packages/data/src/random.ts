// Random numbers as a function of seed, stream and position.
import { mulHigh, philox } from "@millrace/core/support";

/** The low and high word of a whole number of at most 53 bits. */
function words(value: number): [number, number] {
  return [value >>> 0, Math.floor(value / 2 ** 32) >>> 0];
}

/** One stream of random numbers of a seed. */
export class Random {
  private readonly key: [number, number];
  private readonly stream: [number, number];
  private block = 0;
  private buffer: number[] = [];

  constructor(seed: number, stream: number) {
    this.key = words(seed);
    this.stream = words(stream);
  }

  private next(): number {
    if (this.buffer.length === 0) {
      const [low, high] = words(this.block++);
      this.buffer = philox([low, high, ...this.stream], this.key)
        .map((word) => word >>> 0)
        .reverse();
    }
    return this.buffer.pop()!;
  }

  /**
   * A whole number from 0 to below `bound`, at most 2^32, each as likely.
   * D. Lemire, "Fast random integer generation in an interval", ACM TOMACS 29 (2019).
   */
  below(bound: number): number {
    const tooOften = 2 ** 32 % bound;
    for (;;) {
      const word = this.next();
      if (Math.imul(word, bound) >>> 0 >= tooOften) return mulHigh(word, bound) >>> 0;
    }
  }
}
