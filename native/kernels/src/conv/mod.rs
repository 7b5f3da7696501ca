//! Convolutions as matrix products: blocks of rows of the column matrix (one row a position of the output, one column
//! an element of the filter) are gathered into the second cache and multiplied there.

// The files with kernels, as tools/generate.mjs finds them:
mod filter_grad;
mod forward;
mod input_grad;

pub const TABLES: &[crate::KernelTable] = &[filter_grad::KERNELS, forward::KERNELS, input_grad::KERNELS];
// End of the files.

mod columns;
mod depthwise;
mod geometry;

#[cfg(test)]
mod tests;

use crate::{Error, Plan};

/// Bytes of a block of the column matrix.
const BLOCK_BYTES: usize = 256 * 1024;

/// Rows of a block of the column matrix, whose rows have `width` elements of `size` bytes.
fn block_rows(rows: usize, width: usize, size: usize) -> usize {
    // A multiple of 12 fills the tiles of the fastest path; at least 16 blocks where there is enough work.
    let fitting = (BLOCK_BYTES / (width * size).max(1)).clamp(24, 384);
    fitting.min(rows.div_ceil(16).max(48)).next_multiple_of(12)
}

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
