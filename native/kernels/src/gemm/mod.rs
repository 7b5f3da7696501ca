//! Matrix products: packed panels, a register kernel for each instruction path, work cut by shape alone.
//!
//! On one thread as fast as the `gemm` crate up to 1024³ and a quarter slower at 2048³; on more it gains from panels that
//! threads share (examples/bench.rs prints both).

pub mod dot;
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
