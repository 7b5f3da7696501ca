//! Matrix products: packed panels, a register kernel for each instruction path, work cut by shape alone.
//! examples/bench.rs prints the speed of the `gemm` crate beside ours.

// The files with kernels, as tools/generate.mjs finds them:
mod dot;

pub const TABLES: &[crate::KernelTable] = &[dot::KERNELS];
// End of the files.

mod indirect;
mod micro;
mod operands;
mod parallel;
mod product;
pub(crate) mod tiles;
mod vector;
mod vectors;
mod widened;

#[cfg(test)]
mod narrow_tests;
#[cfg(test)]
mod tests;

pub use indirect::{Indirect, IndirectEngine, Segment, prefetch};
pub use micro::{Engine, Pack, Scalar, VectorKernel};
pub use product::{Product, serial_bytes};
pub(crate) use tiles::amx;
pub use vectors::{Lanes, Vector};

/// Sizes and strides (in elements) of c[m, n] = a[m, k] · b[k, n]; c has unit column stride.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub a: Strides,
    pub b: Strides,
    /// Row stride of c.
    pub c_row: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strides {
    pub row: isize,
    pub column: isize,
}

impl Sizes {
    pub fn flops(&self) -> f64 {
        2.0 * self.m as f64 * self.n as f64 * self.k as f64
    }
}
