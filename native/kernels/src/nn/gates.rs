//! Vectors of gates: where they lie in a row, and what they go through.

use super::real::{Lanes, Real, at, rest, store, store_rest};

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
