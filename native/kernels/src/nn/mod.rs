//! Composites that the CPU backend claims: each reads its operands once, where loop kernels would pass over memory
//! several times. gelu is not among them: as a loop kernel it fuses with its neighbours.

// The files with kernels, as tools/generate.mjs finds them:
mod attention;
mod attention_grad;
mod gru;
mod gru_grad;
mod layer_norm;
mod lstm;
mod lstm_grad;
mod softmax;

pub const TABLES: &[crate::KernelTable] = &[
    attention::KERNELS,
    attention_grad::KERNELS,
    gru::KERNELS,
    gru_grad::KERNELS,
    layer_norm::KERNELS,
    lstm::KERNELS,
    lstm_grad::KERNELS,
    softmax::KERNELS,
];
// End of the files.

mod blocks;
mod gates;
mod real;
mod recurrent;
mod recurrent_grad;

#[cfg(test)]
mod attention_tests;
#[cfg(test)]
mod gru_tests;
#[cfg(test)]
mod lstm_tests;
#[cfg(test)]
mod recurrent_tests;
#[cfg(test)]
mod tests;

use crate::Error;
use millrace_program::{DType, Shape};

/// Every operand has this float dtype.
fn same_float(op: &str, shapes: &[&Shape]) -> Result<DType, Error> {
    let dtype = shapes[0].dtype();
    if dtype.is_float() && shapes.iter().all(|shape| shape.dtype() == dtype) {
        return Ok(dtype);
    }
    Err(Error::dtype(format!("{op}: operands of one float dtype are needed, got {} …", shapes[0])))
}
