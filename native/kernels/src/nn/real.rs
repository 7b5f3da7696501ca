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
    fn abs(self) -> Self;
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
    fn abs(self) -> f32 {
        f32::abs(self)
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
    fn abs(self) -> f64 {
        f64::abs(self)
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

pub const LANES: usize = 16;

/// A vector of elements. Kernels load, compute and store whole ones, or the compiler must fear that a result overlaps an
/// operand, and leaves vectors where one is computed in place.
pub type Lanes<T> = [T; LANES];

/// # Safety
/// LANES elements can be read.
#[inline(always)]
pub unsafe fn load<T: Real>(x: *const T) -> Lanes<T> {
    // SAFETY: by the caller.
    unsafe { (x as *const Lanes<T>).read_unaligned() }
}

/// # Safety
/// LANES elements can be written.
#[inline(always)]
pub unsafe fn store<T: Real>(to: *mut T, x: Lanes<T>) {
    // SAFETY: by the caller.
    unsafe { (to as *mut Lanes<T>).write_unaligned(x) }
}

/// f of lane l of each vector.
#[inline(always)]
pub fn lanes<T: Real, const N: usize>(ins: [Lanes<T>; N], f: impl Fn([T; N]) -> T) -> Lanes<T> {
    let mut out = [T::ZERO; LANES];
    for (l, out) in out.iter_mut().enumerate() {
        let mut args = [T::ZERO; N];
        for (arg, x) in args.iter_mut().zip(&ins) {
            *arg = x[l];
        }
        *out = f(args);
    }
    out
}

/// e^x of each lane: not by `lanes`, since a closure of that size may stay a function of its own, without the features of
/// the path.
#[inline(always)]
pub fn exp<const FMA: bool, T: Real>(mut x: Lanes<T>) -> Lanes<T> {
    for lane in &mut x {
        *lane = lane.exp::<FMA>();
    }
    x
}

/// Elements i to i + LANES of each operand, or as many as there are.
#[inline(always)]
unsafe fn at<T: Real, const N: usize>(n: usize, ins: &[*const T; N], i: usize) -> [Lanes<T>; N] {
    let mut args = [[T::ZERO; LANES]; N];
    for (arg, x) in args.iter_mut().zip(ins) {
        // SAFETY: by the caller.
        unsafe {
            if n - i >= LANES {
                *arg = load(x.add(i));
            } else {
                (0..n - i).for_each(|l| arg[l] = x.add(i + l).read());
            }
        }
    }
    args
}

/// Writes elements i to i + LANES, or as many as there are.
#[inline(always)]
unsafe fn put<T: Real>(n: usize, out: *mut T, i: usize, x: Lanes<T>) {
    // SAFETY: by the caller.
    unsafe {
        if n - i >= LANES {
            store(out.add(i), x);
        } else {
            (0..n - i).for_each(|l| out.add(i + l).write(x[l]));
        }
    }
}

/// out[i] = f(ins[0][i], …) for i < n; `out` may be one of the operands. What is left at the end is a whole vector too.
/// f is a few operations: see `exp`.
///
/// # Safety
/// All have n elements.
#[inline(always)]
pub unsafe fn map<T: Real, const N: usize>(n: usize, ins: [*const T; N], out: *mut T, f: impl Fn([T; N]) -> T) {
    for i in (0..n).step_by(LANES) {
        // SAFETY: by the caller.
        unsafe { put(n, out, i, lanes(at(n, &ins, i), &f)) }
    }
}

/// out[i] = e^(x[i] - shift) for i < n; `out` may be x.
///
/// # Safety
/// Both have n elements.
#[inline(always)]
pub unsafe fn exp_shifted<const FMA: bool, T: Real>(n: usize, x: *const T, shift: T, out: *mut T) {
    for i in (0..n).step_by(LANES) {
        // SAFETY: by the caller.
        unsafe { put(n, out, i, exp::<FMA, T>(lanes(at(n, &[x], i), |[x]| x - shift))) }
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
    let mut sums = [start; LANES];
    for i in (0..n).step_by(LANES) {
        // SAFETY: by the caller.
        let args = unsafe { at(n, &ins, i) };
        let added = lanes(args, &f);
        if n - i >= LANES {
            sums = lanes([sums, added], |[x, y]| join(x, y));
        } else {
            (0..n - i).for_each(|l| sums[l] = join(sums[l], added[l]));
        }
    }
    pairwise(sums, join)
}

/// The fold of all lanes: halves are joined.
#[inline(always)]
pub fn pairwise<T: Real>(mut lanes: Lanes<T>, join: impl Fn(T, T) -> T) -> T {
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

/// The greatest magnitude; NaN if an element is.
///
/// # Safety
/// x has n elements.
#[inline(always)]
pub unsafe fn greatest_magnitude<T: Real>(n: usize, x: *const T) -> T {
    // SAFETY: by the caller.
    unsafe { fold(n, [x], T::ZERO, |[x]| x.abs(), T::greater) }
}
