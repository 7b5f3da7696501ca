/**
 * erf in double precision, which JavaScript lacks. Rational Chebyshev approximations of W. J. Cody, "Rational Chebyshev
 * approximations for the error function", Math. Comp. 23 (1969), 631–637, with the coefficients of his CALERF (SPECFUN).
 */

/** x ∈ [0, 0.46875]: erf(x) = x · p(x²) / q(x²). */
const nearP = [0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.377589138469];
const nearQ = [1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171];

/** x ∈ [0.46875, 4]: erfc(x) = e^−x² · p(x) / q(x). */
const middleP = [
  2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769,
  1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
];
const middleQ = [
  1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
  4362.619090143247, 3439.3676741437216, 1230.3393548037495,
];

/** x > 4: erfc(x) = e^−x² / x · (1/√π − z · p(z) / q(z)), z = 1/x². */
const farP = [
  0.016315387137302097, 0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.01608378514874228,
  0.0006587491615298378,
];
const farQ = [1, 2.568520192289822, 1.8729528499234604, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918];

const horner = (coefficients: readonly number[], x: number): number => coefficients.reduce((sum, c) => sum * x + c, 0);

/** erfc for x ≥ 0.46875. */
function complement(x: number): number {
  if (x <= 4) return Math.exp(-x * x) * (horner(middleP, x) / horner(middleQ, x));
  const z = 1 / (x * x);
  return (Math.exp(-x * x) / x) * (1 / Math.sqrt(Math.PI) - (z * horner(farP, z)) / horner(farQ, z));
}

/** The error function of a double, within a few units in the last place. */
export function errorFunction(x: number): number {
  const size = Math.abs(x);
  if (size <= 0.46875) return x * (horner(nearP, x * x) / horner(nearQ, x * x));
  // From here on 1 − erf(x) is less than half a unit in the last place of 1.
  if (size > 6) return Math.sign(x);
  return Number.isNaN(x) ? NaN : Math.sign(x) * (1 - complement(size));
}
