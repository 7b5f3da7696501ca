//! float32 and float64 in one generic kernel, and sums that the compiler turns into vectors.

use crate::gemm::Scalar;
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
    /// As many zeros as lanes, then as many ones.
    const STEP: [Self; 2 * LANES];
    fn of(x: f64) -> Self;
    fn exp<const FMA: bool>(self) -> Self;
    fn ln<const FMA: bool>(self) -> Self;
    fn tanh<const FMA: bool>(self) -> Self;
    fn logistic<const FMA: bool>(self) -> Self;
    fn sqrt(self) -> Self;
    fn abs(self) -> Self;
    /// NaN if either is.
    fn greater(self, other: Self) -> Self;
    fn is_finite(self) -> bool;
}

const fn step<T: Copy>(low: T, high: T) -> [T; 2 * LANES] {
    let mut all = [low; 2 * LANES];
    let mut i = LANES;
    while i < 2 * LANES {
        all[i] = high;
        i += 1;
    }
    all
}

impl Real for f32 {
    const LOWEST: f32 = f32::NEG_INFINITY;
    const NAN: f32 = f32::NAN;
    const STEP: [f32; 2 * LANES] = step(0.0, 1.0);
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
    fn tanh<const FMA: bool>(self) -> f32 {
        math::tanh::<FMA>(self)
    }
    #[inline(always)]
    fn logistic<const FMA: bool>(self) -> f32 {
        math::logistic::<FMA>(self)
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
        if self > other || self.is_nan() { self } else { other }
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        f32::is_finite(self)
    }
}

impl Real for f64 {
    const LOWEST: f64 = f64::NEG_INFINITY;
    const NAN: f64 = f64::NAN;
    const STEP: [f64; 2 * LANES] = step(0.0, 1.0);
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
    fn tanh<const FMA: bool>(self) -> f64 {
        f64::tanh(self)
    }
    #[inline(always)]
    fn logistic<const FMA: bool>(self) -> f64 {
        let e = (-f64::abs(self)).exp();
        (if self < 0.0 { e } else { 1.0 }) / (1.0 + e)
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
        if self > other || self.is_nan() { self } else { other }
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

/// For loops that take whole vectors: else the compiler may make vectors of the same lane of several rounds, and gathers.
#[inline(always)]
pub fn round_of_vectors() {
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    // SAFETY: no instruction.
    unsafe {
        std::arch::asm!("", options(nomem, nostack, preserves_flags));
    }
}

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
    let [out] = many_lanes(ins, |args| [f(args)]);
    out
}

/// The same for several results.
#[inline(always)]
fn many_lanes<T: Real, const N: usize, const M: usize>(
    ins: [Lanes<T>; N],
    f: impl Fn([T; N]) -> [T; M],
) -> [Lanes<T>; M] {
    let mut out = [[T::ZERO; LANES]; M];
    for l in 0..LANES {
        let mut args = [T::ZERO; N];
        for (arg, x) in args.iter_mut().zip(&ins) {
            *arg = x[l];
        }
        for (out, y) in out.iter_mut().zip(f(args)) {
            out[l] = y;
        }
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

/// Elements i to i + LANES of each operand.
///
/// # Safety
/// They exist.
#[inline(always)]
pub unsafe fn at<T: Real, const N: usize>(ins: &[*const T; N], i: usize) -> [Lanes<T>; N] {
    let mut args = [[T::ZERO; LANES]; N];
    for (arg, x) in args.iter_mut().zip(ins) {
        // SAFETY: by the caller.
        *arg = unsafe { load(x.add(i)) };
    }
    args
}

/// The `count` < LANES elements from i on, and `fill`. Apart from `at`: lanes that are reached by number lie in memory.
///
/// # Safety
/// They exist.
#[inline(always)]
pub unsafe fn rest<T: Real, const N: usize>(ins: &[*const T; N], i: usize, count: usize, fill: T) -> [Lanes<T>; N] {
    let mut args = [[fill; LANES]; N];
    for (arg, x) in args.iter_mut().zip(ins) {
        // SAFETY: by the caller.
        unsafe { arg.as_mut_ptr().copy_from_nonoverlapping(x.add(i), count) };
    }
    args
}

/// Writes `count` < LANES elements.
///
/// # Safety
/// They exist.
#[inline(always)]
pub unsafe fn store_rest<T: Real>(to: *mut T, x: Lanes<T>, count: usize) {
    // SAFETY: by the caller.
    unsafe { to.copy_from_nonoverlapping(x.as_ptr(), count) };
}

/// out[i] = f(ins[0][i], …) for i < n; `out` may be one of the operands. What is left at the end is a whole vector too.
/// f is a few operations: see `exp`.
///
/// # Safety
/// All have n elements.
#[inline(always)]
pub unsafe fn map<T: Real, const N: usize>(n: usize, ins: [*const T; N], out: *mut T, f: impl Fn([T; N]) -> T) {
    // SAFETY: by the caller.
    unsafe { map_many(n, ins, [out], |args| [f(args)]) }
}

/// The same for several results.
///
/// # Safety
/// All have n elements.
#[inline(always)]
pub unsafe fn map_many<T: Real, const N: usize, const M: usize>(
    n: usize,
    ins: [*const T; N],
    outs: [*mut T; M],
    f: impl Fn([T; N]) -> [T; M],
) {
    let whole = n / LANES * LANES;
    // SAFETY: by the caller.
    unsafe {
        for i in (0..whole).step_by(LANES) {
            round_of_vectors();
            for (out, y) in outs.into_iter().zip(many_lanes(at(&ins, i), &f)) {
                store(out.add(i), y);
            }
        }
        if whole < n {
            for (out, y) in outs.into_iter().zip(many_lanes(rest(&ins, whole, n - whole, T::ZERO), &f)) {
                store_rest(out.add(whole), y, n - whole);
            }
        }
    }
}

/// out[i] = e^(x[i] - shift) for i < n, and their sum; `out` may be x.
///
/// # Safety
/// Both have n elements.
#[inline(always)]
pub unsafe fn exp_shifted<const FMA: bool, T: Real>(n: usize, x: *const T, shift: T, out: *mut T) -> T {
    let mut total = [T::ZERO; LANES];
    let whole = n / LANES * LANES;
    // SAFETY: by the caller.
    unsafe {
        for i in (0..whole).step_by(LANES) {
            round_of_vectors();
            let e = exp::<FMA, T>(lanes(at(&[x], i), |[x]| x - shift));
            store(out.add(i), e);
            total = lanes([total, e], |[sum, e]| sum + e);
        }
        // Whole vectors until here: the compiler must not cut them for what follows.
        total = std::hint::black_box(total);
        if whole < n {
            let e = exp::<FMA, T>(lanes(rest(&[x], whole, n - whole, T::ZERO), |[x]| x - shift));
            store_rest(out.add(whole), e, n - whole);
            let [e] = rest(&[e.as_ptr()], 0, n - whole, T::ZERO);
            total = lanes([total, e], |[sum, e]| sum + e);
        }
    }
    pairwise(total, |x, y| x + y)
}

/// Folds f(ins[0][i], …) for i < n in 16 lanes, which are then folded pairwise; `start` joins without effect.
#[inline(always)]
unsafe fn fold<T: Real, const N: usize, const M: usize>(
    n: usize,
    ins: [*const T; N],
    start: T,
    f: impl Fn([T; N]) -> [T; M],
    join: impl Fn(T, T) -> T,
) -> [T; M] {
    let mut sums = [[start; LANES]; M];
    let whole = n / LANES * LANES;
    // SAFETY: by the caller.
    unsafe {
        for i in (0..whole).step_by(LANES) {
            round_of_vectors();
            for (sum, y) in sums.iter_mut().zip(many_lanes(at(&ins, i), &f)) {
                *sum = lanes([*sum, y], |[x, y]| join(x, y));
            }
        }
        // As in exp_shifted.
        sums = std::hint::black_box(sums);
        if whole < n {
            for (sum, y) in sums.iter_mut().zip(many_lanes(rest(&ins, whole, n - whole, T::ZERO), &f)) {
                let [y] = rest(&[y.as_ptr()], 0, n - whole, start);
                *sum = lanes([*sum, y], |[x, y]| join(x, y));
            }
        }
    }
    sums.map(|sum| pairwise(sum, &join))
}

/// The fold of all lanes: halves are joined.
#[inline(always)]
fn pairwise<T: Real>(x: Lanes<T>, join: impl Fn(T, T) -> T) -> T {
    let mut eight = [T::ZERO; 8];
    (0..8).for_each(|l| eight[l] = join(x[l], x[l + 8]));
    let mut four = [T::ZERO; 4];
    (0..4).for_each(|l| four[l] = join(eight[l], eight[l + 4]));
    join(join(four[0], four[2]), join(four[1], four[3]))
}

/// Σ f(ins[0][i], …)
///
/// # Safety
/// All have n elements.
#[inline(always)]
pub unsafe fn sum<T: Real, const N: usize>(n: usize, ins: [*const T; N], f: impl Fn([T; N]) -> T) -> T {
    // SAFETY: by the caller.
    unsafe { fold(n, ins, T::ZERO, |args| [f(args)], |x, y| x + y)[0] }
}

/// The same for several sums.
///
/// # Safety
/// All have n elements.
#[inline(always)]
pub unsafe fn sums<T: Real, const N: usize, const M: usize>(
    n: usize,
    ins: [*const T; N],
    f: impl Fn([T; N]) -> [T; M],
) -> [T; M] {
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
    unsafe { fold(n, [x], T::LOWEST, |[x]| [x], T::greater)[0] }
}

/// The greatest magnitude; NaN if an element is.
///
/// # Safety
/// x has n elements.
#[inline(always)]
pub unsafe fn greatest_magnitude<T: Real>(n: usize, x: *const T) -> T {
    // SAFETY: by the caller.
    unsafe { fold(n, [x], T::ZERO, |[x]| [x.abs()], T::greater)[0] }
}
