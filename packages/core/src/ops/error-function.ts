/**
 * erf in double precision, which JavaScript lacks. Rational Chebyshev approximations of W. J. Cody, "Rational Chebyshev
 * approximations for the error function", Math. Comp. 23 (1969), 631–637, with the coefficients of his CALERF (SPECFUN).
 */

/** x ∈ [0, 0.46875]: erf(x) = x · p(x²) / q(x²). */
const nearP = [
  1.8577770618460315e-1, 3.1611237438705656, 1.1386415415105016e2, 3.77485237685302e2, 3.209377589138469e3,
];
const nearQ = [1, 2.3601290952344122e1, 2.4402463793444417e2, 1.2826165260773723e3, 2.844236833439171e3];

/** x ∈ [0.46875, 4]: erfc(x) = e^−x² · p(x) / q(x). */
const middleP = [
  2.1531153547440385e-8, 5.641884969886701e-1, 8.883149794388376, 6.61191906371416295e1, 2.986351381974001e2,
  8.819522212417691e2, 1.7120476126340706e3, 2.0510783778260715e3, 1.2303393547979972e3,
];
const middleQ = [
  1, 1.5744926110709835e1, 1.176939508913125e2, 5.371811018620099e2, 1.6213895745666903e3, 3.2907992357334597e3,
  4.3626190901432472e3, 3.4393676741437216e3, 1.2303393548037495e3,
];

/** x > 4: erfc(x) = e^−x² / x · (1/√π − z · p(z) / q(z)), z = 1/x². */
const farP = [
  1.6315387137302098e-2, 3.0532663496123234e-1, 3.6034489994980444e-1, 1.2578172611122925e-1, 1.6083785148742277e-2,
  6.587491615298378e-4,
];
const farQ = [
  1, 2.568520192289822, 1.8729528499234604, 5.279051029514284e-1, 6.051834131244132e-2, 2.3352049762686918e-3,
];

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
