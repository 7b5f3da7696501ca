//! Vectors of gates: where they lie in a row, what they go through, and how a step walks through its rows.

use super::real::{LANES, Lanes, Real, at, rest, store, store_rest};
use crate::isa::Kernel;
use std::marker::PhantomData;

/// tanh of each lane; see `real::exp`.
#[inline(always)]
pub fn tanh<const FMA: bool, T: Real>(mut x: Lanes<T>) -> Lanes<T> {
    for lane in &mut x {
        *lane = lane.tanh::<FMA>();
    }
    x
}

/// 1 / (1 + e^-x) of each lane; see `real::exp`.
#[inline(always)]
pub fn logistic<const FMA: bool, T: Real>(mut x: Lanes<T>) -> Lanes<T> {
    for lane in &mut x {
        *lane = lane.logistic::<FMA>();
    }
    x
}

/// Where a row's vectors lie: whole ones, and what is left at the end. A kernel's body is compiled for both.
#[derive(Clone, Copy)]
pub struct Place<const WHOLE: bool> {
    pub first: usize,
    pub count: usize,
}

impl<const WHOLE: bool> Place<WHOLE> {
    /// # Safety
    /// The operands have the elements of this place.
    #[inline(always)]
    pub unsafe fn load<T: Real, const N: usize>(self, ins: [*const T; N]) -> [Lanes<T>; N] {
        // SAFETY: by the caller.
        unsafe { if WHOLE { at(&ins, self.first) } else { rest(&ins, self.first, self.count, T::ZERO) } }
    }

    /// # Safety
    /// As for `load`.
    #[inline(always)]
    pub unsafe fn store<T: Real>(self, out: *mut T, x: Lanes<T>) {
        // SAFETY: by the caller.
        unsafe {
            let out = out.add(self.first);
            if WHOLE { store(out, x) } else { store_rest(out, x, self.count) }
        }
    }
}

/// Operands and results of one step of a few rows, moved to a row by `row`.
pub trait Rows: Copy {
    fn count(&self) -> usize;
    fn units(&self) -> usize;

    /// The same where a row begins.
    fn row(self, number: usize) -> Self;

    /// Some units of the first row. Inlined always, as kernels are.
    ///
    /// # Safety
    /// The operands have the elements of this place.
    unsafe fn part<const FMA: bool, const WHOLE: bool>(self, at: Place<WHOLE>);
}

/// A step: all units of all rows.
pub struct Cell<R>(PhantomData<R>);

impl<R: Rows> Kernel for Cell<R> {
    type Args = R;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(rows: R) {
        let units = rows.units();
        let whole = units / LANES * LANES;
        for number in 0..rows.count() {
            let row = rows.row(number);
            // SAFETY: by the caller: as many rows of so many units.
            unsafe {
                for first in (0..whole).step_by(LANES) {
                    row.part::<FMA, true>(Place { first, count: LANES });
                }
                if whole < units {
                    row.part::<FMA, false>(Place { first: whole, count: units - whole });
                }
            }
        }
    }
}

/// A pointer moved, where there is one.
pub fn moved<T>(from: *const T, by: usize) -> *const T {
    if from.is_null() { from } else { from.wrapping_add(by) }
}
