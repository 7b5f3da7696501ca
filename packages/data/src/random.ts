// Philox 4x32-10: random numbers as a function of seed, stream and position. J. K. Salmon, M. A. Moraes, R. O. Dror and
// D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011; the constants are those of its table 2.

const rounds = 10;
const multipliers = [0xd2511f53, 0xcd9e8d57] as const;
const weyl = [0x9e3779b9, 0xbb67ae85] as const;

type Words4 = [number, number, number, number];

/** The upper 32 bits of the product of two 32-bit words. */
function mulHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const mid = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (mid & 0xffff);
  return aHigh * bHigh + Math.floor(mid / 0x10000) + Math.floor(carry / 0x10000);
}

/** The four random words that belong to a counter of four words under a key of two. */
export function philox([c0, c1, c2, c3]: Readonly<Words4>, [k0, k1]: readonly [number, number]): Words4 {
  for (let round = 0; round < rounds; round++) {
    const next0 = (mulHigh(multipliers[1], c2) ^ c1 ^ k0) >>> 0;
    const next2 = (mulHigh(multipliers[0], c0) ^ c3 ^ k1) >>> 0;
    c1 = Math.imul(multipliers[1], c2) >>> 0;
    c3 = Math.imul(multipliers[0], c0) >>> 0;
    c0 = next0;
    c2 = next2;
    k0 = (k0 + weyl[0]) >>> 0;
    k1 = (k1 + weyl[1]) >>> 0;
  }
  return [c0, c1, c2, c3];
}

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
      this.buffer = philox([low, high, ...this.stream], this.key).reverse();
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
      if (Math.imul(word, bound) >>> 0 >= tooOften) return mulHigh(word, bound);
    }
  }
}
