/** A float64 in as few digits as tell it apart, never looking like an integer; NaN and Infinity are written by name. */
export function writeFloat(value: number): string {
  const text = Object.is(value, -0) ? "-0" : String(value);
  // Whole numbers up to 1e21 are written without an exponent.
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${text}.0` : text;
}

const powers: readonly number[] = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/** 10^n for n up to 22, where a float64 has it exactly. */
export function exactPower(n: number): number {
  return powers[n]!;
}

/** A float32 in as few digits as tell it apart from other float32 numbers: 0.1, not 0.10000000149011612. */
export function writeFloat32(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || (Number.isInteger(value) && size < 1e21)) return writeFloat(value);
  if (size < 1e-6 || size > 1e9) return writeFloat(shorten(value));
  // value = m / 10^k with 6 to 9 digits in m: both are exact, so the quotient is the float64 of that decimal.
  const k = 5 - Math.floor(Math.log10(size));
  for (let digits = Math.max(0, k); digits <= k + 3 && digits <= 22; digits++) {
    const power = powers[digits]!;
    const decimal = Math.round(value * power) / power;
    if (Math.fround(decimal) === value) return writeFloat(decimal);
  }
  return writeFloat(shorten(value));
}

/** The float64 of the shortest decimal that rounds to this float32. */
function shorten(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === value) return decimal;
  }
  return Number(value.toPrecision(9));
}
