//! Loop kernels with every size known.

use crate::generated::{DType, Op};

/// An unused operand of an instruction, or no reduction in an encoded store.
pub const NONE: u32 = u32::MAX;

/// An iteration space (extents, outermost first), loads, a straight line of scalar instructions, stores.
///
/// Binding has proven: loads stay inside their buffers, stores fill theirs exactly, instructions read
/// earlier values only and their dtypes fit. When it runs, `ins[i]` is the first byte of the buffer of
/// load i and `outs[j]` that of store j.
///
/// A loop may be run in place: for a store j without a reduction, `outs[j]` is then the buffer of loads that visit its elements
/// in the order in which store j writes them, at the same element size, and every stored value is an instruction.
/// So whatever range of the space is computed at a time, all its instructions come before the first of its stores,
/// and reductions that take a pass of their own come before those. No other buffers overlap.
#[derive(Clone, Debug, PartialEq)]
pub struct BoundLoop {
    pub extents: Vec<usize>,
    pub loads: Vec<BoundLoad>,
    pub instrs: Vec<Instr>,
    pub stores: Vec<BoundStore>,
}

/// Reads element `offset + Σ index[k] · strides[k]`.
#[derive(Clone, Debug, PartialEq)]
pub struct BoundLoad {
    pub dtype: DType,
    pub offset: i64,
    pub strides: Vec<i64>,
}

/// `op` on earlier values. Values are numbered: loads first, then instructions. Unused operands are `NONE`.
/// `op` is of kind unary, binary, compare, select or cast, or `constant` (immediate: the bits of the value,
/// low bytes first) or `iota` (immediate: which extent).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instr {
    pub op: Op,
    pub dtype: DType,
    pub args: [u32; 3],
    pub immediate: u64,
}

/// Writes `value` densely in iteration order; with `reduce`, reduced over the extents whose bit is set in `mask`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundStore {
    pub dtype: DType,
    pub value: u32,
    pub reduce: Option<Op>,
    pub mask: u32,
}

impl BoundLoop {
    /// The dtype of value `index`: a load's or an instruction's.
    pub fn value_dtype(&self, index: u32) -> DType {
        match self.loads.get(index as usize) {
            Some(load) => load.dtype,
            None => self.instrs[index as usize - self.loads.len()].dtype,
        }
    }
}
