//! Convolutions: products of the filter with the image where it lies (`implicit`), depthwise ones, and the gradient in
//! the filter. A filter of one element is a plain matrix product.

// The files with kernels, as tools/generate.mjs finds them:
mod filter_grad;
mod forward;
mod input_grad;

pub const TABLES: &[crate::KernelTable] = &[filter_grad::KERNELS, forward::KERNELS, input_grad::KERNELS];
// End of the files.

mod chunk;
mod columns;
mod depthwise;
mod geometry;
mod implicit;
mod lines;
mod view;
mod winograd;

#[cfg(test)]
mod tests;

use crate::{Error, Plan};

type Checked = Result<Box<dyn Plan>, Error>;
