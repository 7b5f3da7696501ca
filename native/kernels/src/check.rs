//! What the checks of library ops share. Every error names the op.

use crate::Error;
use millrace_program::{BoundAttrs, DType, Shape};

/// Exactly this many operands and results.
pub fn expect_ins<'a, const N: usize, const M: usize>(
    op: &str,
    ins: &'a [Shape],
    outs: &'a [Shape],
) -> Result<(&'a [Shape; N], &'a [Shape; M]), Error> {
    match (ins.try_into(), outs.try_into()) {
        (Ok(ins), Ok(outs)) => Ok((ins, outs)),
        _ => Err(Error::argument(format!(
            "{op}: {N} operands and {M} results are needed, got {} and {}",
            ins.len(),
            outs.len()
        ))),
    }
}

/// A result of this dtype and shape.
pub fn expect_out(op: &str, out: &Shape, dtype: DType, dims: &[usize]) -> Result<(), Error> {
    if out.dtype() != dtype || out.dims() != dims {
        return Err(Error::shape(format!("{op}: the result is {}{dims:?}, not {out}", dtype.name())));
    }
    Ok(())
}

pub fn expect(holds: bool, message: impl FnOnce() -> String) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::shape(message())) }
}

/// A list of axes below `rank`, each at most once.
pub fn distinct_axes(attrs: &BoundAttrs, name: &str, rank: usize) -> Result<Vec<usize>, Error> {
    let axes = attrs.sizes(name)?;
    let bad = axes.iter().enumerate().any(|(i, &axis)| axis >= rank || axes[..i].contains(&axis));
    if bad {
        Err(Error::argument(format!("attribute {name}: {axes:?} are not distinct axes below {rank}")))
    } else {
        Ok(axes)
    }
}

/// A list of `len` integers.
pub fn ints(attrs: &BoundAttrs, name: &str, len: usize) -> Result<Vec<i64>, Error> {
    let values = attrs.ints(name)?;
    if values.len() != len {
        return Err(Error::argument(format!("attribute {name} must have {len} entries, has {}", values.len())));
    }
    Ok(values)
}

/// A list of `len` integers of at least `least`.
pub fn sizes(attrs: &BoundAttrs, name: &str, len: usize, least: usize) -> Result<Vec<usize>, Error> {
    let values = attrs.sizes(name)?;
    if values.len() != len || values.iter().any(|&v| v < least) {
        return Err(Error::argument(format!(
            "attribute {name} must be {len} integers of at least {least}, is {values:?}"
        )));
    }
    Ok(values)
}
