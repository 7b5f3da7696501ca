//! Loop kernels: a vectorised interpreter over tiles that fit the first cache. A step is one loop over a tile: chains
//! of float32 arithmetic are one step, and so is each other instruction.

mod canon;
mod chain;
mod cut;
mod elementwise;
mod float;
mod frame;
mod integer;
mod order;
mod places;
mod reduce;
mod registers;
mod run;
mod steps;
mod stream;
mod tile;
pub mod transpose;

#[cfg(test)]
mod chain_tests;
#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod reduce_tests;
#[cfg(test)]
mod tests;

use crate::isa::Isa;
use crate::pool::Pool;
use crate::{Error, Plan};
use millrace_program::BoundLoop;

pub use canon::Pass;
pub use float::{max32, max64};
pub use reduce::{Fold, Reducer, Slide};
pub use tile::copy_strided;

/// A mask has a bit for each extent.
const MAX_RANK: usize = 32;

/// A loop kernel, ready to run: one pass over the iteration space for all dense stores and, where the order of
/// iteration allows it, one reduction with them; one more for each other set of reduced extents.
pub struct LoopPlan {
    passes: Vec<Pass>,
}

impl LoopPlan {
    /// Fails with `E_ARGUMENT` or `E_DTYPE` where the loop is malformed.
    pub fn new(kernel: &BoundLoop) -> Result<LoopPlan, Error> {
        LoopPlan::on(Isa::current(), kernel)
    }

    /// The same on one path, which this machine has: for tools that compare them.
    pub fn on(isa: Isa, kernel: &BoundLoop) -> Result<LoopPlan, Error> {
        if kernel.extents.len() > MAX_RANK {
            return Err(Error::argument("loop kernel: too many extents"));
        }
        // Reductions first: a dense store may overwrite what they read, when it is in place.
        let mut masks: Vec<u32> =
            kernel.stores.iter().filter(|store| store.reduce.is_some()).map(|store| store.mask).collect();
        masks.sort_unstable();
        masks.dedup();
        let mut dense: Vec<usize> = (0..kernel.stores.len()).filter(|&i| kernel.stores[i].reduce.is_none()).collect();
        let mut passes = Vec::with_capacity(masks.len().max(1));
        for (i, &mask) in masks.iter().enumerate() {
            let of_mask = |&s: &usize| kernel.stores[s].reduce.is_some() && kernel.stores[s].mask == mask;
            let mut stores: Vec<usize> = (0..kernel.stores.len()).filter(of_mask).collect();
            if i + 1 == masks.len() && order::natural_order(&kernel.extents, mask) {
                stores.append(&mut dense);
            }
            passes.push(Pass::new(kernel, &stores, mask, true, isa)?);
        }
        if !dense.is_empty() || kernel.stores.is_empty() {
            passes.push(Pass::new(kernel, &dense, 0, true, isa)?);
        }
        Ok(LoopPlan { passes })
    }

    /// A plan for [`LoopPlan::run_range`]: it needs no scratch memory. Fails with `E_ARGUMENT` too where the loop has a
    /// reduction.
    pub fn ranged(kernel: &BoundLoop) -> Result<LoopPlan, Error> {
        if kernel.extents.len() > MAX_RANK || kernel.stores.iter().any(|store| store.reduce.is_some()) {
            return Err(Error::argument("loop kernel: ranges of a loop with reductions, or of too many extents"));
        }
        let stores: Vec<usize> = (0..kernel.stores.len()).collect();
        Ok(LoopPlan { passes: vec![Pass::new(kernel, &stores, 0, false, Isa::current())?] })
    }

    /// Computes `range` of the row-major iteration space on the calling thread, and so these elements of each store.
    /// However a space is cut into ranges, the bits are the same.
    ///
    /// # Safety
    /// As of `Plan::run`, for a plan made by [`LoopPlan::ranged`]; `range` is inside the space. Buffers are whole ones:
    /// element i of a store is written at `outs[..] + i`. At once only ranges that do not overlap.
    pub unsafe fn run_range(&self, ins: &[*const u8], outs: &[*mut u8], range: std::ops::Range<usize>) {
        for pass in &self.passes {
            // SAFETY: as promised by the caller.
            unsafe { pass.run_range(ins, outs, range.clone()) }
        }
    }
}

impl Plan for LoopPlan {
    fn scratch_bytes(&self) -> usize {
        self.passes.iter().map(Pass::scratch_bytes).max().unwrap_or(0)
    }

    fn cost_ns(&self) -> f64 {
        self.passes.iter().map(Pass::cost_ns).sum()
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        for pass in &self.passes {
            // SAFETY: as promised by the caller.
            unsafe { pass.run(ins, outs, scratch, pool) }
        }
    }
}
