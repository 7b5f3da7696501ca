//! Matrix products: packed panels, a register kernel for each instruction path, work cut by shape alone.
//!
//! The `gemm` crate is faster on one thread (examples/bench.rs prints both; float32, AVX-512): by about 5 % at
//! 128 x 784 x 512, 10 to 20 % at 1024³, 30 to 70 % at 2048³, 40 to 50 % where a side is 8 or 10. What this one has instead:
//! every instruction path can be forced, integers, no allocation, b packed once for many calls, panels shared by threads.

// The files with kernels, as tools/generate.mjs finds them:
mod dot;

pub const TABLES: &[crate::KernelTable] = &[dot::KERNELS];
// End of the files.

mod micro;
mod pack;
mod parallel;
mod product;
mod vector;

#[cfg(test)]
mod tests;

pub use micro::{Engine, Scalar};
pub use product::{Product, serial_bytes};

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
