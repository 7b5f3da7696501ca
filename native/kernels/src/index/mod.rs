//! Ops that move elements: by index, by slice, by padding; scans, places of extrema, random bits.

// The files with kernels, as tools/generate.mjs finds them:
mod arg;
mod dynamic;
mod gather;
mod join;
mod rng;
mod scan;
mod scatter;

pub const TABLES: &[crate::KernelTable] =
    &[arg::KERNELS, dynamic::KERNELS, gather::KERNELS, join::KERNELS, rng::KERNELS, scan::KERNELS, scatter::KERNELS];
// End of the files.

mod region;

#[cfg(test)]
mod tests;

use crate::Error;
use crate::check::expect;
use millrace_program::{BoundAttrs, DType, Shape};

/// An operand seen from one axis: `outer` blocks of `size` rows of `inner` elements.
#[derive(Clone, Copy)]
struct Along {
    outer: usize,
    size: usize,
    inner: usize,
}

impl Along {
    fn new(shape: &Shape, axis: usize) -> Along {
        let dims = shape.dims();
        Along { outer: dims[..axis].iter().product(), size: dims[axis], inner: dims[axis + 1..].iter().product() }
    }
}

/// Reads one index, which lies in a buffer of int32 or int64.
///
/// # Safety
/// The buffer has more than `at` elements of `dtype`.
unsafe fn index_at(indices: *const u8, dtype: DType, at: usize) -> i64 {
    // SAFETY: by the caller.
    unsafe {
        match dtype {
            DType::Int32 => (indices as *const i32).add(at).read() as i64,
            _ => (indices as *const i64).add(at).read(),
        }
    }
}

/// The axis of gather and scatter, and the shape that gather gives.
fn indexed(op: &str, x: &Shape, indices: &Shape, attrs: &BoundAttrs) -> Result<(Along, Vec<usize>), Error> {
    let axis = attrs.axis("axis", x.rank())?;
    if !matches!(indices.dtype(), DType::Int32 | DType::Int64) {
        return Err(Error::dtype(format!("{op}: indices are int32 or int64, not {indices}")));
    }
    let dims = [&x.dims()[..axis], indices.dims(), &x.dims()[axis + 1..]].concat();
    expect(dims.len() <= 32, || format!("{op}: {x} and {indices} give too many dimensions"))?;
    Ok((Along::new(x, axis), dims))
}
