//! Which dtypes the instructions and stores of a loop take.

use crate::error::Error;
use crate::generated::{DType, Kind, Op};
use crate::loops::{Instr, NONE};

/// Checks one instruction against the dtypes of the values before it.
pub fn instr(it: &Instr, values: &[DType], extents: usize) -> Result<(), Error> {
    let wrong =
        || Error::format(format!("{} -> {} in a loop: operands or dtypes do not fit", it.op.name(), it.dtype.name()));
    let arity = match it.op.kind() {
        Kind::Unary | Kind::Cast => 1,
        Kind::Binary | Kind::Compare => 2,
        Kind::Select => 3,
        Kind::Constant | Kind::Iota => 0,
        _ => return Err(wrong()),
    };
    let mut dtypes = [DType::Bool; 3];
    for (i, &arg) in it.args.iter().enumerate() {
        if i >= arity {
            if arg != NONE {
                return Err(wrong());
            }
        } else {
            dtypes[i] = *values.get(arg as usize).ok_or_else(wrong)?;
        }
    }
    let [a, b, c] = dtypes;
    let fits = match it.op.kind() {
        Kind::Unary if it.op == Op::IsFinite => a.is_float() && it.dtype == DType::Bool,
        Kind::Unary => a == it.dtype && takes(it.op, a),
        Kind::Binary => a == b && a == it.dtype && takes(it.op, a),
        Kind::Compare => a == b && it.dtype == DType::Bool,
        Kind::Select => a == DType::Bool && b == c && b == it.dtype,
        Kind::Cast if it.op == Op::Bitcast => a.size() == it.dtype.size(),
        Kind::Iota => it.immediate < extents as u64 && it.dtype != DType::Bool,
        _ => true,
    };
    let immediate = match it.op.kind() {
        Kind::Iota => true,
        Kind::Constant => it.dtype.size() == 8 || it.immediate >> (8 * it.dtype.size()) == 0,
        _ => it.immediate == 0,
    };
    let bool_constant = it.op != Op::Constant || it.dtype != DType::Bool || it.immediate <= 1;
    if fits && immediate && bool_constant { Ok(()) } else { Err(wrong()) }
}

/// Whether an elementwise op of one dtype takes it.
fn takes(op: Op, dtype: DType) -> bool {
    match op {
        Op::And | Op::Or | Op::Xor | Op::Not => !dtype.is_float(),
        Op::Neg | Op::Abs | Op::Sign => dtype != DType::Bool,
        _ if op.kind() == Kind::Unary => dtype.is_float(),
        _ => dtype != DType::Bool,
    }
}

pub fn store(slot: DType, value: DType, reduce: Option<Op>, mask: u32, extents: usize) -> Result<(), Error> {
    let reduction = match reduce {
        None => mask == 0,
        Some(Op::ReduceAnd | Op::ReduceOr) => value == DType::Bool,
        Some(Op::ReduceSum | Op::ReduceProd | Op::ReduceMax | Op::ReduceMin) => value != DType::Bool,
        Some(_) => false,
    };
    if slot != value || !reduction || (extents < 32 && mask >> extents != 0) {
        let name = reduce.map_or("store", Op::name);
        return Err(Error::format(format!("{name} of {} into {}, mask {mask:#x}", value.name(), slot.name())));
    }
    Ok(())
}
