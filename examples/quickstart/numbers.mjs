// Small sums over predictions.

/** The bytes of a typed array, without a copy. */
export const bytesOf = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Whether two arrays hold the same bits. */
export const sameBits = (a, b) => Buffer.compare(bytesOf(a), bytesOf(b)) === 0;

/** The largest difference of two arrays' elements; NaN where their lengths differ. */
export function largestDifference(a, b) {
  if (a.length !== b.length) return Number.NaN;
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);
}

/** The likeliest digit of each row of ten probabilities. */
export function likeliest(probabilities) {
  return Int32Array.from({ length: probabilities.length / 10 }, (_, row) => {
    const ten = probabilities.subarray(row * 10, row * 10 + 10);
    return ten.indexOf(Math.max(...ten));
  });
}

/** The share of predictions that are right. */
export const accuracyOf = (predicted, labels) =>
  labels.reduce((right, label, i) => right + (predicted[i] === label ? 1 : 0), 0) / labels.length;

/** How often each digit (row) was taken for each digit (column). */
export function confusionOf(labels, predicted) {
  const counts = Array.from({ length: 10 }, () => new Array(10).fill(0));
  labels.forEach((label, i) => {
    counts[label][predicted[i]]++;
  });
  return counts;
}
