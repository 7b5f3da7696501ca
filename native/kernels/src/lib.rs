//! CPU kernels: loop kernels by a vectorised interpreter, library kernels by hand.

mod areas;
mod check;
mod conv;
pub mod gemm;
mod index;
pub mod isa;
pub mod loops;
mod math;
pub mod pool;
mod window;

#[cfg(test)]
mod testing;

pub use loops::LoopPlan;
pub use millrace_program::Error;
pub use pool::Pool;

use millrace_program::{BoundAttrs, Op, Shape};

/// A library op. `check` believes nothing: it proves shapes, dtypes, attributes and index ranges on concrete sizes.
pub trait LibraryKernel: Sync {
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

    /// Computes the outputs.
    ///
    /// # Safety
    /// `ins` and `outs` are buffers of the shapes that the plan was checked with, `scratch` has `scratch_bytes`, all aligned to
    /// their elements. Outputs overlap nothing else, but where the plan allows to run in place (see `BoundLoop`).
    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool);
}

/// The kernel of a library op; `None` where there is none.
pub fn library(op: Op) -> Option<&'static dyn LibraryKernel> {
    Some(match op {
        Op::ArgMax => &index::ArgReduce { name: "argMax", max: true },
        Op::ArgMin => &index::ArgReduce { name: "argMin", max: false },
        Op::Concat => &index::Concat,
        Op::ConvFilterGrad => &conv::ConvFilterGrad,
        Op::ConvGeneral => &conv::ConvGeneral,
        Op::ConvInputGrad => &conv::ConvInputGrad,
        Op::Cumsum => &index::Cumsum,
        Op::DotGeneral => &gemm::dot::DotGeneral,
        Op::DynamicSlice => &index::DynamicSlice,
        Op::DynamicUpdateSlice => &index::DynamicUpdateSlice,
        Op::Gather => &index::Gather,
        Op::Pad => &index::Pad,
        Op::ReduceWindowMax => &window::ReduceWindow { name: "reduceWindowMax", reduce: Op::ReduceMax },
        Op::ReduceWindowMin => &window::ReduceWindow { name: "reduceWindowMin", reduce: Op::ReduceMin },
        Op::ReduceWindowSum => &window::ReduceWindow { name: "reduceWindowSum", reduce: Op::ReduceSum },
        Op::RngBits => &index::RngBits,
        Op::ScatterAdd => &index::Scatter { name: "scatterAdd", adds: true },
        Op::ScatterSet => &index::Scatter { name: "scatterSet", adds: false },
        Op::SelectAndScatterAdd => &window::SelectAndScatterAdd,
        _ => return None,
    })
}
