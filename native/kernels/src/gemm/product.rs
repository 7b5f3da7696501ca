//! A matrix product: c is cut into parts by its sizes alone, and a part is computed by one thread: blocks of k and of
//! rows that keep panels in the caches, operands packed or read where they lie.

use super::micro::{Engine, Pack, Scalar, Tile};
use super::operands::{Ahead, Columns, Corner, Rows};
use super::vector::{Sums, VectorProduct};
use super::{Sizes, Strides};
use crate::isa::Isa;

/// Steps of k in one block: a strip of a of this depth stays in the first cache while panels of b pass through it.
const DEPTH: usize = 512;
const FEW_STEPS: usize = 64;
/// Rows of a block of a, and panels of b that are used together: they stay in the second cache.
pub(super) const BLOCK_ROWS: usize = 252;
const GROUP: usize = 4;
/// Elements of an operand that is read where it lies however often.
pub(super) const SMALL: usize = 16 * 1024;

/// Rows of a for which packing rows of b that lie near each other costs more than it gains.
const PLAIN_ROWS: usize = 160;

/// A product that one call computes alone or spreads over the pool.
#[derive(Clone, Copy)]
pub struct Product<T> {
    pub sizes: Sizes,
    pub(super) engine: Engine<T>,
    pub(super) vector: unsafe fn(VectorProduct<T>),
}

/// Where an operand lies: as it is, or packed whole before.
#[derive(Clone, Copy)]
pub(super) enum Source<T> {
    Plain(*const T),
    Packed(*const T),
}

/// Operands and result of a whole product.
#[derive(Clone, Copy)]
pub(super) struct Operands<T> {
    pub a: Source<T>,
    pub b: Source<T>,
    pub c: *mut T,
    pub c_row: usize,
    pub accumulate: bool,
}

// SAFETY: threads write disjoint parts of c.
unsafe impl<T> Sync for Operands<T> {}

/// A part of c, and of k: `steps` from `first` on, whole blocks but for the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Part {
    pub top: usize,
    pub rows: usize,
    pub left: usize,
    pub columns: usize,
    pub first: usize,
    pub steps: usize,
}

/// Bytes that [`Product::run_serial`] works in.
pub fn serial_bytes<T: Scalar>(sizes: &Sizes) -> usize {
    part_bytes::<T>(sizes.m, sizes.n, sizes.k)
}

/// Bytes for a part of so many rows and columns: a block of a, and a group of panels of b.
pub(super) fn part_bytes<T>(rows: usize, columns: usize, k: usize) -> usize {
    const WIDEST: usize = 32;
    let columns = columns.next_multiple_of(WIDEST).min(GROUP * WIDEST);
    ((rows.min(BLOCK_ROWS) + columns) * DEPTH.min(k.max(1)) * size_of::<T>()).next_multiple_of(64)
}

impl<T: Scalar> Product<T> {
    pub fn new(sizes: Sizes, isa: Isa) -> Product<T> {
        Product { sizes, engine: T::engine(isa), vector: T::kernel::<Sums<T>>(isa) }
    }

    /// c (+)= a · b on the calling thread; `memory` has [`serial_bytes`].
    ///
    /// # Safety
    /// The operands have the elements that sizes and strides name; c overlaps nothing.
    pub unsafe fn run_serial(&self, a: *const T, b: *const T, c: *mut T, accumulate: bool, memory: *mut u8) {
        // SAFETY: by the caller.
        unsafe {
            if !self.trivial(a, b, c, accumulate) {
                let (a, b, c_row) = (Source::Plain(a), Source::Plain(b), self.sizes.c_row);
                let operands = Operands { a, b, c, c_row, accumulate };
                self.part(&operands, self.whole(), memory);
            }
        }
    }

    /// Steps of k in one block. A single strip walks along rows of b where they lie: a few of them at a time, or each
    /// panel would go through all their pages anew.
    pub(super) fn depth(&self) -> usize {
        let Sizes { m, k, b, .. } = self.sizes;
        let most = if m <= self.engine.mr && b.column == 1 { FEW_STEPS } else { DEPTH };
        k.div_ceil(k.div_ceil(most).max(1)).max(1)
    }

    pub(super) fn whole(&self) -> Part {
        let Sizes { m, n, k, .. } = self.sizes;
        Part { top: 0, rows: m, left: 0, columns: n, first: 0, steps: k }
    }

    /// Elements of b packed whole, for [`Product::run_rows`] and [`Product::run_packed`] of a product of the same sizes.
    pub fn packed_len(&self) -> usize {
        self.sizes.k * self.packed_columns()
    }

    fn packed_columns(&self) -> usize {
        self.sizes.n.next_multiple_of(self.engine.lanes)
    }

    /// # Safety
    /// `to` has [`Product::packed_len`] elements.
    pub unsafe fn pack_b(&self, to: *mut T, b: *const T) {
        let Sizes { n, k, .. } = self.sizes;
        for first in (0..k).step_by(self.depth()) {
            // SAFETY: by the caller.
            unsafe { self.pack_b_block(to, b, first, 0, n) }
        }
    }

    /// A block of [`Product::pack_b`]: the block of k that begins at `first`, columns from a multiple of nr on.
    pub(super) unsafe fn pack_b_block(&self, to: *mut T, b: *const T, first: usize, left: usize, columns: usize) {
        let Sizes { k, b: sb, .. } = self.sizes;
        let steps = self.depth().min(k - first);
        // SAFETY: by the caller.
        unsafe {
            let to = to.add(first * self.packed_columns() + left * steps);
            let from = b.offset(first as isize * sb.row + left as isize * sb.column);
            self.pack_panels(to, from, columns, steps);
        }
    }

    /// Packs columns of b as panels of nr, the last one filled up to whole vectors.
    unsafe fn pack_panels(&self, to: *mut T, from: *const T, count: usize, k: usize) {
        let (Strides { row, column }, Engine { nr, lanes, .. }) = (self.sizes.b, self.engine);
        // SAFETY: by the caller.
        unsafe { (self.engine.pack)(Pack { to, from, across: column, along: row, count, k, most: nr, unit: lanes }) }
    }

    /// Packs rows of a as strips.
    pub(super) unsafe fn pack_strips(&self, to: *mut T, from: *const T, count: usize, k: usize) {
        let (Strides { row, column }, most) = (self.sizes.a, self.engine.mr);
        // SAFETY: by the caller.
        unsafe { (self.engine.pack)(Pack { to, from, across: row, along: column, count, k, most, unit: 1 }) }
    }

    /// Bytes that [`Product::run_rows`] works in.
    pub fn rows_bytes(&self) -> usize {
        part_bytes::<T>(BLOCK_ROWS, self.sizes.n, self.sizes.k)
    }

    /// c (+)= a · b on the calling thread for `rows` rows of a, with b packed before; `memory` has
    /// [`Product::rows_bytes`].
    ///
    /// # Safety
    /// As for [`Product::run_serial`].
    pub unsafe fn run_rows(
        &self,
        a: *const T,
        packed_b: *const T,
        c: *mut T,
        accumulate: bool,
        rows: usize,
        memory: *mut u8,
    ) {
        let (a, b, c_row) = (Source::Plain(a), Source::Packed(packed_b), self.sizes.c_row);
        let operands = Operands { a, b, c, c_row, accumulate };
        // SAFETY: by the caller.
        unsafe { self.part(&operands, Part { rows, ..self.whole() }, memory) }
    }

    /// Whether a is read where it lies: packing pays where strips are read often, where their steps are far apart, and
    /// where their rows meet in the same sets of the first cache.
    pub(super) fn a_is_plain(&self, rows: usize) -> bool {
        let Sizes { n, k, a, .. } = self.sizes;
        let apart = !(a.row.unsigned_abs() * size_of::<T>()).is_multiple_of(4096) || n <= self.engine.nr;
        rows * k <= SMALL || a.column == 1 && n <= GROUP * self.engine.nr && apart
    }

    /// Whether a part of so many rows reads rows of b where they lie: few rows of a use them, or they stay in a cache.
    pub(super) fn b_is_plain(&self, rows: usize) -> bool {
        let b = self.sizes.b;
        let row = b.row.unsigned_abs();
        let few = rows <= 2 * self.engine.mr || rows <= PLAIN_ROWS && row * size_of::<T>() < 4096;
        b.column == 1 && (few || row * self.depth() <= SMALL / 2)
    }

    /// Products without a sum, without a result, or with a vector.
    pub(super) unsafe fn trivial(&self, a: *const T, b: *const T, c: *mut T, accumulate: bool) -> bool {
        let Sizes { m, n, k, a: sa, b: sb, c_row } = self.sizes;
        if m == 0 || n == 0 {
            return true;
        }
        if k == 0 {
            for i in (0..m).filter(|_| !accumulate) {
                // SAFETY: by the caller.
                (0..n).for_each(|j| unsafe { c.add(i * c_row + j).write(T::ZERO) });
            }
            return true;
        }
        let v = if m == 1 {
            let (x_step, b_row, b_column) = (sa.column, sb.row, sb.column);
            VectorProduct { k, n, x: a, x_step, b, b_row, b_column, out: c, out_step: 1, accumulate }
        } else if n == 1 {
            let (x_step, b_row, b_column, out_step) = (sb.row, sa.column, sa.row, c_row as isize);
            VectorProduct { k, n: m, x: b, x_step, b: a, b_row, b_column, out: c, out_step, accumulate }
        } else {
            return false;
        };
        // SAFETY: by the caller.
        unsafe { (self.vector)(v) };
        true
    }

    /// One part of c; `memory` has [`part_bytes`]. Where a is packed before, the part begins at a multiple of
    /// [`BLOCK_ROWS`] or of its rows.
    ///
    /// # Safety
    /// As for [`Product::run_serial`].
    pub(super) unsafe fn part(&self, operands: &Operands<T>, part: Part, memory: *mut u8) {
        let Sizes { m, a: sa, .. } = self.sizes;
        let Part { top, rows, left, columns, .. } = part;
        let nr = self.engine.nr;
        let (depth, together) = (self.depth(), GROUP * nr);
        let (a_is_plain, b_is_plain) = (self.a_is_plain(rows), self.b_is_plain(rows));
        let (end, last) = (left + columns, part.first + part.steps);
        for first in (part.first..last).step_by(depth) {
            let steps = depth.min(last - first);
            for block in (0..rows).step_by(BLOCK_ROWS) {
                let (top, count) = (top + block, BLOCK_ROWS.min(rows - block));
                // SAFETY: by the caller.
                unsafe {
                    let own_b = memory as *mut T;
                    let own_a = own_b.add(together.min(columns.next_multiple_of(nr)) * depth);
                    let a = match operands.a {
                        Source::Packed(a) => Rows { at: a.add(first * m + top * steps), plain: None },
                        Source::Plain(a) => {
                            let at = a.offset(top as isize * sa.row + first as isize * sa.column);
                            if a_is_plain {
                                Rows { at, plain: Some(sa) }
                            } else {
                                self.pack_strips(own_a, at, count, steps);
                                Rows { at: own_a, plain: None }
                            }
                        }
                    };
                    for group in (left..end).step_by(together) {
                        let width = together.min(end - group);
                        let next = if group + width < end { (first, group + width) } else { (first + depth, left) };
                        let at = Corner { first, left: group };
                        let b = self.columns_of_b(operands.b, at, [width, steps], b_is_plain, own_b);
                        let b = Columns { next: self.ahead(operands.b, Corner { first: next.0, left: next.1 }), ..b };
                        let c = operands.c.add(top * operands.c_row + group);
                        let accumulate = operands.accumulate || first > part.first;
                        self.tiles(a, b, (c, operands.c_row), [count, width, steps], accumulate);
                    }
                }
            }
        }
    }

    /// A block of b: where it lies, or packed to `own`.
    unsafe fn columns_of_b(
        &self,
        b: Source<T>,
        Corner { first, left }: Corner,
        [width, steps]: [usize; 2],
        in_place: bool,
        own: *mut T,
    ) -> Columns<T> {
        let (sb, Engine { nr, lanes, .. }) = (self.sizes.b, self.engine);
        let next = Ahead::rows(std::ptr::null(), 0);
        // SAFETY: by the caller.
        unsafe {
            match b {
                Source::Packed(b) => {
                    Columns { at: b.add(first * self.packed_columns() + left * steps), plain: None, next }
                }
                Source::Plain(b) => {
                    let at = b.offset(first as isize * sb.row + left as isize * sb.column);
                    if in_place {
                        let whole = if width.is_multiple_of(lanes) { width } else { width / nr * nr };
                        self.pack_panels(own, at.add(whole), width - whole, steps);
                        Columns { at, plain: Some((sb.row, own)), next }
                    } else {
                        self.pack_panels(own, at, width, steps);
                        Columns { at: own, plain: None, next }
                    }
                }
            }
        }
    }

    /// What to ask for while the block before this one is in use.
    fn ahead(&self, b: Source<T>, Corner { first, left }: Corner) -> Ahead<T> {
        let Sizes { k, b: sb, .. } = self.sizes;
        let steps = self.depth().min(k.saturating_sub(first));
        match b {
            _ if steps == 0 => Ahead::rows(std::ptr::null(), 0),
            Source::Packed(b) => Ahead::panels(b.wrapping_add(first * self.packed_columns() + left * steps), steps),
            Source::Plain(b) if sb.column == 1 => {
                Ahead::rows(b.wrapping_offset(first as isize * sb.row).wrapping_add(left), sb.row)
            }
            Source::Plain(_) => Ahead::rows(std::ptr::null(), 0),
        }
    }

    /// All tiles of a block of rows and a group of panels: a strip stays in the first cache while panels go by.
    unsafe fn tiles(
        &self,
        a: Rows<T>,
        b: Columns<T>,
        (c, c_row): (*mut T, usize),
        [rows, columns, k]: [usize; 3],
        accumulate: bool,
    ) {
        let Engine { mr, nr, lanes, .. } = self.engine;
        for (number, (top, count)) in strips(rows, 1, mr).enumerate() {
            // SAFETY: by the caller.
            unsafe {
                let strides = a.plain.unwrap_or(Strides { row: 1, column: count as isize });
                let (a, after) = (a.strip(top, k), a.strip(top + count, k));
                for (left, width) in strips(columns, lanes, nr) {
                    let vectors = width.div_ceil(lanes);
                    let (b_at, b_row) = b.panel(left, width, vectors * lanes, k);
                    let (ahead, ahead_step) = match b.next.of_strip(number, left, nr) {
                        Some(ahead) => ahead,
                        None if left == 0 => (after, Ahead::<T>::LINE),
                        None => (a, 0),
                    };
                    let run = (self.engine.tile)(count, vectors, strides.row == 1);
                    run(Tile {
                        k,
                        a,
                        a_row: strides.row,
                        a_column: strides.column,
                        b: b_at,
                        b_row,
                        c: c.add(top * c_row + left),
                        c_row,
                        columns: width,
                        accumulate,
                        ahead,
                        ahead_step,
                    });
                }
            }
        }
    }
}

/// (start, length) of parts of at most `most`, multiples of `unit` but for the last, the longer ones first.
#[inline(always)]
pub(super) fn strips(count: usize, unit: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let (parts, units) = (count.div_ceil(most), count.div_ceil(unit));
    let (length, longer) = (units / parts.max(1), units % parts.max(1));
    (0..parts).map(move |i| {
        let start = (i * length + i.min(longer)) * unit;
        (start, ((length + usize::from(i < longer)) * unit).min(count - start))
    })
}
