//! float32 functions as straight-line code that the compiler vectorises; each within 2 ulp (tested against float64).
//! The polynomials are minimax fits made for this file (weighted by relative error, below 2e-9, then rounded to
//! float32). Range reductions: Cody & Waite, Software Manual for the Elementary Functions (1980).

use crate::isa::{fma32, fma64};

/// 1.5 · 2^23: adding it rounds a small float to an integer, half to even, and leaves that integer in the low bits.
const ROUND32: f32 = 12_582_912.0;
/// 1.5 · 2^52.
const ROUND64: f64 = 6_755_399_441_055_744.0;
/// Below this, steps of a function of x may be subnormal though x is not, and functions are linear to the last place.
const NEARLY_ZERO: f32 = 1e-30;
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// c[0] + c[1] x + …, by Horner's rule.
#[inline(always)]
fn poly<const FMA: bool, const N: usize>(x: f32, c: [f32; N]) -> f32 {
    let mut sum = c[N - 1];
    let mut i = N - 1;
    while i > 0 {
        i -= 1;
        sum = fma32::<FMA>(sum, x, c[i]);
    }
    sum
}

#[inline(always)]
fn poly64<const FMA: bool, const N: usize>(x: f64, c: [f64; N]) -> f64 {
    let mut sum = c[N - 1];
    let mut i = N - 1;
    while i > 0 {
        i -= 1;
        sum = fma64::<FMA>(sum, x, c[i]);
    }
    sum
}

/// The exponent field of 2^n.
const fn exponent(n: i32) -> i32 {
    (n + 127) << 23
}

/// x = n ln 2 + r for the whole number n in `shifted`: (n in the place of an exponent, r).
#[inline(always)]
fn reduce<const FMA: bool>(x: f32, shifted: f32) -> (i32, f32) {
    let whole = shifted - ROUND32;
    let r = fma32::<FMA>(whole, -LN2_LOW, fma32::<FMA>(whole, -LN2_HIGH, x));
    // Above n the bits of `shifted` are even at this place and fall out.
    ((shifted.to_bits() << 23) as i32, r)
}

/// x = n ln 2 + r with |r| <= ln 2 / 2: (n in the place of an exponent, e^r - 1).
#[inline(always)]
fn exp_parts<const FMA: bool>(x: f32) -> (i32, f32) {
    let (n, r) = reduce::<FMA>(x, fma32::<FMA>(x, std::f32::consts::LOG2_E, ROUND32));
    let q = poly::<FMA, 5>(r, [0.5, 0.166_665_39, 0.041_666_612, 0.008_367_102, 0.001_391_755_3]);
    (n, fma32::<FMA>(r * r, q, r))
}

/// The sum of the two exponents as a power of two; it is a normal number.
#[inline(always)]
fn power(n: i32, by: i32) -> f32 {
    f32::from_bits(n.wrapping_add(by) as u32)
}

#[inline(always)]
pub fn exp<const FMA: bool>(x: f32) -> f32 {
    // Outside, the result is 0 or infinity; a NaN fails both tests and stays.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let (n, p) = exp_parts::<FMA>(x);
    // In two steps: subnormal results are rounded once more, and 2^128 is never built.
    let tiny = x < -80.0;
    let (by, rest) = if tiny { (exponent(64), 5.421_011e-20) } else { (exponent(-1), 2.0) };
    let power = power(n, by);
    fma32::<FMA>(p, power, power) * rest
}

/// (e^x - 1) / 2 of its parts.
#[inline(always)]
fn half_expm1<const FMA: bool>((n, p): (i32, f32)) -> f32 {
    let half = power(n, exponent(-1));
    fma32::<FMA>(half, p, half - 0.5)
}

#[inline(always)]
pub fn expm1<const FMA: bool>(x: f32) -> f32 {
    let y = if x > 89.0 { 89.0 } else { x };
    let y = if y < -20.0 { -20.0 } else { y };
    let result = half_expm1::<FMA>(exp_parts::<FMA>(y)) * 2.0;
    // Where half of it would be subnormal, and -0.
    if x.abs() < NEARLY_ZERO { x } else { result }
}

#[inline(always)]
pub fn log<const FMA: bool>(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let scaled = if tiny { x * 8_388_608.0 } else { x };
    let bits = scaled.to_bits() as i32;
    // m in [√½, √2)
    let e = bits.wrapping_sub(0x3f35_04f3) >> 23;
    let m = f32::from_bits(bits.wrapping_sub(e << 23) as u32);
    let e = e as f32 - if tiny { 23.0 } else { 0.0 };
    let f = m - 1.0;
    let p = poly::<FMA, 9>(
        f,
        [
            0.333_333_13,
            -0.250_000_1,
            0.200_021_19,
            -0.166_679_95,
            0.142_195_5,
            -0.124_055_95,
            0.118_881_9,
            -0.116_756_28,
            0.067_465_52,
        ],
    );
    let square = f * f;
    let low = fma32::<FMA>(e, LN2_LOW, fma32::<FMA>(square * f, p, -0.5 * square));
    let result = fma32::<FMA>(e, LN2_HIGH, f + low);
    let result = if x == f32::INFINITY { x } else { result };
    let result = if x == 0.0 { f32::NEG_INFINITY } else { result };
    if x < 0.0 || x.is_nan() { f32::NAN } else { result }
}

/// ln m for s = (m - 1) / (m + 1): 2 artanh s, relative error below 1e-11 for |s| <= 0.172.
#[inline(always)]
fn log_series<const FMA: bool>(s: f64) -> f64 {
    let t = s * s;
    2.0 * s * poly64::<FMA, 8>(t, [1.0, 1.0 / 3.0, 0.2, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0, 1.0 / 13.0, 1.0 / 15.0])
}

/// ln x of a positive normal number, in float64 to about 1e-11; 0 gives -∞ and ∞ gives ∞.
#[inline(always)]
fn log_wide<const FMA: bool>(x: f64) -> f64 {
    let bits = x.to_bits() as i64;
    let shifted = bits.wrapping_sub(0x3fe6_a09e_667f_3bcd);
    let e = shifted >> 52;
    let m = f64::from_bits(bits.wrapping_sub(e << 52) as u64);
    // e as a float without a conversion of i64, which older paths lack.
    let e = f64::from_bits((e.wrapping_add(ROUND64.to_bits() as i64)) as u64) - ROUND64;
    let result = fma64::<FMA>(e, std::f64::consts::LN_2, log_series::<FMA>((m - 1.0) / (m + 1.0)));
    let result = if x == f64::INFINITY { x } else { result };
    if x == 0.0 { f64::NEG_INFINITY } else { result }
}

#[inline(always)]
pub fn log1p<const FMA: bool>(x: f32) -> f32 {
    let wide = x as f64;
    let near = log_series::<FMA>(wide / (2.0 + wide));
    let far = log_wide::<FMA>(1.0 + wide);
    let result = if x.abs() < 0.4 { near } else { far } as f32;
    let result = if x == 0.0 { x } else { result };
    if x < -1.0 || x.is_nan() { f32::NAN } else { result }
}

/// e^x in float64 to about 1e-10, for results that float32 can hold (others give 0 or a value that rounds to ∞).
#[inline(always)]
fn exp_wide<const FMA: bool>(x: f64) -> f64 {
    let x = if x > 100.0 { 100.0 } else { x };
    let x = if x < -120.0 { -120.0 } else { x };
    let shifted = fma64::<FMA>(x, std::f64::consts::LOG2_E, ROUND64);
    let r = fma64::<FMA>(shifted - ROUND64, -std::f64::consts::LN_2, x);
    let p = poly64::<FMA, 9>(
        r,
        [1.0, 1.0, 0.5, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0, 1.0 / 40320.0],
    );
    let n = (shifted.to_bits() as i64).wrapping_sub(ROUND64.to_bits() as i64);
    p * f64::from_bits((n.wrapping_add(1023) as u64) << 52)
}

/// C99's pow: pow(x, 0) = pow(1, y) = 1 even for NaN.
#[inline(always)]
pub fn pow<const FMA: bool>(x: f32, y: f32) -> f32 {
    let magnitude = x.abs();
    let product = log_wide::<FMA>(magnitude as f64) * y as f64;
    let result = exp_wide::<FMA>(product) as f32;
    let result = if magnitude == 1.0 { 1.0 } else { result };
    let whole = (y.abs() + 8_388_608.0) - 8_388_608.0;
    let is_whole = y.abs() >= 8_388_608.0 || whole == y.abs();
    let is_odd = is_whole && y.abs() < 16_777_216.0 && (y.abs() as i32) & 1 == 1;
    let negative = x.to_bits() >> 31 == 1;
    let result = if negative && is_odd { -result } else { result };
    let result = if x < 0.0 && !is_whole && magnitude < f32::INFINITY { f32::NAN } else { result };
    let result = if x.is_nan() || y.is_nan() { f32::NAN } else { result };
    if y == 0.0 || x == 1.0 { 1.0 } else { result }
}

/// h / (1 + h) of h = (e^2|x| - 1) / 2, as m - m² / (1 + h) with m = min(h, 1): the quotient's error counts half.
#[inline(always)]
pub fn tanh<const FMA: bool>(x: f32) -> f32 {
    let y = x.abs();
    let y = if y > 10.0 { 10.0 } else { y };
    // Here 0 <= r <= ln 2, so that nothing cancels in h.
    let y = y + y;
    let (n, r) = reduce::<FMA>(y, fma32::<FMA>(y, std::f32::consts::LOG2_E, -0.5) + ROUND32);
    let q = poly::<FMA, 6>(r, [0.5, 0.166_666_97, 0.041_662_168, 0.008_357_261, 0.001_330_642_3, 2.634_467_7e-4]);
    let p = fma32::<FMA>(r * r, q, r);
    let h = half_expm1::<FMA>((n, p));
    let m = if h < 1.0 { h } else { 1.0 };
    let sum = 1.0 + h;
    let quotient = m * m / sum;
    if FMA {
        return (m - quotient).copysign(x);
    }
    // Here products are rounded too: this takes back what h (for n = 0) and `sum` lost, 1 / (1 + m) to a few percent.
    let h_lost = if n == 0 { 0.5 * (r * r * q - (p - r)) } else { 0.0 };
    let sum_lost = h - (sum - 1.0);
    let inverse = 0.957 - 0.5 * m;
    (m - (quotient - (quotient * sum_lost + h_lost * inverse) * inverse)).copysign(x)
}

/// 1 / (1 + e) of e = e^-x; by e^-|x|, which does not overflow: m - m e / (1 + e) with m = 1 or, left of 0, e.
#[inline(always)]
pub fn logistic<const FMA: bool>(x: f32) -> f32 {
    let e = exp::<FMA>(-x.abs());
    let m = if x < 0.0 { e } else { 1.0 };
    m - m * e / (1.0 + e)
}

#[inline(always)]
pub fn erf<const FMA: bool>(x: f32) -> f32 {
    let t = x.abs();
    // erf(x) / x - 1 by x²
    let near =
        poly::<FMA, 6>(x * x, [0.128_379_15, -0.376_125, 0.112_818_77, -0.026_768_58, 0.004_995_853, -6.003_794e-4]);
    let near = fma32::<FMA>(x, near, x);
    let near = if t < NEARLY_ZERO { x * std::f32::consts::FRAC_2_SQRT_PI } else { near };
    // -ln(1 - erf(y)) / y
    let y = if t > 3.95 { 3.95 } else { t };
    let far = poly::<FMA, 7>(
        y,
        [1.128_648_5, 0.635_151_2, 0.106_237_05, -0.023_762_202, 0.003_642_518_3, -3.228_153e-4, 1.123_317_6e-5],
    );
    let (n, p) = exp_parts::<FMA>(-y * far);
    let power = power(n, exponent(0));
    let far = (1.0 - fma32::<FMA>(p, power, power)).copysign(x);
    if t < 0.92 || x.is_nan() { near } else { far }
}

/// Above this, sin, cos and tan leave the vector path: the reduction below would lose digits.
pub const TRIG_LIMIT: f32 = 1.0e8;

/// x = n π/2 + r with |r| <= π/4, in float64: (n mod 4, sin r, cos r).
#[inline(always)]
fn quadrant<const FMA: bool>(x: f32) -> (u64, f64, f64) {
    let x = x as f64;
    let shifted = fma64::<FMA>(x, std::f64::consts::FRAC_2_PI, ROUND64);
    let whole = shifted - ROUND64;
    // π/2 in two parts; the first has 25 bits, so that its product with n is exact.
    let r = (x - whole * 1.570_796_310_901_641_8) - whole * 1.589_325_477_352_819_7e-8;
    let t = r * r;
    let sin =
        r * poly64::<FMA, 6>(t, [1.0, -1.0 / 6.0, 1.0 / 120.0, -1.0 / 5040.0, 1.0 / 362_880.0, -1.0 / 39_916_800.0]);
    let cos = poly64::<FMA, 6>(t, [1.0, -0.5, 1.0 / 24.0, -1.0 / 720.0, 1.0 / 40320.0, -1.0 / 3_628_800.0]);
    (shifted.to_bits() & 3, sin, cos)
}

#[inline(always)]
pub fn sin<const FMA: bool>(x: f32) -> f32 {
    let (n, sin, cos) = quadrant::<FMA>(x);
    let y = if n & 1 == 0 { sin } else { cos };
    let y = if n & 2 == 0 { y } else { -y };
    if x == 0.0 { x } else { y as f32 } // keeps -0
}

#[inline(always)]
pub fn cos<const FMA: bool>(x: f32) -> f32 {
    let (n, sin, cos) = quadrant::<FMA>(x);
    let y = if n & 1 == 0 { cos } else { sin };
    (if n.wrapping_add(1) & 2 == 0 { y } else { -y }) as f32
}

#[inline(always)]
pub fn tan<const FMA: bool>(x: f32) -> f32 {
    let (n, sin, cos) = quadrant::<FMA>(x);
    let y = if n & 1 == 0 { sin / cos } else { -cos / sin };
    if x == 0.0 { x } else { y as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distance in units of the last place of `want` as a float32.
    fn ulps(got: f32, want: f64) -> f64 {
        let nearest = want as f32;
        if got.is_nan() || nearest.is_nan() {
            return if got.is_nan() && nearest.is_nan() { 0.0 } else { f64::INFINITY };
        }
        if got == nearest {
            let same_sign = got.is_sign_negative() == want.is_sign_negative() || got != 0.0;
            return if same_sign { 0.0 } else { f64::INFINITY };
        }
        if got.is_infinite() || nearest.is_infinite() {
            return f64::INFINITY;
        }
        let ulp = (nearest.abs().next_up() - nearest.abs()) as f64;
        (got as f64 - want).abs() / ulp
    }

    fn samples() -> impl Iterator<Item = f32> {
        let special = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
            f32::MIN_POSITIVE,
            1e-45,
            -1e-45,
            f32::MAX,
            f32::MIN,
            88.72,
            88.73,
            89.5,
            -87.3,
            -87.4,
            -103.9,
            -104.1,
            -150.0,
            0.4,
            -0.4,
            0.5,
            2.0,
            3.0,
            16_777_217.0,
        ];
        let bits = (0..1u32 << 20)
            .map(|i| f32::from_bits(i.wrapping_mul(4096).wrapping_add(i.wrapping_mul(2_654_435_761) >> 20)));
        let dense = (-200_000..200_000).map(|i| i as f32 * 1.234_567e-4);
        special.into_iter().chain(bits).chain(dense)
    }

    fn worst(name: &str, limit: f64, f: impl Fn(f32) -> f32, want: impl Fn(f64) -> f64, keep: impl Fn(f32) -> bool) {
        let (mut most, mut at) = (0.0, 0.0);
        for x in samples().filter(|&x| keep(x)) {
            let ulp = ulps(f(x), want(x as f64));
            if ulp > most {
                (most, at) = (ulp, x);
            }
        }
        println!("{name}: {most:.2} ulp at {at:e}");
        assert!(most <= limit, "{name}: {most} ulp at {at:e}: {} for {}", f(at), want(at as f64));
    }

    fn all<const FMA: bool>() {
        let every = |_: f32| true;
        let small = |x: f32| x.abs() <= TRIG_LIMIT || x.is_nan();
        worst("exp", 2.0, exp::<FMA>, f64::exp, every);
        worst("expm1", 2.0, expm1::<FMA>, f64::exp_m1, every);
        worst("log", 2.0, log::<FMA>, f64::ln, every);
        worst("log1p", 1.0, log1p::<FMA>, f64::ln_1p, every);
        worst("tanh", 2.0, tanh::<FMA>, f64::tanh, every);
        worst("logistic", 2.0, logistic::<FMA>, |x| 1.0 / (1.0 + (-x).exp()), every);
        worst("erf", 2.0, erf::<FMA>, libm::erf, every);
        worst("sin", 1.0, sin::<FMA>, f64::sin, small);
        worst("cos", 1.0, cos::<FMA>, f64::cos, small);
        worst("tan", 1.0, tan::<FMA>, f64::tan, small);
        for y in [
            0.0,
            -0.0,
            0.5,
            -0.5,
            1.0,
            2.0,
            3.0,
            -1.0,
            -2.0,
            2.2,
            7.0,
            0.333,
            1e10,
            16_777_215.0,
            -3.0,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
        ] {
            worst(&format!("pow {y}"), 1.0, |x| pow::<FMA>(x, y), |x| x.powf(y as f64), every);
        }
    }

    #[test]
    fn within_two_ulp_with_fma() {
        all::<true>();
    }

    #[test]
    fn within_two_ulp_without_fma() {
        all::<false>();
    }
}
