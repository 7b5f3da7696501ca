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

#[cfg(test)]
mod tests;

use crate::{Error, Plan};

/// A plan made by the one of `$make`'s instances that has the elements of a dtype.
macro_rules! by_dtype {
    ($op:expr, $dtype:expr, $make:ident($($arg:expr),*)) => {
        match $dtype {
            DType::Float32 => Ok($make::<f32>($($arg),*)),
            DType::Float64 => Ok($make::<f64>($($arg),*)),
            DType::Int32 => Ok($make::<i32>($($arg),*)),
            DType::Int64 => Ok($make::<i64>($($arg),*)),
            DType::Uint8 => Ok($make::<u8>($($arg),*)),
            DType::Bool => Err(Error::dtype(concat!($op, ": no kernel for bool"))),
        }
    };
}
use by_dtype;

type Checked = Result<Box<dyn Plan>, Error>;
