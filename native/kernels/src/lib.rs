//! CPU kernels: loop kernels by a vectorised interpreter, library kernels by hand.

mod areas;
mod check;
mod conv;
pub mod gemm;
mod index;
pub mod isa;
pub mod loops;
mod math;
mod nn;
pub mod pool;
mod simple;
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
    /// # Safety `ins` and `outs` are buffers of the shapes that the plan was checked with, `scratch` has
    /// `scratch_bytes`, all aligned to their elements. Outputs overlap nothing else, but where the plan allows to run
    /// in place (see `BoundLoop`).
    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool);
}

/// The kernel of a library op; `None` where there is none.
pub fn library(op: Op) -> Option<&'static dyn LibraryKernel> {
    /// One kernel a listed op, made from the op.
    macro_rules! each {
        ($kernel:path: $($name:ident)*) => {
            match op {
                $( Op::$name => Some(&$kernel(Op::$name) as &'static dyn LibraryKernel), )*
                _ => None,
            }
        };
    }
    let own: &'static dyn LibraryKernel = match op {
        Op::ArgMax => &index::ArgReduce { name: "argMax", max: true },
        Op::ArgMin => &index::ArgReduce { name: "argMin", max: false },
        Op::Attention => &nn::Attention,
        Op::AttentionGrad => &nn::AttentionGrad,
        Op::Concat => &index::Concat,
        Op::ConvFilterGrad => &conv::ConvFilterGrad,
        Op::ConvGeneral => &conv::ConvGeneral,
        Op::ConvInputGrad => &conv::ConvInputGrad,
        Op::Cumprod => &index::Scan { name: "cumprod", product: true },
        Op::Cumsum => &index::Scan { name: "cumsum", product: false },
        Op::DotGeneral => &gemm::dot::DotGeneral,
        Op::DynamicSlice => &index::DynamicSlice,
        Op::DynamicUpdateSlice => &index::DynamicUpdateSlice,
        Op::Gather => &index::Gather,
        Op::LayerNorm => &nn::LayerNorm,
        Op::LayerNormGrad => &nn::LayerNormGrad,
        Op::Pad => &index::Pad,
        Op::ReduceWindowMax => &window::ReduceWindow { name: "reduceWindowMax", reduce: Op::ReduceMax },
        Op::ReduceWindowMin => &window::ReduceWindow { name: "reduceWindowMin", reduce: Op::ReduceMin },
        Op::ReduceWindowSum => &window::ReduceWindow { name: "reduceWindowSum", reduce: Op::ReduceSum },
        Op::RngBits => &index::RngBits,
        Op::ScatterAdd => &index::Scatter { name: "scatterAdd", adds: true },
        Op::ScatterSet => &index::Scatter { name: "scatterSet", adds: false },
        Op::SelectAndScatterAdd => &window::SelectAndScatterAdd,
        _ => {
            return each!(simple::Move: BroadcastInDim Iota Reverse Slice Transpose)
                .or(each!(simple::Reduce: ReduceAnd ReduceMax ReduceMin ReduceOr ReduceProd ReduceSum))
                .or(each!(nn::Softmax: LogSoftmax LogSoftmaxGrad Softmax SoftmaxGrad))
                .or(each!(simple::Elementwise: Abs Add And Atan2 Cast Ceil Cos Div Eq Erf Exp Expm1 Floor Ge Gt IsFinite Le Log
                    Log1p Logistic Lt Max Min Mul Ne Neg Not Or Pow Rem Round Rsqrt Select Sign Sin Sqrt Sub Tan Tanh Xor));
        }
    };
    Some(own)
}
