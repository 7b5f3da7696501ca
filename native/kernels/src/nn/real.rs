//! float32 and float64 in one generic kernel, and sums that the compiler turns into vectors.

use crate::gemm::Scalar;
use crate::loops::{max32, max64};
use crate::math;
use std::ops::{Add, Div, Mul, Neg, Sub};

pub trait Real:
    Scalar
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    const LOWEST: Self;
    const NAN: Self;
    fn of(x: f64) -> Self;
    fn exp<const FMA: bool>(self) -> Self;
    fn ln<const FMA: bool>(self) -> Self;
    fn sqrt(self) -> Self;
    /// NaN if either is.
    fn greater(self, other: Self) -> Self;
    fn is_finite(self) -> bool;
}

impl Real for f32 {
    const LOWEST: f32 = f32::NEG_INFINITY;
    const NAN: f32 = f32::NAN;
    #[inline(always)]
    fn of(x: f64) -> f32 {
        x as f32
    }
    #[inline(always)]
    fn exp<const FMA: bool>(self) -> f32 {
        math::exp::<FMA>(self)
    }
    #[inline(always)]
    fn ln<const FMA: bool>(self) -> f32 {
        math::log::<FMA>(self)
    }
    #[inline(always)]
    fn sqrt(self) -> f32 {
        f32::sqrt(self)
    }
    #[inline(always)]
    fn greater(self, other: f32) -> f32 {
        max32(self, other)
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        f32::is_finite(self)
    }
}

impl Real for f64 {
    const LOWEST: f64 = f64::NEG_INFINITY;
    const NAN: f64 = f64::NAN;
    #[inline(always)]
    fn of(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn exp<const FMA: bool>(self) -> f64 {
        f64::exp(self)
    }
    #[inline(always)]
    fn ln<const FMA: bool>(self) -> f64 {
        f64::ln(self)
    }
    #[inline(always)]
    fn sqrt(self) -> f64 {
        f64::sqrt(self)
    }
    #[inline(always)]
    fn greater(self, other: f64) -> f64 {
        max64(self, other)
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }
}

const LANES: usize = 16;

/// out[i] = e^(x[i] - shift) for i < n; `out` may be x.
///
/// # Safety
/// Both have n elements.
#[inline(always)]
pub unsafe fn exp_shifted<const FMA: bool, T: Real>(n: usize, x: *const T, shift: T, out: *mut T) {
    let whole = n / LANES * LANES;
    // SAFETY: by the caller.
    unsafe {
        for i in 0..whole {
            out.add(i).write((x.add(i).read() - shift).exp::<FMA>());
        }
        if whole < n {
            // A vector for what is left: a scalar exponential costs as much.
            let mut rest = [T::ZERO; LANES];
            (0..n - whole).for_each(|l| rest[l] = x.add(whole + l).read());
            for lane in &mut rest {
                *lane = (*lane - shift).exp::<FMA>();
            }
            (0..n - whole).for_each(|l| out.add(whole + l).write(rest[l]));
        }
    }
}

/// Element i of each operand.
#[inline(always)]
unsafe fn at<T: Real, const N: usize>(ins: &[*const T; N], i: usize) -> [T; N] {
    let mut args = [T::ZERO; N];
    for (arg, x) in args.iter_mut().zip(ins) {
        // SAFETY: by the caller.
        *arg = unsafe { x.add(i).read() };
    }
    args
}

/// out[i] = f(ins[0][i], …) for i < n; `out` may be one of the operands. f is a few operations: a larger one is not
/// compiled into its two callers here and below, with the features of their path.
///
/// # Safety
/// All have n elements.
#[inline(always)]
pub unsafe fn map<T: Real, const N: usize>(n: usize, ins: [*const T; N], out: *mut T, f: impl Fn([T; N]) -> T) {
    for i in 0..n {
        // SAFETY: by the caller.
        unsafe { out.add(i).write(f(at(&ins, i))) }
    }
}

/// Folds f(ins[0][i], …) for i < n in 16 lanes, which are then folded pairwise.
#[inline(always)]
unsafe fn fold<T: Real, const N: usize>(
    n: usize,
    ins: [*const T; N],
    start: T,
    f: impl Fn([T; N]) -> T,
    join: impl Fn(T, T) -> T,
) -> T {
    let mut lanes = [start; LANES];
    let whole = n / LANES * LANES;
    // SAFETY: by the caller.
    unsafe {
        for i in (0..whole).step_by(LANES) {
            let mut held = lanes;
            for (l, lane) in held.iter_mut().enumerate() {
                *lane = join(*lane, f(at(&ins, i + l)));
            }
            lanes = held;
        }
        for (l, lane) in lanes.iter_mut().enumerate().take(n - whole) {
            *lane = join(*lane, f(at(&ins, whole + l)));
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] = join(lanes[l], lanes[l + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// Σ f(ins[0][i], …)
///
/// # Safety
/// All have n elements.
#[inline(always)]
pub unsafe fn sum<T: Real, const N: usize>(n: usize, ins: [*const T; N], f: impl Fn([T; N]) -> T) -> T {
    // SAFETY: by the caller.
    unsafe { fold(n, ins, T::ZERO, f, |x, y| x + y) }
}

/// The greatest element; NaN if one is, -∞ if there is none.
///
/// # Safety
/// x has n elements.
#[inline(always)]
pub unsafe fn greatest<T: Real>(n: usize, x: *const T) -> T {
    // SAFETY: by the caller.
    unsafe { fold(n, [x], T::LOWEST, |[x]| x, T::greater) }
}
