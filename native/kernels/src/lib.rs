//! CPU kernels: loop kernels by a vectorised interpreter, library kernels by hand.

pub mod isa;
mod math;
pub mod pool;
