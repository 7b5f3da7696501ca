//! One matrix product on one thread: blocks of k that keep panels in the caches, packed operands, tiles in any order.

use super::micro::{Engine, Micro, Scalar};
use super::vector::{self, VectorProduct};
use super::{Sizes, pack};
use crate::isa::Isa;

/// Steps of k in one block: a panel of b of this depth stays in the first cache.
const DEPTH: usize = 256;
/// Rows (or columns) that are packed for all threads at once.
pub(super) const SHARED: usize = 1024;
/// Rows (or columns) of one chunk at most: its packed block stays in the second cache.
pub(super) const OWN: usize = 192;
/// Products below this many operations run on the calling thread.
const SERIAL_FLOPS: f64 = 1e6;
/// Below this many rows, rows of b are read where they lie.
const FEW_ROWS: usize = 16;
/// Elements of an operand that is read where it lies however often.
const SMALL: usize = 16 * 1024;

/// A product that one call spreads over the pool.
#[derive(Clone, Copy)]
pub struct Product<T> {
    pub sizes: Sizes,
    pub(super) engine: Engine<T>,
    vector: unsafe fn(VectorProduct<T>),
}

/// A block of c and its operands, packed or where they lie.
pub(super) struct Block<T> {
    pub packed_a: *mut T,
    pub packed_b: *mut T,
    pub plain_a: Option<*const T>,
    pub plain_b: Option<*const T>,
    pub c: *mut T,
    pub rows: usize,
    pub columns: usize,
    pub k: usize,
    pub accumulate: bool,
}

/// Bytes that [`Product::run_serial`] works in.
pub fn serial_bytes<T: Scalar>(sizes: &Sizes) -> usize {
    if sizes.m == 1 || sizes.n == 1 {
        return 0;
    }
    let depth = DEPTH.min(sizes.k.max(1));
    let rows = OWN.min(sizes.m + 32); // the last panel of a is whole
    let columns = SHARED.min(sizes.n.next_multiple_of(32));
    ((rows + columns) * depth * size_of::<T>()).next_multiple_of(64)
}

impl<T: Scalar> Product<T> {
    pub fn new(sizes: Sizes, isa: Isa) -> Product<T> {
        Product { sizes, engine: T::engine(isa), vector: vector::kernel::<T>(isa) }
    }

    /// Whether one thread is enough.
    pub fn is_small(&self) -> bool {
        self.sizes.flops() < SERIAL_FLOPS
    }

    /// c (+)= a · b on the calling thread; `memory` has [`serial_bytes`].
    ///
    /// # Safety
    /// The operands have the elements that sizes and strides name; c overlaps nothing.
    pub unsafe fn run_serial(&self, a: *const T, b: *const T, c: *mut T, accumulate: bool, memory: *mut u8) {
        let Sizes { m, n, k, a: sa, b: sb, .. } = self.sizes;
        // SAFETY: by the caller.
        unsafe {
            if self.trivial(a, b, c, accumulate) {
                return;
            }
            let (mr, nr) = (self.engine.mr, self.engine.nr);
            let depth = block_depth(k);
            let (packed_b, columns) = (memory as *mut T, SHARED.min(n.next_multiple_of(nr)));
            let packed_a = packed_b.add(columns.next_multiple_of(32) * depth);
            let own = OWN / mr * mr;
            // A small operand, and one that is used once or twice, is read where it lies.
            let plain_a = m * k <= SMALL || n <= 4 * nr;
            let plain_b = sb.column == 1 && (k * n <= SMALL || m <= FEW_ROWS);
            for left in (0..n).step_by(columns) {
                let width = columns.min(n - left);
                for first in (0..k).step_by(depth) {
                    let steps = depth.min(k - first);
                    let b = b.offset(first as isize * sb.row + left as isize * sb.column);
                    if !plain_b {
                        pack::panels(packed_b, b, sb.column, sb.row, width, steps, nr);
                    }
                    for top in (0..m).step_by(own) {
                        let rows = own.min(m - top);
                        let a = a.offset(top as isize * sa.row + first as isize * sa.column);
                        if !plain_a {
                            pack::panels(packed_a, a, sa.row, sa.column, rows, steps, mr);
                        }
                        let block = Block {
                            packed_a,
                            packed_b,
                            plain_a: plain_a.then_some(a),
                            plain_b: plain_b.then_some(b),
                            c: c.add(top * self.sizes.c_row + left),
                            rows,
                            columns: width,
                            k: steps,
                            accumulate: accumulate || first > 0,
                        };
                        self.tiles(&block);
                    }
                }
            }
        }
    }

    /// Elements of b packed whole, for [`Product::run_rows`].
    pub fn packed_len(&self) -> usize {
        self.sizes.k * self.sizes.n.next_multiple_of(self.engine.nr)
    }

    /// # Safety
    /// `to` has [`Product::packed_len`] elements.
    pub unsafe fn pack_b(&self, to: *mut T, b: *const T) {
        let Sizes { n, k, b: sb, .. } = self.sizes;
        let depth = block_depth(k);
        for first in (0..k).step_by(depth) {
            // SAFETY: by the caller.
            unsafe {
                let at = to.add(first * n.next_multiple_of(self.engine.nr));
                let b = b.offset(first as isize * sb.row);
                pack::panels(at, b, sb.column, sb.row, n, depth.min(k - first), self.engine.nr);
            }
        }
    }

    /// Bytes that [`Product::run_rows`] works in.
    pub fn rows_bytes(&self) -> usize {
        (OWN * block_depth(self.sizes.k) * size_of::<T>()).next_multiple_of(64)
    }

    /// c = a · b on the calling thread for `rows` rows of a, with b packed before; `memory` has
    /// [`Product::rows_bytes`].
    ///
    /// # Safety
    /// As for [`Product::run_serial`].
    pub unsafe fn run_rows(&self, a: *const T, packed_b: *const T, c: *mut T, rows: usize, memory: *mut u8) {
        let Sizes { n, k, a: sa, c_row, .. } = self.sizes;
        let (mr, nr) = (self.engine.mr, self.engine.nr);
        let depth = block_depth(k);
        let own = OWN / mr * mr;
        let plain = n <= 4 * nr;
        for first in (0..k).step_by(depth) {
            let steps = depth.min(k - first);
            for top in (0..rows).step_by(own) {
                // SAFETY: by the caller.
                unsafe {
                    let a = a.offset(top as isize * sa.row + first as isize * sa.column);
                    let rows = own.min(rows - top);
                    if !plain {
                        pack::panels(memory as *mut T, a, sa.row, sa.column, rows, steps, mr);
                    }
                    self.tiles(&Block {
                        packed_a: memory as *mut T,
                        packed_b: packed_b.add(first * n.next_multiple_of(nr)).cast_mut(),
                        plain_a: plain.then_some(a),
                        plain_b: None,
                        c: c.add(top * c_row),
                        rows,
                        columns: n,
                        k: steps,
                        accumulate: first > 0,
                    });
                }
            }
        }
    }

    /// Products without a sum, without a result, or with a vector.
    pub(super) unsafe fn trivial(&self, a: *const T, b: *const T, c: *mut T, accumulate: bool) -> bool {
        let Sizes { m, n, k, a: sa, b: sb, c_row } = self.sizes;
        // SAFETY: by the caller.
        unsafe {
            if m == 0 || n == 0 {
                return true;
            }
            if k == 0 {
                for i in (0..m).filter(|_| !accumulate) {
                    (0..n).for_each(|j| c.add(i * c_row + j).write(T::ZERO));
                }
                return true;
            }
            if m == 1 {
                let v = VectorProduct {
                    k,
                    n,
                    x: a,
                    x_step: sa.column,
                    b,
                    b_row: sb.row,
                    b_column: sb.column,
                    out: c,
                    out_step: 1,
                    accumulate,
                };
                (self.vector)(v);
                return true;
            }
            if n == 1 {
                let out_step = c_row as isize;
                let v = VectorProduct {
                    k,
                    n: m,
                    x: b,
                    x_step: sb.row,
                    b: a,
                    b_row: sa.column,
                    b_column: sa.row,
                    out: c,
                    out_step,
                    accumulate,
                };
                (self.vector)(v);
                return true;
            }
            false
        }
    }

    /// All tiles of a block of c.
    ///
    /// # Safety
    /// Packed panels that the block needs are whole; a plain operand that does not fill its last panel is packed here.
    pub(super) unsafe fn tiles(&self, block: &Block<T>) {
        let Engine { mr, nr, .. } = self.engine;
        let Sizes { a: sa, b: sb, c_row, .. } = self.sizes;
        let Block { rows, columns, k, accumulate, .. } = *block;
        // SAFETY: by the callers.
        unsafe {
            let whole_rows = rows / mr * mr;
            if let Some(a) = block.plain_a.filter(|_| whole_rows < rows) {
                let a = a.offset(whole_rows as isize * sa.row);
                pack::panel(block.packed_a, a, sa.row, sa.column, rows - whole_rows, k, mr);
            }
            for (panel, left) in (0..columns).step_by(nr).enumerate() {
                let width = nr.min(columns - left);
                let (b, b_row) = match block.plain_b {
                    Some(plain) if width == nr => (plain.add(left), sb.row),
                    Some(plain) => {
                        pack::panel(block.packed_b, plain.add(left), 1, sb.row, width, k, nr);
                        (block.packed_b.cast_const(), nr as isize)
                    }
                    None => (block.packed_b.add(panel * k * nr).cast_const(), nr as isize),
                };
                for (strip, top) in (0..rows).step_by(mr).enumerate() {
                    let plain = block.plain_a.filter(|_| top < whole_rows);
                    let packed =
                        if block.plain_a.is_some() { block.packed_a } else { block.packed_a.add(strip * k * mr) };
                    let run = match (plain.is_some(), width * 2 <= nr) {
                        (false, false) => self.engine.wide,
                        (false, true) => self.engine.narrow,
                        (true, false) => self.engine.plain_wide,
                        (true, true) => self.engine.plain_narrow,
                    };
                    run(Micro {
                        k,
                        a: plain.map_or(packed.cast_const(), |a| a.offset(top as isize * sa.row)),
                        a_row: sa.row,
                        a_column: sa.column,
                        b,
                        b_row,
                        c: block.c.add(top * c_row + left),
                        c_row,
                        rows: mr.min(rows - top),
                        columns: width,
                        accumulate,
                    });
                }
            }
        }
    }
}

/// Blocks of equal depth, at most DEPTH.
pub(super) fn block_depth(k: usize) -> usize {
    k.div_ceil(k.div_ceil(DEPTH).max(1)).max(1)
}
