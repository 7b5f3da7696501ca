//! Copies of operands whose neighbours in iteration order lie far apart in memory, block by block, so that each cache
//! line is fetched once.

use crate::pool::Pool;
use std::mem::MaybeUninit;

/// Elements a side of a block.
const BLOCK: usize = 16;
/// Below this, a tile gathers the elements itself.
const WORTH: usize = 2048;

/// A dense row-major copy of a strided operand.
pub struct StridedCopy {
    /// Of the copy; axes along which the operand is broadcast are left out.
    extents: Vec<usize>,
    strides: Vec<i64>,
    size: usize,
    /// The axis that is contiguous in the operand.
    unit: usize,
}

impl StridedCopy {
    /// Where a copy pays: the copy, and the strides of its reader.
    pub fn wanted(extents: &[usize], strides: &[i64], size: usize) -> Option<(StridedCopy, Vec<i64>)> {
        let axes: Vec<usize> = (0..extents.len()).filter(|&k| strides[k] != 0).collect();
        let count: usize = axes.iter().map(|&k| extents[k]).product();
        let (&last, &stride) = (extents.last()?, strides.last()?);
        let unit = axes.iter().position(|&k| strides[k] == 1 && k + 1 < extents.len() && extents[k] >= 4)?;
        if stride == 0 || last < 4 || count < WORTH {
            return None;
        }
        let mut reader = vec![0; extents.len()];
        let mut step = 1;
        for &k in axes.iter().rev() {
            reader[k] = step;
            step *= extents[k] as i64;
        }
        let copy = StridedCopy {
            extents: axes.iter().map(|&k| extents[k]).collect(),
            strides: axes.iter().map(|&k| strides[k]).collect(),
            size,
            unit,
        };
        Some((copy, reader))
    }

    pub fn bytes(&self) -> usize {
        self.extents.iter().product::<usize>() * self.size
    }

    /// # Safety
    /// `from` is the element at position zero, every strided position is inside its buffer, `to` has `bytes` bytes.
    pub unsafe fn run(&self, from: *const u8, to: *mut u8, pool: &Pool) {
        // SAFETY: by the caller.
        unsafe {
            match self.size {
                1 => self.typed(from, to, pool),
                2 => self.typed(from as *const u16, to as *mut u16, pool),
                4 => self.typed(from as *const u32, to as *mut u32, pool),
                _ => self.typed(from as *const u64, to as *mut u64, pool),
            }
        }
    }

    unsafe fn typed<T: Copy>(&self, from: *const T, to: *mut T, pool: &Pool) {
        let rank = self.extents.len();
        let (unit, last) = (self.unit, rank - 1);
        let to_stride: usize = self.extents[unit + 1..].iter().product();
        let (rows, columns) = (self.extents[unit], self.extents[last]);
        // One job: a strip of BLOCK rows of one of the planes that the other axes span.
        let strips = rows.div_ceil(BLOCK);
        let planes: usize = (0..last).filter(|&k| k != unit).map(|k| self.extents[k]).product();
        let jobs = planes * strips;
        let per_chunk = (32 * 1024 / (BLOCK * columns)).max(1);
        let pointers = (Shared(from as *mut T), Shared(to));
        pool.for_chunks(jobs.div_ceil(per_chunk), |chunk| {
            let (from, to) = (pointers.0.get(), pointers.1.get());
            for job in chunk * per_chunk..((chunk + 1) * per_chunk).min(jobs) {
                let (mut plane, strip) = (job / strips, job % strips);
                let (mut from_at, mut to_at, mut step) = (0i64, 0usize, columns);
                for k in (0..last).rev() {
                    if k != unit {
                        let index = plane % self.extents[k];
                        plane /= self.extents[k];
                        from_at += index as i64 * self.strides[k];
                        to_at += index * step;
                    }
                    step *= self.extents[k];
                }
                let (first, end) = (strip * BLOCK, ((strip + 1) * BLOCK).min(rows));
                for left in (0..columns).step_by(BLOCK) {
                    let right = (left + BLOCK).min(columns);
                    // SAFETY: positions of the copy, each written once.
                    unsafe {
                        let from = from.offset((from_at + first as i64 + left as i64 * self.strides[last]) as isize);
                        let to = to.add(to_at + first * to_stride + left);
                        block(from, self.strides[last] as isize, to, to_stride, end - first, right - left);
                    }
                }
            }
        });
    }
}

/// to[i, j] = from[j, i] of a block of at most BLOCK² elements, by way of one that lies together: the rows of `from`
/// often lie a power of two apart, where a cache holds few of them.
#[inline(always)]
unsafe fn block<T: Copy>(
    from: *const T,
    from_stride: isize,
    to: *mut T,
    to_stride: usize,
    rows: usize,
    columns: usize,
) {
    let mut between = [const { MaybeUninit::<[T; BLOCK]>::uninit() }; BLOCK];
    // SAFETY: by the caller; what is read from `between` was written before.
    unsafe {
        for (j, line) in between.iter_mut().enumerate().take(columns) {
            from.offset(j as isize * from_stride).copy_to_nonoverlapping(line.as_mut_ptr().cast(), rows);
        }
        let between = between.as_ptr().cast::<T>();
        for i in 0..rows {
            for j in 0..columns {
                to.add(i * to_stride + j).write(between.add(j * BLOCK + i).read());
            }
        }
    }
}

/// A pointer whose users write disjoint elements.
#[derive(Clone, Copy)]
pub struct Shared<T>(pub *mut T);

// SAFETY: see above.
unsafe impl<T> Send for Shared<T> {}
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub fn get(&self) -> *mut T {
        self.0
    }
}
