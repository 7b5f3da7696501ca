//! A matrix product: c is cut into parts by its sizes alone, and a part is computed by one thread: blocks of k and of
//! rows that keep panels in the caches, operands packed or read where they lie.

use super::micro::{Engine, Pack, Scalar, Tile};
use super::vector::{self, VectorProduct};
use super::{Sizes, Strides};
use crate::isa::Isa;

/// Steps of k in one block: a panel of b of this depth stays in the first cache.
const DEPTH: usize = 288;
/// Rows of a block of a: it stays in the second cache.
pub(super) const BLOCK_ROWS: usize = 504;
/// Elements of an operand that is read where it lies however often.
const SMALL: usize = 16 * 1024;
/// Tiles of b's columns below which rows of a are read where they lie.
const FEW_TILES: usize = 4;

/// A product that one call computes alone or spreads over the pool.
#[derive(Clone, Copy)]
pub struct Product<T> {
    pub sizes: Sizes,
    pub(super) engine: Engine<T>,
    vector: unsafe fn(VectorProduct<T>),
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
    pub accumulate: bool,
}

// SAFETY: threads write disjoint parts of c.
unsafe impl<T> Sync for Operands<T> {}

/// A part of c.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Part {
    pub top: usize,
    pub rows: usize,
    pub left: usize,
    pub columns: usize,
}

/// Bytes that [`Product::run_serial`] works in.
pub fn serial_bytes<T: Scalar>(sizes: &Sizes) -> usize {
    part_bytes::<T>(sizes.m, sizes.k)
}

/// Bytes for a part of so many rows: a block of a, and a panel of b.
pub(super) fn part_bytes<T>(rows: usize, k: usize) -> usize {
    let widest = 32;
    ((rows.min(BLOCK_ROWS) + widest) * DEPTH.min(k.max(1)) * size_of::<T>()).next_multiple_of(64)
}

impl<T: Scalar> Product<T> {
    pub fn new(sizes: Sizes, isa: Isa) -> Product<T> {
        Product { sizes, engine: T::engine(isa), vector: vector::kernel::<T>(isa) }
    }

    /// c (+)= a · b on the calling thread; `memory` has [`serial_bytes`].
    ///
    /// # Safety
    /// The operands have the elements that sizes and strides name; c overlaps nothing.
    pub unsafe fn run_serial(&self, a: *const T, b: *const T, c: *mut T, accumulate: bool, memory: *mut u8) {
        // SAFETY: by the caller.
        unsafe {
            if !self.trivial(a, b, c, accumulate) {
                let operands = Operands { a: Source::Plain(a), b: Source::Plain(b), c, accumulate };
                self.part(&operands, self.whole(), memory);
            }
        }
    }

    pub(super) fn whole(&self) -> Part {
        Part { top: 0, rows: self.sizes.m, left: 0, columns: self.sizes.n }
    }

    /// Elements of b packed whole, for [`Product::run_rows`] and [`Product::run_packed`].
    pub fn packed_len(&self) -> usize {
        self.sizes.k * self.packed_columns()
    }

    fn packed_columns(&self) -> usize {
        self.sizes.n.next_multiple_of(self.engine.lanes)
    }

    /// # Safety
    /// `to` has [`Product::packed_len`] elements.
    pub unsafe fn pack_b(&self, to: *mut T, b: *const T) {
        // SAFETY: by the caller.
        unsafe { (0..self.panels()).for_each(|panel| self.pack_b_panel(to, b, panel)) }
    }

    /// Panels of b.
    pub(super) fn panels(&self) -> usize {
        self.sizes.n.div_ceil(self.engine.nr)
    }

    /// One panel of [`Product::pack_b`], in all blocks of k.
    pub(super) unsafe fn pack_b_panel(&self, to: *mut T, b: *const T, panel: usize) {
        let Sizes { n, k, b: sb, .. } = self.sizes;
        let (left, depth) = (panel * self.engine.nr, block_depth(k));
        for first in (0..k).step_by(depth) {
            let steps = depth.min(k - first);
            // SAFETY: by the caller.
            unsafe {
                let to = to.add(first * self.packed_columns() + left * steps);
                let from = b.offset(first as isize * sb.row + left as isize * sb.column);
                self.pack_panel(to, from, self.engine.nr.min(n - left), steps);
            }
        }
    }

    unsafe fn pack_panel(&self, to: *mut T, from: *const T, count: usize, steps: usize) {
        let (sb, width) = (self.sizes.b, count.next_multiple_of(self.engine.lanes));
        // SAFETY: by the caller.
        unsafe { (self.engine.pack)(Pack { to, from, across: sb.column, along: sb.row, count, k: steps, width }) }
    }

    /// Packs rows of a: each strip on its own, one step of k after another.
    pub(super) unsafe fn pack_rows(&self, to: *mut T, from: *const T, rows: usize, steps: usize) {
        let sa = self.sizes.a;
        for (top, count) in strips(rows, self.engine.mr) {
            // SAFETY: by the caller.
            unsafe {
                let (to, from) = (to.add(top * steps), from.offset(top as isize * sa.row));
                (self.engine.pack)(Pack { to, from, across: sa.row, along: sa.column, count, k: steps, width: count });
            }
        }
    }

    /// Bytes that [`Product::run_rows`] works in.
    pub fn rows_bytes(&self) -> usize {
        part_bytes::<T>(BLOCK_ROWS, self.sizes.k)
    }

    /// c = a · b on the calling thread for `rows` rows of a, with b packed before; `memory` has
    /// [`Product::rows_bytes`].
    ///
    /// # Safety
    /// As for [`Product::run_serial`].
    pub unsafe fn run_rows(&self, a: *const T, packed_b: *const T, c: *mut T, rows: usize, memory: *mut u8) {
        let operands = Operands { a: Source::Plain(a), b: Source::Packed(packed_b), c, accumulate: false };
        // SAFETY: by the caller.
        unsafe { self.part(&operands, Part { rows, ..self.whole() }, memory) }
    }

    /// Whether a part of so many columns reads a where it lies: packing pays where rows are read often.
    pub(super) fn a_is_plain(&self, rows: usize, columns: usize) -> bool {
        rows * self.sizes.k <= SMALL || columns <= FEW_TILES * self.engine.nr
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
        let Sizes { m, k, a: sa, b: sb, c_row, .. } = self.sizes;
        let Part { top, rows, left, columns } = part;
        let (nr, lanes, depth) = (self.engine.nr, self.engine.lanes, block_depth(k));
        let a_is_plain = self.a_is_plain(rows, columns);
        let b_is_plain = self.b_is_plain(rows);
        for first in (0..k).step_by(depth) {
            let steps = depth.min(k - first);
            for block in (0..rows).step_by(BLOCK_ROWS) {
                let count = BLOCK_ROWS.min(rows - block);
                // SAFETY: by the caller.
                unsafe {
                    let own_b = memory as *mut T;
                    let own_a = own_b.add(nr * depth);
                    let a = match operands.a {
                        Source::Packed(a) => Rows { at: a.add(first * m + (top + block) * steps), plain: None },
                        Source::Plain(a) => {
                            let at = a.offset((top + block) as isize * sa.row + first as isize * sa.column);
                            if a_is_plain {
                                Rows { at, plain: Some(sa) }
                            } else {
                                self.pack_rows(own_a, at, count, steps);
                                Rows { at: own_a, plain: None }
                            }
                        }
                    };
                    for column in (left..left + columns).step_by(nr) {
                        let width = nr.min(left + columns - column);
                        let whole = width.next_multiple_of(lanes);
                        let packed = |at: *const T| Panel { at, row: whole as isize };
                        let (b, next) = match operands.b {
                            Source::Packed(b) => {
                                let b = b.add(first * self.packed_columns() + column * steps);
                                (packed(b), Ahead::lines(b.add(steps * whole), steps))
                            }
                            Source::Plain(b) => {
                                let b = b.offset(first as isize * sb.row + column as isize * sb.column);
                                let next = Ahead::rows(b.wrapping_offset(nr as isize * sb.column), sb.row);
                                if b_is_plain && width == whole {
                                    (Panel { at: b, row: sb.row }, next)
                                } else {
                                    self.pack_panel(own_b, b, width, steps);
                                    (packed(own_b), next)
                                }
                            }
                        };
                        let next = if column + nr < left + columns { next } else { Ahead::rows(b.at, 0) };
                        let c = operands.c.add((top + block) * c_row + column);
                        self.column(a, b, next, c, [count, width, steps], operands.accumulate || first > 0);
                    }
                }
            }
        }
    }

    /// All tiles of some rows and one panel of b.
    #[inline(always)]
    unsafe fn column(
        &self,
        a: Rows<T>,
        b: Panel<T>,
        next: Ahead<T>,
        c: *mut T,
        [rows, columns, k]: [usize; 3],
        accumulate: bool,
    ) {
        let c_row = self.sizes.c_row;
        for (number, (top, count)) in strips(rows, self.engine.mr).enumerate() {
            // SAFETY: by the caller.
            unsafe {
                let (a, strides) = match a.plain {
                    Some(strides) => (a.at.offset(top as isize * strides.row), strides),
                    None => (a.at.add(top * k), Strides { row: 1, column: count as isize }),
                };
                let run = (self.engine.tile)(count, columns.div_ceil(self.engine.lanes), strides.row == 1);
                let (ahead, ahead_step) = next.of_strip(number, self.engine.nr);
                run(Tile {
                    k,
                    a,
                    a_row: strides.row,
                    a_column: strides.column,
                    b: b.at,
                    b_row: b.row,
                    c: c.add(top * c_row),
                    c_row,
                    columns,
                    accumulate,
                    ahead,
                    ahead_step,
                });
            }
        }
    }

    /// Rows of b are read in place where few rows of a use them, and where they stay in the first cache.
    fn b_is_plain(&self, rows: usize) -> bool {
        let Sizes { k, b, .. } = self.sizes;
        b.column == 1 && (rows <= 2 * self.engine.mr || b.row.unsigned_abs() * block_depth(k) <= SMALL / 2)
    }
}

/// Rows of a: packed in strips unless they lie as the strides say.
#[derive(Clone, Copy)]
struct Rows<T> {
    at: *const T,
    plain: Option<Strides>,
}

/// A panel of b, whose rows lie `row` apart.
#[derive(Clone, Copy)]
struct Panel<T> {
    at: *const T,
    row: isize,
}

/// The next panel of b: each strip of a asks for one line of all its rows.
#[derive(Clone, Copy)]
struct Ahead<T> {
    at: *const T,
    step: isize,
    line: isize,
}

impl<T> Ahead<T> {
    const LINE: isize = (64 / size_of::<T>()) as isize;

    /// Rows that lie `row` apart.
    fn rows(at: *const T, row: isize) -> Ahead<T> {
        Ahead { at, step: row, line: Self::LINE }
    }

    /// One line after another, a part of `steps` lines for each strip.
    fn lines(at: *const T, steps: usize) -> Ahead<T> {
        Ahead { at, step: Self::LINE, line: steps as isize * Self::LINE }
    }

    fn of_strip(&self, number: usize, width: usize) -> (*const T, isize) {
        let number = number as isize;
        let needed = number * Self::LINE < width as isize;
        if needed { (self.at.wrapping_offset(number * self.line), self.step) } else { (self.at, 0) }
    }
}

/// (start, length) of parts of equal length, but for one, of at most `most`.
pub(super) fn strips(count: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let parts = count.div_ceil(most);
    let (length, longer) = (count / parts.max(1), count % parts.max(1));
    (0..parts).map(move |i| (i * length + i.min(longer), length + usize::from(i < longer)))
}

/// Blocks of equal depth, at most DEPTH.
pub(super) fn block_depth(k: usize) -> usize {
    k.div_ceil(k.div_ceil(DEPTH).max(1)).max(1)
}
