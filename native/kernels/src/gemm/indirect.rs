//! The register kernel for an a whose rows lie anywhere: rows of an image that a filter slides over, or of none.

use super::{Engine, Scalar, Vector, VectorKernel};
use crate::isa::Isa;
use std::marker::PhantomData;

/// Steps of the sum in which every row of a moves on alike.
#[derive(Clone, Copy)]
pub struct Segment<T> {
    /// Where mr rows of a start; null: those of the tile.
    pub rows: *const *const T,
    /// Elements from there to the first step, the same for all rows.
    pub shift: isize,
    /// The row of b that the first step meets.
    pub first: usize,
    pub steps: usize,
}

/// c[mr, nr] (+)= the sum of the segments.
#[derive(Clone, Copy)]
pub struct Indirect<T> {
    pub segments: *const Segment<T>,
    pub count: usize,
    /// Where mr rows of a start; those behind `rows` are read as well.
    pub starts: *const *const T,
    /// Elements from one step of a row of a to the next.
    pub a_step: isize,
    pub b: *const T,
    pub b_row: isize,
    pub c: *mut T,
    pub c_row: usize,
    /// The part of the tile that c has.
    pub rows: usize,
    pub columns: usize,
    pub accumulate: bool,
}

/// The same number, of which the compiler knows nothing: it keeps one index for all rows, instead of counting up mr
/// pointers.
#[inline(always)]
fn opaque(number: isize) -> isize {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        let mut number = number;
        // SAFETY: no instruction.
        unsafe { std::arch::asm!("/* {} */", inout(reg) number, options(pure, nomem, nostack, preserves_flags)) };
        number
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    number
}

struct IndirectKernel<T, const ROWS: usize, const VECTORS: usize>(PhantomData<T>);

impl<T: Scalar, const ROWS: usize, const VECTORS: usize> VectorKernel<T> for IndirectKernel<T, ROWS, VECTORS> {
    type Args = Indirect<T>;

    #[inline(always)]
    unsafe fn run<V: Vector<Item = T>, const FMA: bool>(tile: Indirect<T>) {
        // SAFETY: rows of a have the steps of their segments, each row of b VECTORS · LEN, c the part that is stored.
        unsafe {
            let mut sums = [[V::splat(T::ZERO); VECTORS]; ROWS];
            for number in 0..tile.count {
                let segment = &*tile.segments.add(number);
                let starts = if segment.rows.is_null() { tile.starts } else { segment.rows };
                let mut rows = [std::ptr::null(); ROWS];
                for (i, row) in rows.iter_mut().enumerate() {
                    *row = starts.add(i).read().wrapping_offset(segment.shift);
                }
                let mut b = tile.b.offset(segment.first as isize * tile.b_row);
                let mut at = 0;
                for _ in 0..segment.steps {
                    let mut row = [V::splat(T::ZERO); VECTORS];
                    for (v, vector) in row.iter_mut().enumerate() {
                        *vector = V::load(b.add(v * V::LEN));
                    }
                    for (a, sums) in rows.iter().zip(&mut sums) {
                        let x = V::splat(a.offset(at).read());
                        for (sum, &y) in sums.iter_mut().zip(&row) {
                            *sum = V::mul_add::<FMA>(x, y, *sum);
                        }
                    }
                    at = opaque(at + tile.a_step);
                    b = b.wrapping_offset(tile.b_row);
                }
            }
            let last = tile.columns - (VECTORS - 1) * V::LEN;
            for (i, sums) in sums.iter().enumerate().take(tile.rows) {
                for (v, &sum) in sums.iter().enumerate() {
                    let to = tile.c.add(i * tile.c_row + v * V::LEN);
                    let count = if v + 1 < VECTORS { V::LEN } else { last };
                    let sum = if tile.accumulate { V::add(V::load_first(to, count), sum) } else { sum };
                    sum.store_first(to, count);
                }
            }
        }
    }
}

/// Asks for the lines of so many elements in the second cache, anywhere in memory.
#[inline(always)]
pub fn prefetch<T>(_from: *const T, _elements: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    for at in (0.._elements * size_of::<T>()).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a prefetch may go anywhere.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(_from.cast::<i8>().wrapping_add(at)) };
    }
}

type IndirectFn<T> = unsafe fn(Indirect<T>);

/// The kernels of one element type on one path.
#[derive(Clone, Copy)]
pub struct IndirectEngine<T> {
    /// Rows and columns of the largest tile.
    pub mr: usize,
    pub nr: usize,
    lanes: usize,
    /// By thirds of the rows, then by vectors.
    kernels: [[IndirectFn<T>; 2]; 4],
}

impl<T: Scalar> IndirectEngine<T> {
    pub fn new(isa: Isa) -> IndirectEngine<T> {
        macro_rules! kernels {
            ($($rows:literal)*) => {
                [$([T::kernel::<IndirectKernel<T, $rows, 1>>(isa), T::kernel::<IndirectKernel<T, $rows, 2>>(isa)]),*]
            };
        }
        let Engine { mr, nr, lanes, .. } = T::engine(isa);
        // Each row takes a register for its place.
        let (mr, kernels) = match mr {
            12.. => (12, kernels!(3 6 9 12)),
            6.. => (6, kernels!(3 3 6 6)),
            _ => (4, kernels!(2 2 4 4)),
        };
        IndirectEngine { mr, nr, lanes, kernels }
    }

    /// The kernel for tiles of so many rows and columns.
    pub fn kernel(&self, rows: usize, columns: usize) -> IndirectFn<T> {
        self.kernels[(4 * rows).div_ceil(self.mr).clamp(1, 4) - 1][usize::from(columns > self.lanes)]
    }
}
