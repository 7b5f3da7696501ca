//! One matrix product over the pool: how c is cut, and what is packed for all parts at once.

use super::Sizes;
use super::micro::Scalar;
use super::product::{BLOCK_ROWS, Operands, Part, Product, SMALL, Source, part_bytes, serial_bytes};
use super::vector::{self, VectorProduct};
use crate::areas::{self, Areas};
use crate::loops::transpose::Shared;
use crate::pool::Pool;
use crate::tail;
use crate::{Done, Packing};

/// Products below this many operations run on the calling thread.
const SERIAL_FLOPS: f64 = 1e6;
/// Operations of a part at least, and parts that are enough unless each is larger than the third figure.
const PART_FLOPS: f64 = 2e6;
const PARTS: f64 = 8.0;
const LARGE_PART_FLOPS: f64 = 1e9;
const MOST_PARTS: f64 = 64.0;
/// Rows and columns of a part at least, where there are so many.
const PART_ROWS: usize = 56;
const PART_COLUMNS: usize = 64;
const FEW_ROWS_COLUMNS: usize = 256;
/// Elements of c at most, and steps of k at least, for sums of layers.
const LAYER: usize = 32 * 1024;
const LAYER_STEPS: usize = 1024;
/// Bytes of a or b at most, where they are packed for all parts.
const SHARED: usize = 32 << 20;
/// Elements of the matrix in one part of a product with a vector.
const VECTOR_PART: usize = 128 * 1024;
/// Columns that one chunk packs, a multiple of any nr.
const PACK_COLUMNS: usize = 256;

/// How a large product is cut: by its sizes alone.
#[derive(Clone, Copy)]
struct Cut {
    /// Rows and columns of a part.
    rows: usize,
    columns: usize,
    across: usize,
    parts: usize,
    /// Elements of the operands that are packed before, 0 where each part packs its own.
    packed_a: usize,
    packed_b: usize,
    /// Steps of k in a layer. Where there are several, each has a sum of its own, all of c.
    deep: usize,
    layers: usize,
}

impl<T: Scalar> Product<T> {
    /// Whether one thread is enough.
    pub fn is_small(&self) -> bool {
        self.sizes.flops() < SERIAL_FLOPS
    }

    /// How b is packed, where it is operand `operand` and products with it packed are faster.
    pub fn packing(&self, operand: usize) -> Option<Packing> {
        let Sizes { m, n, k, b, .. } = self.sizes;
        let in_place = b.column == 1 && (m <= 2 * self.engine.mr || k * n <= SMALL);
        if m <= 1 || n <= 1 || self.is_small() || in_place || self.cut().layers > 1 {
            return None;
        }
        let size = size_of::<T>();
        let (nr, lanes) = (self.engine.nr, self.engine.lanes);
        let layout = [size, nr, lanes, n, k, b.row as usize, b.column as usize, self.depth()];
        Some(Packing { operand, bytes: self.packed_len() * size, layout })
    }

    /// [`Product::pack_b`] over the pool.
    ///
    /// # Safety
    /// As for [`Product::pack_b`].
    pub unsafe fn pack_b_on(&self, to: *mut T, b: *const T, pool: &Pool) {
        let Sizes { n, k, .. } = self.sizes;
        let (to, from) = (Shared(to), Shared(b.cast_mut()));
        let (depth, across) = (self.depth(), n.div_ceil(PACK_COLUMNS));
        pool.for_chunks(k.div_ceil(depth) * across, |chunk| {
            let (first, left) = (chunk / across * depth, chunk % across * PACK_COLUMNS);
            // SAFETY: by the caller; each chunk packs its block.
            unsafe { self.pack_b_block(to.get(), from.get(), first, left, PACK_COLUMNS.min(n - left)) };
        });
    }

    /// Bytes of scratch that [`Product::run`] and [`Product::run_packed`] work in.
    pub fn scratch_bytes(&self) -> usize {
        if self.is_small() {
            return serial_bytes::<T>(&self.sizes);
        }
        let cut = self.cut();
        let own = part_bytes::<T>(cut.rows, cut.columns, self.sizes.k);
        if cut.layers > 1 {
            return cut.layers * self.layer_bytes() + areas::wanted(cut.layers) * own;
        }
        shared_bytes::<T>(cut.packed_a) + shared_bytes::<T>(cut.packed_b) + areas::wanted(cut.parts) * own
    }

    /// Of the cuts into enough parts, the one that reads and packs least.
    fn cut(&self) -> Cut {
        let Sizes { m, n, .. } = self.sizes;
        let flops = self.sizes.flops();
        let wanted = (flops / PART_FLOPS).min(PARTS).max(flops / LARGE_PART_FLOPS).clamp(1.0, MOST_PARTS) as usize;
        let layers = wanted.min(self.sizes.k / LAYER_STEPS);
        if m * n <= LAYER && layers > 1 {
            return self.cut_into_layers(layers);
        }
        let cuts = (1..=wanted).map(|down| self.cut_into(down, wanted.div_ceil(down)));
        // Rows of a are packed one by one, rows of b whole.
        let work = |cut: &Cut| 3 * m * n.div_ceil(cut.columns) + 2 * n * m.div_ceil(cut.rows);
        let enough = |cut: &&Cut| cut.parts >= wanted;
        let cuts: Vec<Cut> = cuts.collect();
        let best = cuts.iter().filter(enough).min_by_key(|cut| work(cut));
        *best.or(cuts.iter().max_by_key(|cut| cut.parts)).unwrap_or(&cuts[0])
    }

    fn cut_into(&self, down: usize, across: usize) -> Cut {
        let Sizes { m, n, k, .. } = self.sizes;
        let rows = m.div_ceil(down.min(m.div_ceil(PART_ROWS)));
        let rows = if rows > BLOCK_ROWS { rows.next_multiple_of(BLOCK_ROWS) } else { rows };
        let least = if m <= self.engine.mr { FEW_ROWS_COLUMNS } else { PART_COLUMNS };
        let columns = n.div_ceil(across.min(n.div_ceil(least))).next_multiple_of(self.engine.nr);
        let (down, across) = (m.div_ceil(rows), n.div_ceil(columns));
        let fits = |len: usize| if len * size_of::<T>() <= SHARED { len } else { 0 };
        let packed_a = if across > 1 && !self.a_is_plain(rows) { fits(m * k) } else { 0 };
        let packed_b = if down > 1 && !self.b_is_plain(rows) { fits(self.packed_len()) } else { 0 };
        Cut { rows, columns, across, parts: down * across, packed_a, packed_b, deep: k, layers: 1 }
    }

    /// A long sum of a small result.
    fn cut_into_layers(&self, layers: usize) -> Cut {
        let Sizes { m, n, k, .. } = self.sizes;
        let deep = k.div_ceil(layers).next_multiple_of(self.depth());
        let layers = k.div_ceil(deep);
        Cut { rows: m, columns: n, across: 1, parts: 1, packed_a: 0, packed_b: 0, deep, layers }
    }

    fn layer_bytes(&self) -> usize {
        shared_bytes::<T>(self.sizes.m * self.sizes.n)
    }

    /// c (+)= a · b over the pool. `done`, where c is dense, is told of rows of c as they are finished: see
    /// `Plan::run_parts`.
    ///
    /// # Safety
    /// As for [`Product::run_serial`]; `scratch` has [`Product::scratch_bytes`].
    #[allow(clippy::too_many_arguments)]
    pub unsafe fn run(
        &self,
        a: *const T,
        b: *const T,
        c: *mut T,
        accumulate: bool,
        scratch: *mut u8,
        pool: &Pool,
        done: Option<Done>,
    ) {
        // SAFETY: by the caller.
        unsafe {
            if self.sizes.m == 1 || self.sizes.n == 1 {
                return self.run_vector(a, b, c, accumulate, pool, done);
            }
            let (a, b, c_row) = (Source::Plain(a), Source::Plain(b), self.sizes.c_row);
            let operands = Operands { a, b, c, c_row, accumulate };
            self.run_operands(operands, scratch, pool, done);
        }
    }

    /// The same with b packed before by [`Product::pack_b`].
    ///
    /// # Safety
    /// As for [`Product::run`].
    #[allow(clippy::too_many_arguments)]
    pub unsafe fn run_packed(
        &self,
        a: *const T,
        packed_b: *const T,
        c: *mut T,
        accumulate: bool,
        scratch: *mut u8,
        pool: &Pool,
        done: Option<Done>,
    ) {
        let (a, b, c_row) = (Source::Plain(a), Source::Packed(packed_b), self.sizes.c_row);
        let operands = Operands { a, b, c, c_row, accumulate };
        // SAFETY: by the caller.
        unsafe { self.run_operands(operands, scratch, pool, done) }
    }

    unsafe fn run_operands(&self, mut operands: Operands<T>, scratch: *mut u8, pool: &Pool, done: Option<Done>) {
        let Sizes { m, n, k, a: sa, .. } = self.sizes;
        // SAFETY: by the caller.
        unsafe {
            if m == 0 || n == 0 || k == 0 {
                self.trivial(std::ptr::null(), std::ptr::null(), operands.c, operands.accumulate);
                return tail::hand_out(m * n, pool, done);
            }
            if self.is_small() {
                self.part(&operands, self.whole(), scratch);
                return tail::hand_out(m * n, pool, done);
            }
            let cut = self.cut();
            if cut.layers > 1 {
                self.run_layers(&operands, cut, scratch, pool);
                return tail::hand_out(m * n, pool, done);
            }
            let mut memory = scratch;
            if let (1.., Source::Plain(a)) = (cut.packed_a, operands.a) {
                let (to, from) = (Shared(memory as *mut T), Shared(a.cast_mut()));
                memory = memory.add(shared_bytes::<T>(cut.packed_a));
                let (block, depth) = (cut.rows.min(BLOCK_ROWS), self.depth());
                let blocks = m.div_ceil(block);
                pool.for_chunks(blocks * k.div_ceil(depth), |chunk| {
                    let (top, first) = (chunk % blocks * block, chunk / blocks * depth);
                    let (rows, steps) = (block.min(m - top), depth.min(k - first));
                    let from = from.get().offset(top as isize * sa.row + first as isize * sa.column);
                    self.pack_strips(to.get().add(first * m + top * steps), from, rows, steps);
                });
                operands.a = Source::Packed(to.get());
            }
            if let (1.., Source::Plain(b)) = (cut.packed_b, operands.b) {
                let to = memory as *mut T;
                memory = memory.add(shared_bytes::<T>(cut.packed_b));
                self.pack_b_on(to, b, pool);
                operands.b = Source::Packed(to);
            }
            let areas = Areas::new(memory, part_bytes::<T>(cut.rows, cut.columns, k), areas::wanted(cut.parts));
            let operands = &operands;
            pool.for_chunks(cut.parts, |chunk| {
                let (top, left) = (chunk / cut.across * cut.rows, chunk % cut.across * cut.columns);
                let (rows, columns) = (cut.rows.min(m - top), cut.columns.min(n - left));
                let part = Part { top, rows, left, columns, ..self.whole() };
                areas.with(|memory| self.part(operands, part, memory));
                if let Some(done) = done.filter(|_| cut.across == 1) {
                    done(part.top * n..(part.top + part.rows) * n);
                }
            });
            if cut.across > 1 {
                tail::hand_out(m * n, pool, done);
            }
        }
    }

    /// Each layer sums its part of k on its own; then they are added in order.
    unsafe fn run_layers(&self, operands: &Operands<T>, cut: Cut, scratch: *mut u8, pool: &Pool) {
        let Sizes { m, n, k, .. } = self.sizes;
        let (sums, apart) = (Shared(scratch as *mut T), self.layer_bytes() / size_of::<T>());
        let Operands { c, c_row, accumulate, .. } = *operands;
        // SAFETY: by the caller; chunks write layers and rows of their own.
        unsafe {
            let own = part_bytes::<T>(cut.rows, cut.columns, k);
            let areas = Areas::new(scratch.add(cut.layers * self.layer_bytes()), own, areas::wanted(cut.layers));
            pool.for_chunks(cut.layers, |layer| {
                let first = layer * cut.deep;
                let part = Part { first, steps: cut.deep.min(k - first), ..self.whole() };
                let operands = Operands { c: sums.get().add(layer * apart), c_row: n, accumulate: false, ..*operands };
                areas.with(|memory| self.part(&operands, part, memory));
            });
            let (c, group) = (Shared(c), (VECTOR_PART / (n * cut.layers)).max(1));
            pool.for_chunks(m.div_ceil(group), |chunk| {
                for row in chunk * group..((chunk + 1) * group).min(m) {
                    (self.vector)(VectorProduct {
                        k: cut.layers,
                        n,
                        x: &T::ONE,
                        x_step: 0,
                        b: sums.get().add(row * n),
                        b_row: apart as isize,
                        b_column: 1,
                        out: c.get().add(row * c_row),
                        out_step: 1,
                        accumulate,
                    });
                }
            });
        }
    }

    unsafe fn run_vector(
        &self,
        a: *const T,
        b: *const T,
        c: *mut T,
        accumulate: bool,
        pool: &Pool,
        done: Option<Done>,
    ) {
        let Sizes { m, n, k, a: sa, b: sb, c_row } = self.sizes;
        let (a, b, c) = (Shared(a.cast_mut()), Shared(b.cast_mut()), Shared(c));
        let rows_lie = if m == 1 { sb.column } else { sa.row } == 1;
        let unit = if rows_lie { vector::COLUMNS } else { vector::DOTS };
        let group = (VECTOR_PART / k.max(1)).max(1).next_multiple_of(unit);
        pool.for_chunks((m * n).div_ceil(group), |chunk| {
            let (at, len) = (chunk * group, group.min(m * n - chunk * group));
            let mut part = *self;
            // SAFETY: each chunk has its part of the result.
            unsafe {
                if m == 1 {
                    part.sizes.n = len;
                    part.trivial(a.get(), b.get().offset(at as isize * sb.column), c.get().add(at), accumulate);
                } else {
                    part.sizes.m = len;
                    part.trivial(a.get().offset(at as isize * sa.row), b.get(), c.get().add(at * c_row), accumulate);
                }
            }
            if let Some(done) = done {
                done(at..at + len);
            }
        });
    }
}

fn shared_bytes<T>(len: usize) -> usize {
    (len * size_of::<T>()).next_multiple_of(64)
}
