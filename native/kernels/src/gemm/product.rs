//! One matrix product: blocks of k that keep panels in the caches, packed operands, tiles in any order.

use super::micro::{Engine, Micro, Scalar};
use super::vector::{self, VectorProduct};
use super::{Sizes, pack};
use crate::areas::{self, Areas};
use crate::isa::Isa;
use crate::pool::Pool;

/// Steps of k in one block: a panel of b of this depth stays in the first cache.
const DEPTH: usize = 384;
/// Rows (or columns) that are packed for all threads at once.
const SHARED: usize = 2048;
/// Rows (or columns) of one chunk at most: its packed block stays in the second cache.
const OWN: usize = 192;
/// Products below this many operations run on the calling thread.
const SERIAL_FLOPS: f64 = 1e6;
/// Operations that a chunk should have.
const CHUNK_FLOPS: f64 = 1e6;
/// Below this many rows, rows of b are read where they lie.
const FEW_ROWS: usize = 16;
/// Elements of an operand that is read where it lies however often.
const SMALL: usize = 16 * 1024;

/// A product that one call spreads over the pool.
#[derive(Clone, Copy)]
pub struct Product<T> {
    pub sizes: Sizes,
    engine: Engine<T>,
    vector: unsafe fn(VectorProduct<T>),
}

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

/// A block of c and its operands, packed or where they lie.
struct Block<T> {
    packed_a: *mut T,
    packed_b: *mut T,
    plain_a: Option<*const T>,
    plain_b: Option<*const T>,
    c: *mut T,
    rows: usize,
    columns: usize,
    k: usize,
    accumulate: bool,
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

    /// c = a · b on the calling thread for `rows` rows of a, with b packed before; `memory` has [`Product::rows_bytes`].
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
    unsafe fn trivial(&self, a: *const T, b: *const T, c: *mut T, accumulate: bool) -> bool {
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
                let v = VectorProduct { k, n, x: a, x_step: sa.column, b, b_row: sb.row, b_column: sb.column, out: c, out_step: 1, accumulate };
                (self.vector)(v);
                return true;
            }
            if n == 1 {
                let out_step = c_row as isize;
                let v = VectorProduct { k, n: m, x: b, x_step: sb.row, b: a, b_row: sa.column, b_column: sa.row, out: c, out_step, accumulate };
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
    unsafe fn tiles(&self, block: &Block<T>) {
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
                    let packed = if block.plain_a.is_some() { block.packed_a } else { block.packed_a.add(strip * k * mr) };
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

    /// Bytes of scratch that [`Product::run`] works in.
    pub fn scratch_bytes(&self) -> usize {
        if self.is_small() || self.sizes.m == 1 || self.sizes.n == 1 {
            return serial_bytes::<T>(&self.sizes);
        }
        let cut = self.cut();
        cut.shared_bytes::<T>() + areas::wanted(cut.chunks) * cut.own_bytes::<T>()
    }

    /// Rows (or columns, where there are many more) go to chunks, which pack their own; the other operand is packed once.
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
        let Sizes { m, n, k, a: sa, b: sb, c_row } = self.sizes;
        if m == 1 || n == 1 {
            // SAFETY: by the caller.
            return unsafe { self.run_vector(a, b, c, accumulate, pool) };
        }
        if self.is_small() {
            // SAFETY: by the caller.
            return unsafe { self.run_serial(a, b, c, accumulate, scratch) };
        }
        let cut = self.cut();
        // SAFETY: within the scratch memory.
        let own = unsafe { Areas::new(scratch.add(cut.shared_bytes::<T>()), cut.own_bytes::<T>(), areas::wanted(cut.chunks)) };
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
                    let (from, across, along) = if cut.by_columns {
                        (operands.a, sa.row, sa.column)
                    } else {
                        (operands.b, sb.column, sb.row)
                    };
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
                            self.tiles(&Block { packed_a, packed_b, plain_a, plain_b: None, c, rows, columns, k: steps, accumulate });
                        }
                    });
                });
            }
        }
    }

    unsafe fn run_vector(&self, a: *const T, b: *const T, c: *mut T, accumulate: bool, pool: &Pool) {
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
                    part.trivial(operands.a, operands.b.offset(at as isize * sb.column), operands.c.add(at), accumulate);
                } else {
                    part.sizes.m = len;
                    part.trivial(operands.a.offset(at as isize * sa.row), operands.b, operands.c.add(at * c_row), accumulate);
                }
            }
        });
    }
}

/// Blocks of equal depth, at most DEPTH.
fn block_depth(k: usize) -> usize {
    k.div_ceil(k.div_ceil(DEPTH).max(1)).max(1)
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
