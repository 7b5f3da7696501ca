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

/// Folds f(0) … f(n - 1) in 16 lanes, which are then folded pairwise.
#[inline(always)]
pub fn fold<T: Real>(n: usize, start: T, f: impl Fn(usize) -> T, join: impl Fn(T, T) -> T) -> T {
    let mut lanes = [start; LANES];
    let whole = n / LANES * LANES;
    let mut i = 0;
    while i < whole {
        let mut next = [start; LANES];
        for (l, x) in next.iter_mut().enumerate() {
            *x = f(i + l);
        }
        for l in 0..LANES {
            lanes[l] = join(lanes[l], next[l]);
        }
        i += LANES;
    }
    for (l, lane) in lanes.iter_mut().enumerate().take(n - whole) {
        *lane = join(*lane, f(whole + l));
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

#[inline(always)]
pub fn sum<T: Real>(n: usize, f: impl Fn(usize) -> T) -> T {
    fold(n, T::ZERO, f, |x, y| x + y)
}

#[inline(always)]
pub fn greatest<T: Real>(n: usize, f: impl Fn(usize) -> T) -> T {
    fold(n, T::LOWEST, f, T::greater)
}
