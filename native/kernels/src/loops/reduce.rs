//! Reductions with the documented tree (docs/design/program.md): 16 lanes in blocks of 1024, lanes combined pairwise,
//! blocks in a balanced binary tree. A run of rows of `width` columns is the same thing with 16 · width lanes.

use super::float::{max32, max64, min32, min64};
use super::integer::Int;
use crate::isa::{Isa, Kernel, version};
use millrace_program::{DType, Op};
use std::marker::PhantomData;

pub const LANES: usize = 16;
pub const BLOCK: usize = 1024;

/// acc[(phase + i) mod period] = op(acc[…], x[i])
#[derive(Clone, Copy)]
pub struct Accumulate {
    pub acc: *mut u8,
    pub x: *const u8,
    pub len: usize,
    pub period: usize,
    pub phase: usize,
}

/// to[i] = op(to[i], from[i])
#[derive(Clone, Copy)]
pub struct Fold {
    pub to: *mut u8,
    pub from: *const u8,
    pub len: usize,
}

/// out[r] = reduction of the `len` <= 1024 elements x[r · len ..]
#[derive(Clone, Copy)]
pub struct Rows {
    pub x: *const u8,
    pub out: *mut u8,
    pub rows: usize,
    pub len: usize,
}

/// out[p · row + i] = reduction of the x[p · step + tap + i] of all taps, for each position p and i < row
#[derive(Clone, Copy)]
pub struct Slide {
    pub x: *const u8,
    pub taps: *const usize,
    pub count: usize,
    pub step: usize,
    pub out: *mut u8,
    pub positions: usize,
    pub row: usize,
}

/// The kernels of one reduction on one dtype.
#[derive(Clone, Copy)]
pub struct Reducer {
    pub size: usize,
    identity: u64,
    pub accumulate: unsafe fn(Accumulate),
    pub fold: unsafe fn(Fold),
    pub rows: unsafe fn(Rows),
    pub slide: unsafe fn(Slide),
}

impl Reducer {
    pub fn new(isa: Isa, op: Op, dtype: DType) -> Option<Reducer> {
        macro_rules! kernels {
            ($f:ident, $t:ty) => {
                Some(Reducer {
                    size: dtype.size(),
                    identity: <$f as Combine<$t>>::IDENTITY.bits(),
                    accumulate: version::<Accumulator<$f, $t>>(isa),
                    fold: version::<Folder<$f, $t>>(isa),
                    rows: version::<RowReducer<$f, $t>>(isa),
                    slide: version::<Slider<$f, $t>>(isa),
                })
            };
        }
        macro_rules! numeric {
            ($f:ident) => {
                match dtype {
                    DType::Float32 => kernels!($f, f32),
                    DType::Float64 => kernels!($f, f64),
                    DType::Int32 => kernels!($f, i32),
                    DType::Int64 => kernels!($f, i64),
                    DType::Uint8 => kernels!($f, u8),
                    DType::Int8 => kernels!($f, i8),
                    DType::Bool | DType::Bfloat16 => None,
                }
            };
        }
        match op {
            Op::ReduceSum => numeric!(Sum),
            Op::ReduceProd => numeric!(Product),
            Op::ReduceMax => numeric!(Max),
            Op::ReduceMin => numeric!(Min),
            Op::ReduceAnd if dtype == DType::Bool => kernels!(And, u8),
            Op::ReduceOr if dtype == DType::Bool => kernels!(Or, u8),
            _ => None,
        }
    }

    /// Writes the identity to `len` elements.
    ///
    /// # Safety
    /// `to` has room for them.
    pub unsafe fn clear(&self, to: *mut u8, len: usize) {
        // SAFETY: by the caller.
        unsafe {
            match self.size {
                1 => fill(to, len, self.identity as u8),
                4 => fill(to as *mut u32, len, self.identity as u32),
                _ => fill(to as *mut u64, len, self.identity),
            }
        }
    }

    /// Combines the lanes of a block, 16 rows of `width`; the result is the first row.
    ///
    /// # Safety
    /// `acc` holds 16 · width elements.
    pub unsafe fn combine_lanes(&self, acc: *mut u8, width: usize) {
        let mut lanes = LANES / 2;
        while lanes > 0 {
            let len = lanes * width;
            // SAFETY: the halves are disjoint.
            unsafe { (self.fold)(Fold { to: acc, from: acc.add(len * self.size), len }) }
            lanes /= 2;
        }
    }
}

unsafe fn fill<T: Copy>(to: *mut T, len: usize, value: T) {
    for i in 0..len {
        // SAFETY: by the caller.
        unsafe { to.add(i).write(value) }
    }
}

/// The balanced tree over blocks given in order: entry i of the stack covers a power of two of them, falling along the
/// stack.
pub struct Tree {
    rows: *mut u8,
    row_bytes: usize,
    count: usize,
}

impl Tree {
    /// `rows` has room for [`Tree::depth`] rows of `row_bytes`.
    pub fn new(rows: *mut u8, row_bytes: usize) -> Tree {
        Tree { rows, row_bytes, count: 0 }
    }

    /// Rows that a tree over `blocks` blocks needs.
    pub fn depth(blocks: usize) -> usize {
        blocks.max(1).ilog2() as usize + 2
    }

    /// Adds the next block's row of `width` elements.
    ///
    /// # Safety
    /// No more blocks than the depth was made for; `row` has `width` elements.
    pub unsafe fn push(&mut self, reducer: &Reducer, row: *const u8, width: usize) {
        let mut top = self.count.count_ones() as usize;
        // SAFETY: rows 0..=top are inside, as promised to `new`.
        unsafe {
            row.copy_to_nonoverlapping(self.rows.add(top * self.row_bytes), width * reducer.size);
            let mut carry = self.count;
            while carry & 1 == 1 {
                self.merge(reducer, top, width);
                top -= 1;
                carry >>= 1;
            }
        }
        self.count += 1;
    }

    unsafe fn merge(&self, reducer: &Reducer, top: usize, width: usize) {
        // SAFETY: two rows of the stack.
        unsafe {
            let to = self.rows.add((top - 1) * self.row_bytes);
            (reducer.fold)(Fold { to, from: self.rows.add(top * self.row_bytes), len: width });
        }
    }

    /// The row of the whole tree.
    ///
    /// # Safety
    /// At least one block was pushed.
    pub unsafe fn finish(&mut self, reducer: &Reducer, width: usize) -> *const u8 {
        for top in (1..self.count.count_ones() as usize).rev() {
            // SAFETY: two rows of the stack.
            unsafe { self.merge(reducer, top, width) }
        }
        self.rows
    }
}

trait Bits: Copy {
    fn bits(self) -> u64;
}
macro_rules! bits {
    ($($t:ty: $x:ident => $bits:expr),*) => { $( impl Bits for $t { fn bits(self) -> u64 { let $x = self; $bits } } )* };
}
bits!(f32: x => x.to_bits() as u64, f64: x => x.to_bits(), i32: x => x as u32 as u64, i64: x => x as u64, i8: x => x as u8 as u64, u8: x => x as u64);

trait Combine<T> {
    const IDENTITY: T;
    fn combine(x: T, y: T) -> T;
}

struct Sum;
struct Product;
struct Max;
struct Min;
struct And;
struct Or;

macro_rules! combine {
    ($($name:ident for $t:ty: $identity:expr, |$x:ident, $y:ident| $body:expr;)*) => { $(
        impl Combine<$t> for $name {
            const IDENTITY: $t = $identity;
            #[inline(always)]
            fn combine($x: $t, $y: $t) -> $t { $body }
        }
    )* };
}
combine! {
    Sum for f32: 0.0, |x, y| x + y;
    Sum for f64: 0.0, |x, y| x + y;
    Product for f32: 1.0, |x, y| x * y;
    Product for f64: 1.0, |x, y| x * y;
    Max for f32: f32::NEG_INFINITY, |x, y| max32(x, y);
    Max for f64: f64::NEG_INFINITY, |x, y| max64(x, y);
    Min for f32: f32::INFINITY, |x, y| min32(x, y);
    Min for f64: f64::INFINITY, |x, y| min64(x, y);
    And for u8: 1, |x, y| x & y;
    Or for u8: 0, |x, y| x | y;
}
macro_rules! combine_int {
    ($($t:ty),*) => { $( combine! {
        Sum for $t: 0, |x, y| Int::add(x, y);
        Product for $t: 1, |x, y| Int::mul(x, y);
        Max for $t: <$t>::LOWEST, |x, y| if x > y { x } else { y };
        Min for $t: <$t>::HIGHEST, |x, y| if x < y { x } else { y };
    } )* };
}
combine_int!(i32, i64, i8, u8);

struct Accumulator<F, T>(PhantomData<(F, T)>);

impl<F: Combine<T>, T: Copy> Kernel for Accumulator<F, T> {
    type Args = Accumulate;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(args: Accumulate) {
        let (acc, mut x) = (args.acc as *mut T, args.x as *const T);
        let mut left = args.len;
        // SAFETY: acc has `period` elements and x `len`; the two are different buffers.
        unsafe {
            if args.period == LANES && args.phase == 0 {
                let mut lanes = (acc as *const [T; LANES]).read_unaligned();
                accumulate_groups::<F, T>(&mut lanes, x, left / LANES);
                (acc as *mut [T; LANES]).write_unaligned(lanes);
                x = x.add(left / LANES * LANES);
                left %= LANES;
            }
            let mut phase = args.phase;
            while left > 0 {
                let piece = left.min(args.period - phase);
                for i in 0..piece {
                    let lane = acc.add(phase + i);
                    lane.write(F::combine(lane.read(), x.add(i).read()));
                }
                x = x.add(piece);
                left -= piece;
                phase = 0;
            }
        }
    }
}

/// Adds `groups` groups of 16 to the lanes, held in registers.
#[inline(always)]
unsafe fn accumulate_groups<F: Combine<T>, T: Copy>(lanes: &mut [T; LANES], x: *const T, groups: usize) {
    let mut held = *lanes;
    for g in 0..groups {
        for (l, lane) in held.iter_mut().enumerate() {
            // SAFETY: by the caller.
            *lane = F::combine(*lane, unsafe { x.add(g * LANES + l).read() });
        }
    }
    *lanes = held;
}

struct Folder<F, T>(PhantomData<(F, T)>);

impl<F: Combine<T>, T: Copy> Kernel for Folder<F, T> {
    type Args = Fold;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(args: Fold) {
        let (to, from) = (args.to as *mut T, args.from as *const T);
        for i in 0..args.len {
            // SAFETY: both have `len` elements and do not overlap.
            unsafe { to.add(i).write(F::combine(to.add(i).read(), from.add(i).read())) }
        }
    }
}

/// Rows shorter than this are reduced [`LANES`] at a time.
const SHORT: usize = 64;

/// The reductions of 16 rows of `len` elements: lane l of all rows is one vector.
#[inline(always)]
unsafe fn rows_together<F: Combine<T>, T: Copy>(x: *const T, len: usize) -> [T; LANES] {
    let mut lanes = [[F::IDENTITY; LANES]; LANES];
    for i in 0..len {
        for (r, lane) in lanes[i % LANES].iter_mut().enumerate() {
            // SAFETY: by the caller.
            *lane = F::combine(*lane, unsafe { x.add(r * len + i).read() });
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            let other = lanes[l + half];
            lanes[l].iter_mut().zip(other).for_each(|(lane, other)| *lane = F::combine(*lane, other));
        }
        half /= 2;
    }
    lanes[0]
}

struct Slider<F, T>(PhantomData<(F, T)>);

impl<F: Combine<T>, T: Copy> Kernel for Slider<F, T> {
    type Args = Slide;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(args: Slide) {
        const STRIP: usize = 128;
        // Of its own, so that nothing read may change it.
        let mut sums = [F::IDENTITY; STRIP];
        for position in 0..args.positions {
            for first in (0..args.row).step_by(STRIP) {
                let len = STRIP.min(args.row - first);
                // SAFETY: by the caller.
                unsafe {
                    let sums = &mut sums[..len];
                    sums.fill(F::IDENTITY);
                    for tap in 0..args.count {
                        let tap = (args.x as *const T).add(position * args.step + first + args.taps.add(tap).read());
                        sums.iter_mut().enumerate().for_each(|(i, sum)| *sum = F::combine(*sum, tap.add(i).read()));
                    }
                    (args.out as *mut T).add(position * args.row + first).copy_from_nonoverlapping(sums.as_ptr(), len);
                }
            }
        }
    }
}

struct RowReducer<F, T>(PhantomData<(F, T)>);

impl<F: Combine<T>, T: Copy> Kernel for RowReducer<F, T> {
    type Args = Rows;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(args: Rows) {
        let (x, out) = (args.x as *const T, args.out as *mut T);
        // Rows that fill few vectors are reduced side by side.
        let together = if args.len < SHORT { args.rows / LANES * LANES } else { 0 };
        for r in (0..together).step_by(LANES) {
            // SAFETY: x has rows · len elements, out has rows.
            unsafe {
                (out.add(r) as *mut [T; LANES]).write_unaligned(rows_together::<F, T>(x.add(r * args.len), args.len));
            }
        }
        for r in together..args.rows {
            // SAFETY: x has rows · len elements, out has rows.
            unsafe {
                let x = x.add(r * args.len);
                let mut lanes = [F::IDENTITY; LANES];
                let groups = args.len / LANES;
                accumulate_groups::<F, T>(&mut lanes, x, groups);
                for (l, lane) in lanes.iter_mut().enumerate().take(args.len % LANES) {
                    *lane = F::combine(*lane, x.add(groups * LANES + l).read());
                }
                // Whole vectors until here: the compiler must not start from the pairs below.
                lanes = std::hint::black_box(lanes);
                let mut half = LANES / 2;
                while half > 0 {
                    for l in 0..half {
                        lanes[l] = F::combine(lanes[l], lanes[l + half]);
                    }
                    half /= 2;
                }
                out.add(r).write(lanes[0]);
            }
        }
    }
}
