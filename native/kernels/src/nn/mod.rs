//! Composites that the CPU backend claims: each reads its operands once, where loop kernels would pass over memory
//! several times. gelu is not among them: as a loop kernel it fuses with its neighbours.

mod attention;
mod attention_grad;
mod layer_norm;
mod real;
mod softmax;

#[cfg(test)]
mod tests;

pub use attention::Attention;
pub use attention_grad::AttentionGrad;
pub use layer_norm::{LayerNorm, LayerNormGrad};
pub use softmax::Softmax;

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
