//! Products of narrow numbers in tiles: both operands are packed to tiles (pack.rs), and 32 x 32 sums at a time are computed
//! from two strips of a and two panels of b, by AMX or VNNI. Sums of bytes are exact; those of
//! bfloat16 are in float32, in the order of k. Machines that have neither widen the operands (widened.rs).

pub mod amx;
mod kernels;
mod pack;
#[cfg(target_arch = "x86_64")]
mod vnni;

use super::Sizes;
use super::dot::{Batch, Dim, offsets};
use crate::areas::{self, Areas};
use crate::loops::transpose::Shared;
use crate::tail;
use crate::{Done, Packed, Packing, Plan, Pool};
use amx::Block;
use kernels::Finish;
pub use kernels::Kernels;
use pack::{LANES, Pack, TILE_BYTES};

/// Rows and columns of the sums that are computed at a time.
const BLOCK: usize = 2 * LANES;
/// Products below this many operations run on the calling thread.
const SERIAL_FLOPS: f64 = 4e6;
/// Parts of c that are wanted, and rows of one at most.
const PARTS: usize = 8;
const PART_ROWS: usize = 4 * BLOCK;
/// Strips or panels that one chunk packs.
const PACK_LANES: usize = 4;
/// The product of tiles, with every size known.
pub struct TilePlan {
    outer: Vec<Dim>,
    /// Contracted dimensions that do not merge with k: their tiles follow each other.
    inner: Vec<Dim>,
    sizes: Sizes,
    outputs: usize,
    kernels: Kernels,
}

impl TilePlan {
    pub fn new(batch: Batch, outputs: usize, kernels: Kernels) -> TilePlan {
        TilePlan { outer: batch.outer, inner: batch.inner, sizes: batch.sizes, outputs, kernels }
    }

    fn outer_count(&self) -> usize {
        self.outer.iter().map(|dim| dim.size).product()
    }

    fn inner_count(&self) -> usize {
        self.inner.iter().map(|dim| dim.size).product()
    }

    /// Tiles that k takes, for one position of the inner dimensions.
    fn steps(&self) -> usize {
        self.sizes.k.div_ceil(64 / self.kernels.size)
    }

    /// Tiles of one strip or panel, and their bytes.
    fn depth(&self) -> usize {
        self.inner_count() * self.steps()
    }

    fn lane_bytes(&self) -> usize {
        self.depth() * TILE_BYTES
    }

    fn strips(&self) -> usize {
        self.sizes.m.div_ceil(LANES)
    }

    fn panels(&self) -> usize {
        self.sizes.n.div_ceil(LANES)
    }

    /// Where b, and what the rows' sums are too large by, follow the strips of a.
    fn a_bytes(&self) -> usize {
        self.strips() * self.lane_bytes()
    }

    fn b_bytes(&self) -> usize {
        self.panels() * self.lane_bytes()
    }

    fn product_bytes(&self) -> usize {
        self.a_bytes() + self.b_bytes() + (self.strips() * LANES * 4).next_multiple_of(64)
    }

    fn product_flops(&self) -> f64 {
        self.inner_count() as f64 * self.sizes.flops()
    }

    fn is_serial(&self) -> bool {
        self.product_flops() < SERIAL_FLOPS
    }

    /// Many products: each on one thread, so many in one chunk.
    fn by_batch(&self) -> Option<usize> {
        let group = (SERIAL_FLOPS / (self.product_flops() + 2000.0)).ceil() as usize;
        (self.outer_count() >= 8).then_some(group)
    }

    /// Rows and columns of a part.
    fn part(&self) -> [usize; 2] {
        let Sizes { m, n, .. } = self.sizes;
        if self.is_serial() || self.by_batch().is_some() {
            return [m, n];
        }
        let rows = m.div_ceil(PARTS).next_multiple_of(BLOCK).min(PART_ROWS);
        let across = PARTS.div_ceil(m.div_ceil(rows));
        [rows, n.div_ceil(across).next_multiple_of(BLOCK)]
    }

    /// Packs the lanes from `first` on: rows of a, or columns of b.
    unsafe fn pack_lanes(&self, to: *mut u8, from: *const u8, is_b: bool, first: usize, count: usize) {
        let Sizes { m, n, k, a, b, .. } = self.sizes;
        let (along, across, all) = if is_b { (b.row, b.column, n) } else { (a.column, a.row, m) };
        let flip = if is_b && self.kernels.excess.is_some() { 0x8080_8080 } else { 0 };
        for lane in first..first + count {
            for i in 0..self.inner_count() {
                let (of_a, of_b, _) = offsets(&self.inner, i);
                let offset = lane as isize * LANES as isize * across + if is_b { of_b } else { of_a };
                // SAFETY: by the caller.
                unsafe {
                    (self.kernels.pack)(Pack {
                        to: to.add(lane * self.lane_bytes() + i * self.steps() * TILE_BYTES),
                        from: from.wrapping_offset(offset * self.kernels.size as isize),
                        along,
                        across,
                        lanes: LANES.min(all - lane * LANES),
                        steps: k,
                        by_word: is_b,
                        flip,
                    });
                }
            }
        }
    }

    /// c = a · b; `b` may have been packed before. `memory` has [`TilePlan::product_bytes`].
    unsafe fn product(&self, [a, b]: [*const u8; 2], packed: Option<*const u8>, c: *mut u8, memory: *mut u8, run: Run) {
        let Sizes { m, n, .. } = self.sizes;
        let (strips, panels) = (self.strips(), self.panels());
        // SAFETY: `memory` has room for all three.
        let (own_b, excess) = unsafe { (memory.add(self.a_bytes()), memory.add(self.a_bytes() + self.b_bytes())) };
        let memory = [Shared(memory), Shared(own_b), Shared(excess), Shared(a.cast_mut()), Shared(b.cast_mut())];
        let (of_a, of_b) =
            (strips.div_ceil(PACK_LANES), if packed.is_some() { 0 } else { panels.div_ceil(PACK_LANES) });
        run.each(of_a + of_b, |chunk| {
            let is_b = chunk >= of_a;
            let (first, all) = if is_b { (chunk - of_a, panels) } else { (chunk, strips) };
            let first = first * PACK_LANES;
            let count = PACK_LANES.min(all - first);
            let [own_a, own_b, excess, a, b] = [0, 1, 2, 3, 4].map(|i: usize| memory[i].get());
            // SAFETY: by the caller; each chunk has its own lanes.
            unsafe {
                let (to, from) = if is_b { (own_b, b) } else { (own_a, a) };
                self.pack_lanes(to, from, is_b, first, count);
                if let (Some(sum), false) = (self.kernels.excess, is_b) {
                    for strip in first..first + count {
                        let tiles = own_a.add(strip * self.lane_bytes());
                        sum((tiles as *const i8, self.depth(), (excess as *mut i32).add(strip * LANES)));
                    }
                }
            }
        });
        let [rows, columns] = self.part();
        let across = n.div_ceil(columns);
        let (b, c) = (Shared(packed.unwrap_or(own_b).cast_mut()), Shared(c));
        run.each(m.div_ceil(rows) * across, |part| {
            let (top, left) = (part / across * rows, part % across * columns);
            let (bottom, right) = ((top + rows).min(m), (left + columns).min(n));
            // SAFETY: by the caller; each part writes its own elements.
            unsafe {
                let excess = self.kernels.excess.map(|_| memory[2].get() as *const i32);
                let place = Place { a: memory[0].get(), b: b.get(), c: c.get(), excess };
                self.blocks(place, top..bottom, left..right);
            }
            if let Some(done) = run.done.filter(|_| across == 1) {
                done(top * n..bottom * n);
            }
        });
        if across > 1 {
            tail::hand_out(m * n, run.pool, run.done);
        }
    }

    /// The blocks of a part: two panels of b stay in the first cache while the strips of a go by.
    unsafe fn blocks(&self, place: Place, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) {
        #[repr(align(64))]
        struct Sums([u8; BLOCK * BLOCK * 4]);
        let mut sums = Sums([0; BLOCK * BLOCK * 4]);
        let lane = self.lane_bytes();
        // The last strip or panel stands for the one that is not there.
        let pair = |base: *const u8, first: usize, all: usize| {
            let at = first / LANES;
            [at, (at + 1).min(all - 1)].map(|at| base.wrapping_add(at * lane))
        };
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if self.kernels.amx {
            // SAFETY: chosen where they are permitted.
            unsafe { amx::begin() }
        }
        for left in columns.clone().step_by(BLOCK) {
            for top in rows.clone().step_by(BLOCK) {
                let sums = sums.0.as_mut_ptr();
                let (a, b) = (pair(place.a, top, self.strips()), pair(place.b, left, self.panels()));
                // SAFETY: by the caller.
                unsafe {
                    (self.kernels.block)(Block { a, b, count: self.depth(), sums });
                    (self.kernels.finish)(Finish {
                        sums,
                        excess: place.excess.map_or(std::ptr::null(), |excess| excess.add(top)),
                        c: place.c.add((top * self.sizes.c_row + left) * self.kernels.c_size),
                        c_row: self.sizes.c_row,
                        rows: BLOCK.min(rows.end - top),
                        columns: BLOCK.min(columns.end - left),
                    });
                }
            }
        }
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if self.kernels.amx {
            // SAFETY: as above.
            unsafe { amx::end() }
        }
    }

    /// See `Plan::run`, `Plan::run_parts` and `Plan::run_packed`.
    unsafe fn compute(
        &self,
        ins: &[*const u8],
        outs: &[*mut u8],
        packed: Option<*const u8>,
        scratch: *mut u8,
        pool: &Pool,
        done: Option<Done>,
    ) {
        if self.outputs == 0 {
            return;
        }
        let count = self.outer_count();
        let (size, c_size) = (self.kernels.size as isize, self.kernels.c_size as isize);
        let (a, b, c) = (Shared(ins[0].cast_mut()), Shared(ins[1].cast_mut()), Shared(outs[0]));
        let packed = packed.map(|packed| Shared(packed.cast_mut()));
        let one = |number: usize, memory: *mut u8, run: Run| {
            let (of_a, of_b, of_c) = offsets(&self.outer, number);
            let shifted = run.done.map(|done| {
                move |part: std::ops::Range<usize>| done(of_c as usize + part.start..of_c as usize + part.end)
            });
            let run = Run { done: shifted.as_ref().map(|done| done as Done), ..run };
            let operands = [a.get().wrapping_offset(of_a * size), b.get().wrapping_offset(of_b * size)];
            // SAFETY: by the caller; each product writes its own part of the result.
            unsafe {
                let operands = operands.map(<*mut u8>::cast_const);
                let packed = packed.as_ref().map(|packed| packed.get().cast_const());
                self.product(operands, packed, c.get().wrapping_offset(of_c * c_size), memory, run)
            }
        };
        if let Some(group) = self.by_batch() {
            let chunks = count.div_ceil(group);
            // SAFETY: `scratch_bytes` counts them.
            let areas = unsafe { Areas::new(scratch, self.product_bytes(), areas::wanted(chunks)) };
            pool.for_chunks(chunks, |chunk| {
                areas.with(|memory| {
                    for number in chunk * group..((chunk + 1) * group).min(count) {
                        one(number, memory, Run { pool, alone: true, done });
                    }
                });
            });
        } else {
            for number in 0..count {
                one(number, scratch, Run { pool, alone: self.is_serial(), done });
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Place {
    a: *const u8,
    b: *const u8,
    c: *mut u8,
    excess: Option<*const i32>,
}

/// How one product runs: on the pool or on the calling thread.
#[derive(Clone, Copy)]
struct Run<'a> {
    pool: &'a Pool,
    alone: bool,
    done: Option<Done<'a>>,
}

impl Run<'_> {
    fn each(&self, count: usize, f: impl Fn(usize) + Sync) {
        if self.alone { (0..count).for_each(f) } else { self.pool.for_chunks(count, f) }
    }
}

impl Plan for TilePlan {
    fn scratch_bytes(&self) -> usize {
        let areas = self.by_batch().map_or(1, |group| areas::wanted(self.outer_count().div_ceil(group)));
        self.product_bytes() * areas
    }

    fn cost_ns(&self) -> f64 {
        300.0 + self.flops() / self.kernels.speed + (self.a_bytes() + self.b_bytes()) as f64 * 0.1
    }

    fn flops(&self) -> f64 {
        self.outer_count() as f64 * self.product_flops()
    }

    fn parts(&self) -> Option<usize> {
        let Sizes { m, n, c_row, .. } = self.sizes;
        (m <= 1 || c_row == n).then_some(self.outputs)
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        // SAFETY: by the caller.
        unsafe { self.compute(ins, outs, None, scratch, pool, None) }
    }

    unsafe fn run_parts(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool, done: Done) {
        // SAFETY: by the caller.
        unsafe { self.compute(ins, outs, None, scratch, pool, Some(done)) }
    }

    fn packing(&self) -> Option<Packing> {
        let Sizes { n, k, b, .. } = self.sizes;
        let layout = [self.kernels.size, self.kernels.kind, LANES, n, k, b.row as usize, b.column as usize, usize::MAX];
        let one = self.outer_count() == 1 && self.inner_count() == 1 && !self.is_serial();
        one.then(|| Packing { operand: 1, bytes: self.b_bytes(), layout })
    }

    unsafe fn pack(&self, operand: *const u8, to: *mut u8, pool: &Pool) {
        let (to, from) = (Shared(to), Shared(operand.cast_mut()));
        pool.for_chunks(self.panels().div_ceil(PACK_LANES), |chunk| {
            let first = chunk * PACK_LANES;
            // SAFETY: by the caller; each chunk has its own panels.
            unsafe { self.pack_lanes(to.get(), from.get(), true, first, PACK_LANES.min(self.panels() - first)) }
        });
    }

    unsafe fn run_packed(&self, run: Packed) {
        // SAFETY: by the caller.
        unsafe { self.compute(run.ins, run.outs, Some(run.packed), run.scratch, run.pool, run.done) }
    }
}
