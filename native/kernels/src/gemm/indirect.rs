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
    /// Where the rows of c start, and elements from there to the first column.
    pub c: *const *mut T,
    pub left: usize,
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

/// UNIT: rows of a lie one element apart, so that the first says where all are.
struct IndirectKernel<T, const ROWS: usize, const VECTORS: usize, const UNIT: bool>(PhantomData<T>);

impl<T: Scalar, const ROWS: usize, const VECTORS: usize, const UNIT: bool> VectorKernel<T>
    for IndirectKernel<T, ROWS, VECTORS, UNIT>
{
    type Args = Indirect<T>;

    #[inline(always)]
    unsafe fn run<V: Vector<Item = T>, const FMA: bool>(tile: Indirect<T>) {
        // SAFETY: rows of a have the steps of their segments, each row of b VECTORS · LEN, c the part that is stored.
        unsafe {
            for i in 0..tile.rows {
                let row = tile.c.add(i).read().add(tile.left);
                V::prefetch(row);
                V::prefetch(row.add(tile.columns - 1));
            }
            let mut sums = [[V::splat(T::ZERO); VECTORS]; ROWS];
            let (mut starts, mut rows) = (std::ptr::null(), [std::ptr::null(); ROWS]);
            for number in 0..tile.count {
                let segment = &*tile.segments.add(number);
                let from = if segment.rows.is_null() { tile.starts } else { segment.rows };
                if from != starts {
                    starts = from;
                    for (i, row) in rows.iter_mut().enumerate().take(if UNIT { 1 } else { ROWS }) {
                        *row = starts.add(i).read();
                    }
                }
                let mut b = tile.b.offset(segment.first as isize * tile.b_row);
                let mut at = segment.shift;
                let mut first: *const T = rows[0].wrapping_offset(segment.shift);
                for _ in 0..segment.steps {
                    let mut row = [V::splat(T::ZERO); VECTORS];
                    for (v, vector) in row.iter_mut().enumerate() {
                        *vector = V::load(b.add(v * V::LEN));
                    }
                    if UNIT {
                        let next = first.wrapping_offset(8 * tile.a_step);
                        V::prefetch_near(next);
                        V::prefetch_near(next.wrapping_add(ROWS - 1));
                    }
                    for (i, sums) in sums.iter_mut().enumerate() {
                        let a = if UNIT { first.add(i) } else { rows[i].wrapping_offset(at) };
                        let x = V::splat(a.read());
                        for (sum, &y) in sums.iter_mut().zip(&row) {
                            *sum = V::mul_add::<FMA>(x, y, *sum);
                        }
                    }
                    if UNIT {
                        first = first.wrapping_offset(tile.a_step);
                    } else {
                        at = opaque(at + tile.a_step);
                    }
                    b = b.wrapping_offset(tile.b_row);
                }
            }
            let last = tile.columns - (VECTORS - 1) * V::LEN;
            for (i, sums) in sums.iter().enumerate().take(tile.rows) {
                for (v, &sum) in sums.iter().enumerate() {
                    let to = tile.c.add(i).read().add(tile.left + v * V::LEN);
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
    /// By quarters of the rows, then by vectors.
    kernels: [[IndirectFn<T>; 2]; 4],
    /// Those of whole tiles whose rows of a lie one element apart.
    units: [IndirectFn<T>; 2],
}

impl<T: Scalar> IndirectEngine<T> {
    pub fn new(isa: Isa) -> IndirectEngine<T> {
        macro_rules! both {
            ($rows:literal, $unit:literal) => {
                [1, 2].map(|vectors| match vectors {
                    1 => T::kernel::<IndirectKernel<T, $rows, 1, $unit>>(isa),
                    _ => T::kernel::<IndirectKernel<T, $rows, 2, $unit>>(isa),
                })
            };
        }
        macro_rules! kernels {
            ($($rows:literal)* | $most:literal) => { ($most, [$(both!($rows, false)),*], both!($most, true)) };
        }
        let Engine { mr, nr, lanes, .. } = T::engine(isa);
        // Each row takes a register for its place.
        let (mr, kernels, units) = match mr {
            12.. => kernels!(3 6 9 12 | 12),
            6.. => kernels!(3 3 6 6 | 6),
            _ => kernels!(2 2 4 4 | 4),
        };
        IndirectEngine { mr, nr, lanes, kernels, units }
    }

    /// The kernel for tiles of so many rows and columns.
    pub fn kernel(&self, rows: usize, columns: usize) -> IndirectFn<T> {
        self.kernels[(4 * rows).div_ceil(self.mr).clamp(1, 4) - 1][usize::from(columns > self.lanes)]
    }

    /// The kernel for whole tiles of so many columns whose rows of a lie one element apart.
    pub fn unit_kernel(&self, columns: usize) -> IndirectFn<T> {
        self.units[usize::from(columns > self.lanes)]
    }
}
