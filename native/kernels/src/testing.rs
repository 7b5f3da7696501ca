//! What the tests share.

use crate::{Plan, Pool, library};
use millrace_program::{BoundAttrs, BoundValue, DType, Op, Shape};

/// Numbers that are the same in every run.
pub struct Lcg(pub u64);

impl Lcg {
    pub fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    /// In [-1, 1).
    pub fn float(&mut self) -> f32 {
        self.next() as f32 / (1u32 << 30) as f32 - 1.0
    }

    pub fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.float()).collect()
    }
}

/// Aligned memory with a guard behind it, which must not change.
struct Memory {
    words: Vec<u64>,
    bytes: usize,
}

const GUARD: u8 = 0xA5;

impl Memory {
    fn new(bytes: usize) -> Memory {
        Memory { words: vec![u64::from_ne_bytes([GUARD; 8]); bytes.div_ceil(8) + 32], bytes }
    }

    fn pointer(&mut self) -> *mut u8 {
        let start = self.words.as_mut_ptr().cast::<u8>();
        start.wrapping_add(start.align_offset(64))
    }

    fn contents(&mut self) -> Vec<u8> {
        let start = self.pointer();
        // SAFETY: 32 words of slack hold the alignment and the guard.
        unsafe {
            assert!((self.bytes..self.bytes + 64).all(|i| start.add(i).read() == GUARD), "written behind the end");
            std::slice::from_raw_parts(start, self.bytes).to_vec()
        }
    }
}

/// Runs a plan on these bytes; `outs` are lengths in bytes.
pub fn run_plan(plan: &dyn Plan, ins: &[Vec<u8>], outs: &[usize], pool: &Pool) -> Vec<Vec<u8>> {
    let mut inputs: Vec<Memory> = ins.iter().map(|bytes| Memory::new(bytes.len())).collect();
    for (memory, bytes) in inputs.iter_mut().zip(ins) {
        // SAFETY: as long as that.
        unsafe { memory.pointer().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) }
    }
    let mut outputs: Vec<Memory> = outs.iter().map(|&bytes| Memory::new(bytes)).collect();
    let mut scratch = Memory::new(plan.scratch_bytes());
    let ins: Vec<*const u8> = inputs.iter_mut().map(|memory| memory.pointer().cast_const()).collect();
    let outs: Vec<*mut u8> = outputs.iter_mut().map(Memory::pointer).collect();
    // SAFETY: buffers as the plan was made for.
    unsafe { plan.run(&ins, &outs, scratch.pointer(), pool) }
    scratch.contents();
    outputs.iter_mut().map(Memory::contents).collect()
}

pub fn bytes<T: Copy>(values: &[T]) -> Vec<u8> {
    let len = size_of_val(values);
    // SAFETY: numbers as bytes.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), len) }.to_vec()
}

pub fn numbers<T: Copy>(bytes: &[u8]) -> Vec<T> {
    // SAFETY: every bit pattern is a number.
    bytes.chunks_exact(size_of::<T>()).map(|piece| unsafe { (piece.as_ptr() as *const T).read_unaligned() }).collect()
}

pub fn shape(dtype: DType, dims: &[usize]) -> Shape {
    Shape::new(dtype, dims.to_vec()).unwrap()
}

pub fn attrs(entries: &[(&str, BoundValue)]) -> BoundAttrs {
    BoundAttrs(entries.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
}

pub fn list(values: &[usize]) -> BoundValue {
    BoundValue::List(values.iter().map(|&v| BoundValue::Int(v as i64)).collect())
}

pub fn ints(values: &[i64]) -> BoundValue {
    BoundValue::List(values.iter().map(|&v| BoundValue::Int(v)).collect())
}

/// Checks and runs one library op.
pub fn run_library(
    op: Op,
    ins: &[Shape],
    outs: &[Shape],
    attrs: &BoundAttrs,
    data: &[Vec<u8>],
    pool: &Pool,
) -> Vec<Vec<u8>> {
    assert!(ins.iter().zip(data).all(|(shape, bytes)| shape.bytes() == bytes.len()));
    let plan = library(op).unwrap().check(ins, outs, attrs).unwrap();
    let lengths: Vec<usize> = outs.iter().map(Shape::bytes).collect();
    run_plan(&*plan, data, &lengths, pool)
}
