//! Reductions over sliding windows, and the gradient of the maximum.

// The files with kernels, as tools/generate.mjs finds them:
mod reduce;
mod select;

pub const TABLES: &[crate::KernelTable] = &[reduce::KERNELS, select::KERNELS];
// End of the files.

mod geometry;

#[cfg(test)]
mod tests;
