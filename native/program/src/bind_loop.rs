//! Binding loops: index ranges are proven, and which buffers a loop may overwrite.

use crate::decode::Loop;
use crate::error::Error;
use crate::eval::Values;
use crate::generated::{DType, Op};
use crate::loops::{BoundLoad, BoundLoop, BoundStore, Instr, NONE};
use crate::shape::Shape;

/// Evaluates a loop and proves its index ranges.
pub fn bind_loop(it: &Loop, values: &Values, shapes: &[Shape]) -> Result<BoundLoop, Error> {
    let extents = it.extents.iter().map(|&extent| values.size(extent)).collect::<Result<Vec<_>, _>>()?;
    // The size of the whole space, as of a buffer of bytes, must be a size.
    let space = Shape::new(DType::Bool, extents.clone())?;
    let mut loads = Vec::with_capacity(it.loads.len());
    for load in &it.loads {
        let shape = &shapes[load.slot as usize];
        let strides = load.strides.iter().map(|&stride| values.get(stride)).collect::<Result<Vec<_>, _>>()?;
        let offset = values.get(load.offset)?;
        if space.numel() > 0 && !in_range(offset, &strides, &extents, shape.numel()) {
            return Err(Error::shape(format!(
                "a load of offset {offset} and strides {strides:?} over {extents:?} leaves {shape}"
            )));
        }
        loads.push(BoundLoad { dtype: shape.dtype(), offset, strides });
    }
    let mut stores = Vec::with_capacity(it.stores.len());
    for store in &it.stores {
        let shape = &shapes[store.slot as usize];
        let kept = extents.iter().enumerate().filter(|(i, _)| store.mask >> i & 1 == 0);
        if kept.map(|(_, extent)| extent).product::<usize>() != shape.numel() {
            return Err(Error::shape(format!("a store of mask {:#x} over {extents:?} into {shape}", store.mask)));
        }
        stores.push(BoundStore { dtype: shape.dtype(), value: store.value, reduce: store.reduce, mask: store.mask });
    }
    Ok(BoundLoop { extents, loads, instrs: it.instrs.clone(), stores })
}

/// A loop that writes a size, as an element of the result's dtype.
pub fn dimension(out: &Shape, size: i64) -> Result<BoundLoop, Error> {
    if out.rank() > 0 {
        return Err(Error::shape(format!("dimension has {out} for a result")));
    }
    let dtype = out.dtype();
    let immediate = match dtype {
        DType::Float32 => u64::from((size as f32).to_bits()),
        DType::Float64 => (size as f64).to_bits(),
        DType::Int32 => u64::from(size as u32),
        DType::Int64 => size as u64,
        DType::Uint8 | DType::Int8 => u64::from(size as u8),
        DType::Bool => u64::from(size != 0),
        DType::Bfloat16 => return Err(Error::dtype("dimension: no kernel for bfloat16")),
    };
    let instr = Instr { op: Op::Constant, dtype, args: [NONE; 3], immediate };
    let store = BoundStore { dtype, value: 0, reduce: None, mask: 0 };
    Ok(BoundLoop { extents: vec![], loads: vec![], instrs: vec![instr], stores: vec![store] })
}

fn in_range(offset: i64, strides: &[i64], extents: &[usize], numel: usize) -> bool {
    let (mut low, mut high) = (Some(offset), Some(offset));
    for (&stride, &extent) in strides.iter().zip(extents) {
        let reach = stride.checked_mul(extent as i64 - 1);
        let end = if stride < 0 { &mut low } else { &mut high };
        *end = end.and_then(|end| end.checked_add(reach?));
    }
    matches!((low, high), (Some(low), Some(high)) if low >= 0 && (high as u64) < numel as u64)
}

/// For each store the loads whose buffer it may overwrite, as pairs of slots (read, written): see `BoundLoop`.
pub fn in_place(bound: &BoundLoop, it: &Loop, shapes: &[Shape]) -> Vec<(u32, u32)> {
    let mut pairs = Vec::new();
    let all_computed = it.stores.iter().all(|store| store.value as usize >= it.loads.len());
    if !all_computed {
        return pairs;
    }
    let is_whole = |slot: u32| {
        let mut reads = it.loads.iter().zip(&bound.loads).filter(|(load, _)| load.slot == slot);
        reads.all(|(_, load)| is_dense(load, &bound.extents))
    };
    let mut whole: Vec<u32> = it.loads.iter().map(|load| load.slot).filter(|&slot| is_whole(slot)).collect();
    whole.sort_unstable();
    whole.dedup();
    for store in it.stores.iter().filter(|store| store.reduce.is_none()) {
        let to = &shapes[store.slot as usize];
        let fits = |from: &Shape| from.dtype().size() == to.dtype().size() && from.numel() == to.numel();
        pairs.extend(whole.iter().filter(|&&slot| fits(&shapes[slot as usize])).map(|&slot| (slot, store.slot)));
    }
    pairs
}

/// Whether a loop stores densely, and reads the buffer of `shape`, which is that of the loads for which `reads` holds,
/// at the index that it is at and nowhere else.
pub fn is_elementwise_on(it: &BoundLoop, shape: &Shape, reads: impl Fn(usize) -> bool) -> bool {
    let mut loads = it.loads.iter().enumerate().filter(|&(i, _)| reads(i)).map(|(_, load)| load).peekable();
    loads.peek().is_some()
        && it.extents.iter().product::<usize>() == shape.numel()
        && it.stores.iter().all(|store| store.reduce.is_none())
        && loads.all(|load| is_dense(load, &it.extents))
}

/// Whether a load visits a buffer from its start, row-major, without gaps.
fn is_dense(load: &BoundLoad, extents: &[usize]) -> bool {
    let mut expected = 1;
    let strides = load.strides.iter().zip(extents).rev().all(|(&stride, &extent)| {
        let fits = extent == 1 || stride == expected;
        expected *= extent as i64;
        fits
    });
    load.offset == 0 && strides
}
