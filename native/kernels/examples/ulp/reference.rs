//! Functions in float64 as straight-line code, on arguments that are float32: within 2e-10 of the true value, relative
//! to it, which is 0.004 units of a float32's last place. Where float32 code comes near its greatest error the system's
//! function decides, so these only say where to look; they are compared with the system's all along.

use millrace_kernels::isa::{Isa, Kernel, fma64, version};

/// A function of which many values are computed at once.
pub trait Reference {
    /// NaN where the system's function must be asked.
    fn value<const FMA: bool>(x: f64) -> f64;
}

/// `n` arguments, and where their values go.
pub struct Task {
    pub x: *const f32,
    pub y: *mut f64,
    pub n: usize,
}

/// The values of many arguments.
pub type Many = fn(&[f32], &mut [f64]);

struct Map<R>(R);

impl<R: Reference> Kernel for Map<R> {
    type Args = Task;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(task: Task) {
        for i in 0..task.n {
            // SAFETY: both have n elements.
            unsafe { task.y.add(i).write(R::value::<FMA>(f64::from(task.x.add(i).read()))) }
        }
    }
}

/// The values of `x` on the fastest path.
pub fn map<R: Reference>(x: &[f32], y: &mut [f64]) {
    let task = Task { x: x.as_ptr(), y: y.as_mut_ptr(), n: x.len().min(y.len()) };
    // SAFETY: the path is one of this machine, and there are n elements each.
    unsafe { version::<Map<R>>(Isa::best())(task) }
}

/// 1.5 · 2^52: adding it rounds to a whole number, which the low bits then hold.
const ROUND: f64 = 6_755_399_441_055_744.0;

#[inline(always)]
fn poly<const FMA: bool, const N: usize>(x: f64, c: [f64; N]) -> f64 {
    c.iter().rev().fold(0.0, |sum, &c| fma64::<FMA>(sum, x, c))
}

/// 1 / first!, 1 / (first + step)! …, with alternating signs where `alternate`.
const fn factorials<const N: usize>(first: usize, step: usize, alternate: bool) -> [f64; N] {
    let mut c = [0.0; N];
    let (mut i, mut factorial, mut k) = (0, 1.0, 1);
    while i < N {
        while k <= first + i * step {
            factorial *= k as f64;
            k += 1;
        }
        c[i] = if alternate && i % 2 == 1 { -1.0 / factorial } else { 1.0 / factorial };
        i += 1;
    }
    c
}

/// x = n ln 2 + r: (2^n, e^r - 1).
#[inline(always)]
fn exp_parts<const FMA: bool>(x: f64) -> (f64, f64) {
    const C: [f64; 13] = factorials(1, 1, false);
    let shifted = fma64::<FMA>(x, std::f64::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = fma64::<FMA>(n, -std::f64::consts::LN_2, x);
    let power = f64::from_bits((shifted.to_bits().wrapping_add(1023)) << 52);
    (power, r * poly::<FMA, 13>(r, C))
}

#[inline(always)]
fn clamp(x: f64, most: f64) -> f64 {
    let x = if x > most { most } else { x };
    if x < -most { -most } else { x }
}

pub struct Exp;
impl Reference for Exp {
    #[inline(always)]
    fn value<const FMA: bool>(x: f64) -> f64 {
        let (power, p) = exp_parts::<FMA>(clamp(x, 150.0));
        fma64::<FMA>(power, p, power)
    }
}

pub struct Expm1;
impl Reference for Expm1 {
    #[inline(always)]
    fn value<const FMA: bool>(x: f64) -> f64 {
        let (power, p) = exp_parts::<FMA>(clamp(x, 150.0));
        fma64::<FMA>(power, p, power - 1.0)
    }
}

pub struct Tanh;
impl Reference for Tanh {
    #[inline(always)]
    fn value<const FMA: bool>(x: f64) -> f64 {
        let e = Expm1::value::<FMA>(2.0 * clamp(x.abs(), 20.0));
        (e / (e + 2.0)).copysign(x)
    }
}

pub struct Logistic;
impl Reference for Logistic {
    #[inline(always)]
    fn value<const FMA: bool>(x: f64) -> f64 {
        1.0 / (1.0 + Exp::value::<FMA>(-x))
    }
}

/// ln((1 + s) / (1 - s)) for |s| <= 0.172.
#[inline(always)]
fn two_artanh<const FMA: bool>(s: f64) -> f64 {
    let mut c = [0.0; 11];
    let mut i = 0;
    while i < 11 {
        c[i] = 2.0 / (2 * i + 1) as f64;
        i += 1;
    }
    s * poly::<FMA, 11>(s * s, c)
}

pub struct Log;
impl Reference for Log {
    #[inline(always)]
    fn value<const FMA: bool>(x: f64) -> f64 {
        // m in [√½, √2)
        let e = x.to_bits().wrapping_sub(0x3fe6_a09e_667f_3bcd) as i64 >> 52;
        let m = f64::from_bits(x.to_bits().wrapping_sub((e << 52) as u64));
        let e = f64::from_bits((ROUND.to_bits() as i64 + e) as u64) - ROUND;
        let y = fma64::<FMA>(e, std::f64::consts::LN_2, two_artanh::<FMA>((m - 1.0) / (m + 1.0)));
        if x > 0.0 && x < f64::INFINITY { y } else { f64::NAN }
    }
}

pub struct Log1p;
impl Reference for Log1p {
    #[inline(always)]
    fn value<const FMA: bool>(x: f64) -> f64 {
        let near = two_artanh::<FMA>(x / (2.0 + x));
        let far = Log::value::<FMA>(1.0 + x);
        if x.abs() < 0.25 { near } else { far }
    }
}

/// 2 / √π x e^-x² Σ (2x²)^n / (2n + 1)!!, whose terms are positive: Abramowitz & Stegun 7.1.6.
struct Erf;
impl Kernel for Erf {
    type Args = Task;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(task: Task) {
        const LANES: usize = 16;
        for i in (0..task.n).step_by(LANES) {
            // SAFETY: `erf` makes n a multiple of LANES.
            let x: [f64; LANES] = std::array::from_fn(|lane| f64::from(unsafe { task.x.add(i + lane).read() }));
            let t = x.map(|x| if x.abs() > 4.0 { 16.0 } else { x * x });
            let mut sum = [1.0; LANES];
            // 1 + t / 3 (1 + t / 5 (1 + …)) for 2t
            for n in (1..=72).rev() {
                let factor = 2.0 / f64::from(2 * n + 1);
                for lane in 0..LANES {
                    sum[lane] = fma64::<FMA>(sum[lane], t[lane] * factor, 1.0);
                }
            }
            for lane in 0..LANES {
                let (x, t) = (x[lane], t[lane]);
                let near = std::f64::consts::FRAC_2_SQRT_PI * x * Exp::value::<FMA>(-t) * sum[lane];
                let far = if x.abs() > 6.0 { 1f64.copysign(x) } else { f64::NAN };
                let y = if x.abs() > 4.0 { far } else { near };
                // SAFETY: as above.
                unsafe { task.y.add(i + lane).write(y) }
            }
        }
    }
}

pub fn erf(x: &[f32], y: &mut [f64]) {
    assert!(x.len() == y.len() && x.len().is_multiple_of(16), "whole vectors");
    let task = Task { x: x.as_ptr(), y: y.as_mut_ptr(), n: x.len() };
    // SAFETY: the path is one of this machine, and there are n elements each.
    unsafe { version::<Erf>(Isa::best())(task) }
}

pub struct Sqrt;
impl Reference for Sqrt {
    #[inline(always)]
    fn value<const FMA: bool>(x: f64) -> f64 {
        x.sqrt()
    }
}

pub struct Rsqrt;
impl Reference for Rsqrt {
    #[inline(always)]
    fn value<const FMA: bool>(x: f64) -> f64 {
        1.0 / x.sqrt()
    }
}

/// The bits of 2 / π behind the point.
const TWO_OVER_PI: &[u8; 96] =
    b"A2F9836E4E441529FC2757D1F534DDC0DB6295993C439041FE5163ABDEBBC561B7246E3A424DD2E006492EEA09D1921C";

/// `count` bits of 2 / π from bit `first` on, as a whole number.
fn bits(first: usize, count: usize) -> f64 {
    let bit = |i: usize| (char::from(TWO_OVER_PI[i / 4]).to_digit(16).unwrap_or(0) >> (3 - i % 4)) & 1;
    (first..first + count).fold(0.0, |sum, i| 2.0 * sum + f64::from(bit(i)))
}

/// x in quarter turns: how many, mod 4, and the angle beyond the nearest of them, |r| <= π/4.
#[inline(always)]
fn turn<const FMA: bool>(x: f64, table: &[f64; 3], scale: f64) -> (u64, f64) {
    // x = m scale for a whole m below 2^24; the first two products are exact, and so is their sum without its whole part.
    let m = x * scale;
    let whole = fma64::<FMA>(m, table[0], ROUND);
    let f = (fma64::<FMA>(m, table[0], -(whole - ROUND)) + m * table[1]) + m * table[2];
    let more = f + ROUND;
    let r = (f - (more - ROUND)) * std::f64::consts::FRAC_PI_2;
    (whole.to_bits().wrapping_add(more.to_bits()).wrapping_sub(ROUND.to_bits() << 1) & 3, r)
}

struct Angles {
    task: Task,
    /// 2 / π by the last place of the arguments, mod 4, in three parts; and the reciprocal of that place.
    table: [f64; 3],
    scale: f64,
}

pub trait Trigonometric {
    fn value(quadrant: u64, sin: f64, cos: f64) -> f64;
}

struct Turned<T>(T);

impl<T: Trigonometric> Kernel for Turned<T> {
    type Args = Angles;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(Angles { task, table, scale }: Angles) {
        const SIN: [f64; 8] = factorials(1, 2, true);
        const COS: [f64; 9] = factorials(0, 2, true);
        for i in 0..task.n {
            // SAFETY: there are n arguments and n values.
            unsafe {
                let (quadrant, r) = turn::<FMA>(f64::from(task.x.add(i).read()), &table, scale);
                let t = r * r;
                let y = T::value(quadrant, r * poly::<FMA, 8>(t, SIN), poly::<FMA, 9>(t, COS));
                task.y.add(i).write(y);
            }
        }
    }
}

/// The values of arguments that have one exponent.
pub fn turned<T: Trigonometric>(x: &[f32], y: &mut [f64]) {
    let exponent = (x[0].to_bits() >> 23 & 255) as i32 - 127;
    assert!(x.iter().all(|x| (x.to_bits() >> 23 & 255) as i32 - 127 == exponent), "arguments of several exponents");
    // The last place of the arguments is 2^(exponent - 23). Below 2^-27 the sine is its argument to 2^-56.
    let place = exponent.clamp(-27, 127) - 23;
    let scale = 2f64.powi(-place);
    // Bit i of 2 / π, times 2^place, weighs 2^(place - 1 - i); those above 2 are whole turns.
    let first = (place - 2).max(0) as usize;
    let weight = 2f64.powi(place - first as i32);
    let table = [(0, 27), (27, 27), (54, 53)]
        .map(|(at, count)| bits(first + at, count) * weight * 2f64.powi(-((at + count) as i32)));
    let task = Task { x: x.as_ptr(), y: y.as_mut_ptr(), n: x.len().min(y.len()) };
    // SAFETY: the path is one of this machine, and there are n elements each.
    unsafe { version::<Turned<T>>(Isa::best())(Angles { task, table, scale }) }
}

pub struct Sin;
impl Trigonometric for Sin {
    #[inline(always)]
    fn value(quadrant: u64, sin: f64, cos: f64) -> f64 {
        let y = if quadrant & 1 == 0 { sin } else { cos };
        if quadrant & 2 == 0 { y } else { -y }
    }
}

pub struct Cos;
impl Trigonometric for Cos {
    #[inline(always)]
    fn value(quadrant: u64, sin: f64, cos: f64) -> f64 {
        let y = if quadrant & 1 == 0 { cos } else { sin };
        if quadrant.wrapping_add(1) & 2 == 0 { y } else { -y }
    }
}

pub struct Tan;
impl Trigonometric for Tan {
    #[inline(always)]
    fn value(quadrant: u64, sin: f64, cos: f64) -> f64 {
        if quadrant & 1 == 0 { sin / cos } else { -cos / sin }
    }
}
