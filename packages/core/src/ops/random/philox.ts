// Philox4x32-10: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.

/**
 * The upper 32 bits of a product of two unsigned 32-bit numbers.
 * @internal
 */
export function mulHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carried = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + (carried >>> 16)) | 0;
}

const [multiplier0, multiplier1] = [0xd2511f53, 0xcd9e8d57];
const [weyl0, weyl1] = [0x9e3779b9, 0xbb67ae85];

/**
 * 128 random bits for a counter of 128 bits and a key of 64, as signed 32-bit words, lowest first.
 * @internal
 */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = [mulHigh(multiplier0, c0), Math.imul(multiplier0, c0)];
    const [high1, low1] = [mulHigh(multiplier1, c2), Math.imul(multiplier1, c2)];
    [c0, c1, c2, c3] = [high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0];
    [k0, k1] = [(k0 + weyl0) | 0, (k1 + weyl1) | 0];
  }
  return [c0, c1, c2, c3];
}
