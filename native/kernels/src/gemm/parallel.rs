//! One matrix product over the pool: which parts each chunk packs and multiplies.

use super::micro::Scalar;
use super::product::{Block, OWN, Product, SHARED, block_depth, serial_bytes};
use super::vector;
use super::{Sizes, pack};
use crate::Done;
use crate::areas::{self, Areas};
use crate::pool::Pool;
use std::ops::Range;

/// Operations that a chunk should have.
const CHUNK_FLOPS: f64 = 1e6;

/// Operands of a product; they may be sent between threads, which write disjoint parts of c.
#[derive(Clone, Copy)]
struct Operands<T> {
    a: *const T,
    b: *const T,
    c: *mut T,
    packed: *mut T,
}

// SAFETY: see above.
unsafe impl<T> Sync for Operands<T> {}

impl<T: Scalar> Product<T> {
    /// Bytes of scratch that [`Product::run`] works in.
    pub fn scratch_bytes(&self) -> usize {
        if self.is_small() || self.sizes.m == 1 || self.sizes.n == 1 {
            return serial_bytes::<T>(&self.sizes);
        }
        let cut = self.cut();
        cut.shared_bytes::<T>() + areas::wanted(cut.chunks) * cut.own_bytes::<T>()
    }

    /// Rows (or columns, where there are many more) go to chunks, which pack their own; the other operand is packed
    /// once.
    fn cut(&self) -> Cut {
        let Sizes { m, n, k, .. } = self.sizes;
        let (mr, nr) = (self.engine.mr, self.engine.nr);
        let by_columns = n >= 2 * m;
        let (long, short, long_unit, short_unit) = if by_columns { (n, m, nr, mr) } else { (m, n, mr, nr) };
        let depth = block_depth(k);
        let shared = SHARED.min(short);
        let mut own = (long / 16).next_multiple_of(long_unit).clamp(long_unit, OWN / long_unit * long_unit);
        while own + long_unit <= OWN && 2.0 * own as f64 * shared as f64 * (depth as f64) < CHUNK_FLOPS {
            own += long_unit;
        }
        Cut { by_columns, depth, shared, own, chunks: long.div_ceil(own), shared_unit: short_unit, own_unit: long_unit }
    }

    /// c (+)= a · b over the pool.
    ///
    /// # Safety
    /// As for [`Product::run_serial`]; `scratch` has [`Product::scratch_bytes`].
    pub unsafe fn run(&self, a: *const T, b: *const T, c: *mut T, accumulate: bool, scratch: *mut u8, pool: &Pool) {
        // SAFETY: by the caller.
        unsafe { self.run_parts(a, b, c, accumulate, scratch, pool, &|_| {}) }
    }

    /// `run`, which tells `done` of finished elements, counted from the first of c.
    ///
    /// # Safety
    /// As for [`Product::run`].
    #[allow(clippy::too_many_arguments)]
    pub unsafe fn run_parts(
        &self,
        a: *const T,
        b: *const T,
        c: *mut T,
        accumulate: bool,
        scratch: *mut u8,
        pool: &Pool,
        done: Done,
    ) {
        let Sizes { m, n, k, a: sa, b: sb, c_row } = self.sizes;
        if m == 1 || n == 1 {
            // SAFETY: by the caller.
            return unsafe { self.run_vector(a, b, c, accumulate, pool, done) };
        }
        if self.is_small() {
            // SAFETY: by the caller.
            unsafe { self.run_serial(a, b, c, accumulate, scratch) };
            return self.tell(0, done, 0..m, 0..n);
        }
        let cut = self.cut();
        // SAFETY: within the scratch memory.
        let own = unsafe {
            Areas::new(scratch.add(cut.shared_bytes::<T>()), cut.own_bytes::<T>(), areas::wanted(cut.chunks))
        };
        let operands = Operands { a, b, c, packed: scratch as *mut T };
        let (long, short) = if cut.by_columns { (n, m) } else { (m, n) };
        for start in (0..short).step_by(cut.shared) {
            let count = cut.shared.min(short - start);
            for first in (0..k).step_by(cut.depth) {
                let steps = cut.depth.min(k - first);
                let unit = cut.shared_unit;
                let group = (65536 / (steps * unit)).max(1) * unit;
                pool.for_chunks(count.div_ceil(group), |chunk| {
                    let operands = &operands;
                    let (at, len) = (chunk * group, group.min(count - chunk * group));
                    let (from, across, along) =
                        if cut.by_columns { (operands.a, sa.row, sa.column) } else { (operands.b, sb.column, sb.row) };
                    // SAFETY: each chunk packs its panels.
                    unsafe {
                        let from = from.offset((start + at) as isize * across + first as isize * along);
                        pack::panels(operands.packed.add(at * steps), from, across, along, len, steps, unit);
                    }
                });
                pool.for_chunks(cut.chunks, |chunk| {
                    let operands = &operands;
                    let (at, len) = (chunk * cut.own, cut.own.min(long - chunk * cut.own));
                    own.with(|memory| {
                        let mine = memory as *mut T;
                        // SAFETY: each chunk writes its rows (or columns) of c.
                        unsafe {
                            let (mut plain_a, mut packed_a, mut packed_b) = (None, operands.packed, operands.packed);
                            let (mut rows, mut columns, mut c) = (count, count, operands.c);
                            if cut.by_columns {
                                let from = operands.b.offset(at as isize * sb.column + first as isize * sb.row);
                                pack::panels(mine, from, sb.column, sb.row, len, steps, cut.own_unit);
                                (packed_b, columns, c) = (mine, len, c.add(start * c_row + at));
                            } else {
                                let from = operands.a.offset(at as isize * sa.row + first as isize * sa.column);
                                if count <= 4 * self.engine.nr {
                                    plain_a = Some(from);
                                } else {
                                    pack::panels(mine, from, sa.row, sa.column, len, steps, cut.own_unit);
                                }
                                (packed_a, rows, c) = (mine, len, c.add(at * c_row + start));
                            }
                            let accumulate = accumulate || first > 0;
                            self.tiles(&Block {
                                packed_a,
                                packed_b,
                                plain_a,
                                plain_b: None,
                                c,
                                rows,
                                columns,
                                k: steps,
                                accumulate,
                            });
                            if first + steps == k {
                                let (own, shared) = (at..at + len, start..start + count);
                                let (rows, columns) = if cut.by_columns { (shared, own) } else { (own, shared) };
                                self.tell(0, done, rows, columns);
                            }
                        }
                    });
                });
            }
        }
    }

    /// Tells of a finished block of c, whose first element is number `first`.
    pub(super) fn tell(&self, first: usize, done: Done, rows: Range<usize>, columns: Range<usize>) {
        let Sizes { n, c_row, .. } = self.sizes;
        if columns.len() == n && c_row == n {
            return done(first + rows.start * n..first + rows.end * n);
        }
        rows.map(|row| first + row * c_row).for_each(|row| done(row + columns.start..row + columns.end));
    }

    unsafe fn run_vector(&self, a: *const T, b: *const T, c: *mut T, accumulate: bool, pool: &Pool, done: Done) {
        let Sizes { m, n, k, a: sa, b: sb, c_row } = self.sizes;
        let operands = Operands { a, b, c, packed: std::ptr::null_mut() };
        let group = (131_072 / k.max(1)).max(1).next_multiple_of(vector::COLUMNS);
        pool.for_chunks((m * n).div_ceil(group), |chunk| {
            let operands = &operands;
            let (at, len) = (chunk * group, group.min(m * n - chunk * group));
            let mut part = *self;
            // SAFETY: each chunk has its part of the result.
            unsafe {
                if m == 1 {
                    part.sizes.n = len;
                    part.trivial(
                        operands.a,
                        operands.b.offset(at as isize * sb.column),
                        operands.c.add(at),
                        accumulate,
                    );
                    self.tell(0, done, 0..1, at..at + len);
                } else {
                    part.sizes.m = len;
                    part.trivial(
                        operands.a.offset(at as isize * sa.row),
                        operands.b,
                        operands.c.add(at * c_row),
                        accumulate,
                    );
                    self.tell(0, done, at..at + len, 0..1);
                }
            }
        });
    }
}

/// How a large product is cut: by its sizes alone.
struct Cut {
    by_columns: bool,
    depth: usize,
    shared: usize,
    own: usize,
    chunks: usize,
    shared_unit: usize,
    own_unit: usize,
}

impl Cut {
    fn shared_bytes<T>(&self) -> usize {
        (self.shared.next_multiple_of(self.shared_unit) * self.depth * size_of::<T>()).next_multiple_of(64)
    }

    fn own_bytes<T>(&self) -> usize {
        (self.own * self.depth * size_of::<T>()).next_multiple_of(64)
    }
}
