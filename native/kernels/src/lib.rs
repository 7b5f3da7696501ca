//! CPU kernels: loop kernels by a vectorised interpreter, library kernels by hand.

mod areas;
pub mod bfloat16;
mod check;
mod conv;
mod dtypes;
pub mod float_mode;
pub mod gemm;
mod index;
pub mod isa;
mod lanes;
pub mod loops;
mod math;
mod nn;
pub mod peaks;
pub mod pool;
mod simple;
mod tail;
mod window;

#[cfg(test)]
mod testing;

pub use loops::LoopPlan;
pub use millrace_program::Error;
pub use pool::Pool;
pub use tail::with_tail;

use millrace_program::{BoundAttrs, Op, Shape};
use std::ops::Range;

/// A library op. `check` believes nothing: it proves shapes, dtypes, attributes and index ranges on concrete sizes.
pub trait LibraryKernel: Sync {
    /// Whether it computes with 16-bit floats too. Where not, an op on them runs in float32 between casts.
    fn takes_narrow(&self) -> bool {
        false
    }

    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error>;
}

/// A kernel with every size known.
pub trait Plan: Send + Sync {
    /// Bytes of scratch memory that `run` needs, aligned to 64.
    fn scratch_bytes(&self) -> usize {
        0
    }

    /// Estimated ns on one thread.
    fn cost_ns(&self) -> f64;

    /// Floating-point operations, for a profile; 0 where they are not what takes the time.
    fn flops(&self) -> f64 {
        0.0
    }

    /// Computes the outputs.
    ///
    /// # Safety `ins` and `outs` are buffers of the shapes that the plan was checked with, `scratch` has
    /// `scratch_bytes`, all aligned to their elements. Outputs overlap nothing else, but where the plan allows to run
    /// in place (see `BoundLoop` and `overwrites`).
    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool);

    /// The operand that the only result may be written over: what is not changed stays as it is.
    fn overwrites(&self) -> Option<usize> {
        None
    }

    /// The elements of the only result, where `run_parts` hands them out while they are in the caches.
    fn parts(&self) -> Option<usize> {
        None
    }

    /// `run`, which tells `done` of each part of the result as it is finished: a range of flat element numbers, on the
    /// thread that wrote them. Each element is told once, and neither read nor written from then on.
    ///
    /// # Safety
    /// As for `run`; `parts` is not `None`.
    unsafe fn run_parts(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool, done: Done) {
        // SAFETY: by the caller.
        unsafe { self.run(ins, outs, scratch, pool) };
        tail::hand_out(self.parts().unwrap_or(0), pool, Some(done));
    }

    /// The operand of which the kernel had better be given a packed form, where it is a weight: the same at each run.
    fn packing(&self) -> Option<Packing> {
        None
    }

    /// Writes the packed form of an operand, where `packing` is not `None`.
    ///
    /// # Safety
    /// `operand` is a buffer as for `run`, `to` has `Packing::bytes`, aligned to 64.
    unsafe fn pack(&self, _operand: *const u8, _to: *mut u8, _pool: &Pool) {}

    /// `run`, or `run_parts` where there is a `done`, with the packed form that `pack` has written: the same bits.
    ///
    /// # Safety
    /// As for these; `packed` was written by a plan whose `packing` is equal, from the same operand.
    unsafe fn run_packed(&self, run: Packed) {
        let Packed { ins, outs, scratch, pool, done, .. } = run;
        // SAFETY: by the caller.
        unsafe {
            match done {
                Some(done) => self.run_parts(ins, outs, scratch, pool, done),
                None => self.run(ins, outs, scratch, pool),
            }
        }
    }
}

/// Where a packed form of an operand saves a kernel work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Packing {
    pub operand: usize,
    pub bytes: usize,
    /// All that says how the operand's elements are read and laid out: forms of one operand with equal ones are the same.
    pub layout: [usize; 8],
}

/// The arguments of [`Plan::run_packed`].
#[derive(Clone, Copy)]
pub struct Packed<'a> {
    pub ins: &'a [*const u8],
    pub outs: &'a [*mut u8],
    pub packed: *const u8,
    pub scratch: *mut u8,
    pub pool: &'a Pool,
    pub done: Option<Done<'a>>,
}

/// What is called with finished parts of a result: see [`Plan::run_parts`].
pub type Done<'a> = &'a (dyn Fn(Range<usize>) + Sync);

/// The ops that a file has kernels for: each file's `KERNELS`.
pub type KernelTable = &'static [(Op, &'static dyn LibraryKernel)];

/// The tables of each folder, which lists its files; those of simple ops by hand.
const TABLES: &[&[KernelTable]] =
    &[conv::TABLES, gemm::TABLES, index::TABLES, nn::TABLES, window::TABLES, &[simple::KERNELS]];

/// The kernel of a library op; `None` where there is none.
pub fn library(op: Op) -> Option<&'static dyn LibraryKernel> {
    let mut entries = TABLES.iter().copied().flatten().copied().flatten();
    entries.find(|entry| entry.0 == op).map(|entry| entry.1).or_else(|| simple::by_kind(op))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_op_has_one_kernel() {
        let mut ops: Vec<&str> =
            TABLES.iter().copied().flatten().copied().flatten().map(|entry| entry.0.name()).collect();
        let count = ops.len();
        ops.sort_unstable();
        ops.dedup();
        assert_eq!(ops.len(), count);
    }
}
