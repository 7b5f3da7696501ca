//! Copies of a box of elements between two strided places.

use crate::loops::transpose::Shared;
use crate::pool::Pool;

/// `extents` elements; strides in elements.
pub struct Region {
    extents: Vec<usize>,
    from: Vec<i64>,
    to: Vec<i64>,
    size: usize,
}

/// Elements of one chunk.
const CHUNK: usize = 65_536;

impl Region {
    pub fn new(extents: &[usize], from: &[i64], to: &[i64], size: usize) -> Region {
        let mut region = Region { extents: vec![], from: vec![], to: vec![], size };
        for k in 0..extents.len() {
            if extents[k] == 1 {
                continue;
            }
            let e = extents[k] as i64;
            match region.extents.last_mut() {
                Some(last) if region.from.last() == Some(&(from[k] * e)) && region.to.last() == Some(&(to[k] * e)) => {
                    *last *= extents[k];
                    region.from.pop();
                    region.to.pop();
                }
                _ => region.extents.push(extents[k]),
            }
            region.from.push(from[k]);
            region.to.push(to[k]);
        }
        region
    }

    pub fn elements(&self) -> usize {
        self.extents.iter().product()
    }

    pub fn cost_ns(&self) -> f64 {
        50.0 + self.elements() as f64 * 0.3
    }

    /// # Safety
    /// Both places have the elements of the region; they do not overlap.
    pub unsafe fn copy(&self, from: *const u8, to: *mut u8, pool: &Pool) {
        if self.elements() == 0 {
            return;
        }
        let rank = self.extents.len();
        let (length, from_step, to_step) = match rank {
            0 => (1, 1, 1),
            _ => (self.extents[rank - 1], self.from[rank - 1], self.to[rank - 1]),
        };
        let rows = self.elements() / length;
        let (row_pieces, row_group) = (length.div_ceil(CHUNK), (CHUNK / length).max(1));
        let (from, to) = (Shared(from.cast_mut()), Shared(to));
        pool.for_chunks(rows.div_ceil(row_group) * row_pieces, |chunk| {
            let (group, piece) = (chunk / row_pieces, chunk % row_pieces);
            let (first, count) = (piece * CHUNK, CHUNK.min(length - piece * CHUNK));
            for row in group * row_group..((group + 1) * row_group).min(rows) {
                let (mut rest, mut a, mut b) = (row, first as i64 * from_step, first as i64 * to_step);
                for k in (0..rank.saturating_sub(1)).rev() {
                    let index = (rest % self.extents[k]) as i64;
                    rest /= self.extents[k];
                    a += index * self.from[k];
                    b += index * self.to[k];
                }
                // SAFETY: by the caller; chunks write different elements.
                unsafe {
                    let (from, to) = (
                        from.get().offset(a as isize * self.size as isize),
                        to.get().offset(b as isize * self.size as isize),
                    );
                    self.row(from, from_step as isize, to, to_step as isize, count);
                }
            }
        });
    }

    unsafe fn row(&self, from: *const u8, from_step: isize, to: *mut u8, to_step: isize, count: usize) {
        unsafe fn typed<T: Copy>(from: *const T, from_step: isize, to: *mut T, to_step: isize, count: usize) {
            // SAFETY: by the caller.
            (0..count as isize)
                .for_each(|i| unsafe { to.offset(i * to_step).write(from.offset(i * from_step).read()) });
        }
        // SAFETY: by the caller.
        unsafe {
            match self.size {
                size if from_step == 1 && to_step == 1 => from.copy_to_nonoverlapping(to, count * size),
                1 => typed(from, from_step, to, to_step, count),
                2 => typed(from as *const u16, from_step, to as *mut u16, to_step, count),
                4 => typed(from as *const u32, from_step, to as *mut u32, to_step, count),
                _ => typed(from as *const u64, from_step, to as *mut u64, to_step, count),
            }
        }
    }
}

/// Row-major strides.
pub fn strides(dims: &[usize]) -> Vec<i64> {
    let mut strides = vec![1; dims.len()];
    for k in (1..dims.len()).rev() {
        strides[k - 1] = strides[k] * dims[k] as i64;
    }
    strides
}

/// Writes the element at `value` to `count` places.
///
/// # Safety
/// `to` has `count` elements of `size` bytes.
pub unsafe fn fill(size: usize, value: *const u8, to: *mut u8, count: usize, pool: &Pool) {
    let (value, to) = (Shared(value.cast_mut()), Shared(to));
    pool.for_chunks(count.div_ceil(CHUNK), |chunk| {
        let (at, len) = (chunk * CHUNK, CHUNK.min(count - chunk * CHUNK));
        // SAFETY: by the caller; a stride of zero repeats the element.
        unsafe { crate::loops::copy_strided(size, value.get(), 0, to.get().add(at * size), len) }
    });
}
