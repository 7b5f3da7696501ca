//! Runs a pass: chunks of the flat space on the pool, cut by shape alone.

use super::canon::{Pass, SourceKind, Walk};
use super::cut::Cut;
use super::frame::{State, with_frame};
use super::reduce::{Accumulate, BLOCK, Fold, LANES, Rows, Tree};
use super::stream;
use super::tile::Tiles;
use super::transpose::Shared;
use crate::pool::Pool;
use std::ops::Range;

impl Pass {
    pub fn total(&self) -> usize {
        self.outer * self.run * self.inner
    }

    pub fn cost_ns(&self) -> f64 {
        20.0 + self.total() as f64 * self.element_cost
    }

    /// # Safety
    /// See `Plan::run`: `ins` and `outs` are the buffers of the loads and stores, `scratch` has `scratch_bytes`.
    pub unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let total = self.total();
        if total == 0 && self.reduces.is_empty() {
            return;
        }
        self.with_bases(ins, |bases| {
            for (base, source) in bases.iter_mut().zip(&self.sources) {
                let (Some((copy, at)), true) = (&source.copy, total > 0) else { continue };
                // SAFETY: the copy has its place in scratch.
                unsafe {
                    let moves_only = self.steps.is_empty() && self.sources.len() == 1 && self.reduces.is_empty();
                    if moves_only && source.walk == Walk::Dense && self.dense.len() == 1 {
                        return copy.run(*base, outs[self.dense[0].out], pool);
                    }
                    copy.run(*base, scratch.add(*at), pool);
                    *base = scratch.add(*at);
                }
            }
            let job = Run { pass: self, bases, ins, outs, scratch: Shared(scratch) };
            // SAFETY: as promised.
            unsafe { if self.reduces.is_empty() { job.map(pool) } else { job.reduce(pool) } }
        })
    }

    /// # Safety
    /// See `LoopPlan::run_range`.
    pub unsafe fn run_range(&self, ins: &[*const u8], outs: &[*mut u8], range: Range<usize>) {
        debug_assert!(self.reduces.is_empty() && range.end <= self.total());
        if range.is_empty() {
            return;
        }
        self.with_bases(ins, |bases| {
            let job = Run { pass: self, bases, ins, outs, scratch: Shared(std::ptr::null_mut()) };
            // SAFETY: as promised.
            unsafe { job.range(range) }
        })
    }

    /// Calls `f` with the element at position zero of each source.
    #[inline(always)]
    fn with_bases<R>(&self, ins: &[*const u8], f: impl FnOnce(&mut [*const u8]) -> R) -> R {
        let mut few = [std::ptr::null::<u8>(); 16];
        let mut many = Vec::new();
        let bases = if self.sources.len() <= few.len() {
            &mut few[..self.sources.len()]
        } else {
            many.resize(self.sources.len(), std::ptr::null());
            &mut many[..]
        };
        for (base, source) in bases.iter_mut().zip(&self.sources) {
            if let SourceKind::Load { input, offset } = source.kind {
                // Inside the buffer, as binding has proven; where the space is empty it is not read.
                *base = ins[input].wrapping_offset(offset as isize * source.dtype.size() as isize);
            }
        }
        f(bases)
    }
}

struct Run<'a> {
    pass: &'a Pass,
    bases: &'a [*const u8],
    ins: &'a [*const u8],
    outs: &'a [*mut u8],
    scratch: Shared<u8>,
}

// SAFETY: chunks read the inputs and write disjoint parts of the outputs and the scratch memory.
unsafe impl Sync for Run<'_> {}

impl Run<'_> {
    unsafe fn map(&self, pool: &Pool) {
        let (grain, total) = (self.pass.grain, self.pass.total());
        pool.for_chunks(total.div_ceil(grain), |chunk| {
            // SAFETY: chunks cover the space once.
            unsafe { self.range(chunk * grain..((chunk + 1) * grain).min(total)) }
        });
    }

    /// All dense stores of these flat positions.
    unsafe fn range(&self, range: Range<usize>) {
        let pass = self.pass;
        let streams = pass.streams && pass.dense.iter().all(|store| self.is_fresh(store.out));
        with_frame(Tiles::bytes(pass), |memory| {
            // SAFETY: the frame has the size asked for; the range is inside the space.
            unsafe {
                let tiles = if streams {
                    Tiles::new(pass, self.bases, memory, range.start)
                } else {
                    self.tiles(memory, range.start)
                };
                for start in range.clone().step_by(pass.tile) {
                    let len = pass.tile.min(range.end - start);
                    let next = start + stream::AHEAD * pass.tile;
                    tiles.evaluate_and_fetch(start, len, pass.streams.then_some(next));
                    if streams { self.stream(&tiles, start, len) } else { self.store(&tiles, start, len) }
                }
            }
        });
        if streams {
            stream::settle();
        }
    }

    /// Whether an output lies apart from all inputs.
    fn is_fresh(&self, out: usize) -> bool {
        !self.ins.iter().any(|&p| p == self.outs[out].cast_const())
    }

    /// Tiles whose steps write results in place where they may.
    unsafe fn tiles<'a>(&'a self, memory: *mut u8, first: usize) -> Tiles<'a> {
        // SAFETY: by the caller.
        let tiles = unsafe { Tiles::new(self.pass, self.bases, memory, first) };
        for store in &self.pass.dense {
            let out = self.outs[store.out];
            if store.direct.as_ref().is_some_and(|late| late.iter().all(|&input| self.ins[input] != out.cast_const())) {
                tiles.aim(store.value, out);
            }
        }
        tiles
    }

    /// As `store`, around the caches.
    unsafe fn stream(&self, tiles: &Tiles, start: usize, len: usize) {
        for store in &self.pass.dense {
            let (from, bytes) = (tiles.value(store.value), len * store.size);
            // SAFETY: the output has an element for each position.
            unsafe {
                let to = self.outs[store.out].add(start * store.size);
                if to.addr().is_multiple_of(stream::LINE) && bytes.is_multiple_of(stream::LINE) {
                    (self.pass.write_around)(stream::Write { to, from, bytes });
                } else {
                    to.copy_from_nonoverlapping(from, bytes);
                }
            }
        }
    }

    unsafe fn store(&self, tiles: &Tiles, start: usize, len: usize) {
        for store in &self.pass.dense {
            // SAFETY: the output has an element for each position.
            unsafe {
                let (from, to) = (tiles.value(store.value), self.outs[store.out].add(start * store.size));
                if from != to.cast_const() {
                    from.copy_to(to, len * store.size);
                }
            }
        }
    }

    unsafe fn reduce(&self, pool: &Pool) {
        let pass = self.pass;
        let outputs = pass.outer * pass.inner;
        if pass.run == 0 || outputs == 0 {
            for reduce in &pass.reduces {
                // SAFETY: the output has `outputs` elements.
                unsafe { reduce.reducer.clear(self.outs[reduce.out], outputs) }
            }
            return;
        }
        let span = pass.run * pass.inner;
        // SAFETY: as promised to `Pass::run`.
        unsafe { if span * 2 <= pass.tile && pass.run <= BLOCK { self.short_runs(pool) } else { self.long_runs(pool) } }
    }

    /// Several whole runs a tile.
    unsafe fn short_runs(&self, pool: &Pool) {
        let pass = self.pass;
        let span = pass.run * pass.inner;
        let per_tile = pass.tile / span;
        let per_chunk = (pass.grain / span).next_multiple_of(per_tile);
        let lanes = LANES * pass.inner * 8;
        pool.for_chunks(pass.outer.div_ceil(per_chunk), |chunk| {
            with_frame(Tiles::bytes(pass) + lanes, |memory| {
                // SAFETY: the frame holds tiles and lanes; each run is reduced once.
                unsafe {
                    let tiles = self.tiles(memory, 0);
                    let acc = memory.add(Tiles::bytes(pass));
                    let end = ((chunk + 1) * per_chunk).min(pass.outer);
                    let mut first = chunk * per_chunk;
                    while first < end {
                        let rows = per_tile.min(end - first);
                        tiles.evaluate(first * span, rows * span);
                        for reduce in &pass.reduces {
                            let (reducer, x) = (&reduce.reducer, tiles.value(reduce.value));
                            let out = self.outs[reduce.out].add(first * pass.inner * reducer.size);
                            if pass.inner == 1 {
                                (reducer.rows)(Rows { x, out, rows, len: pass.run });
                                continue;
                            }
                            let row_bytes = pass.inner * reducer.size;
                            for row in 0..rows {
                                reducer.clear(acc, LANES * pass.inner);
                                let x = x.add(row * span * reducer.size);
                                (reducer.accumulate)(Accumulate {
                                    acc,
                                    x,
                                    len: span,
                                    period: LANES * pass.inner,
                                    phase: 0,
                                });
                                reducer.combine_lanes(acc, pass.inner);
                                acc.copy_to_nonoverlapping(out.add(row * row_bytes), row_bytes);
                            }
                        }
                        self.store(&tiles, first * span, rows * span);
                        first += rows;
                    }
                }
            });
        });
    }

    /// Units of (outer index, strip of columns, group of blocks), each with lanes and a tree for every reduction.
    unsafe fn long_runs(&self, pool: &Pool) {
        let pass = self.pass;
        let cut = pass.cut();
        let units = pass.outer * cut.strips * cut.groups;
        let per_unit = (cut.blocks * BLOCK).min(pass.run) * cut.width;
        let per_chunk = (pass.grain / per_unit).max(1);
        let row_bytes = (cut.width * 8).next_multiple_of(64);
        let state_bytes = (LANES + Tree::depth(cut.blocks)) * row_bytes;
        let tile_bytes = Tiles::bytes(pass).next_multiple_of(64);
        pool.for_chunks(units.div_ceil(per_chunk), |chunk| {
            with_frame(tile_bytes + state_bytes * pass.reduces.len(), |memory| {
                // SAFETY: the frame holds tiles and the state of each reduction; each unit has its own results.
                unsafe {
                    let tiles = self.tiles(memory, 0);
                    let state = State { base: memory.add(tile_bytes), bytes: state_bytes, row_bytes };
                    for unit in chunk * per_chunk..((chunk + 1) * per_chunk).min(units) {
                        self.unit(&cut, &tiles, &state, unit);
                    }
                }
            });
        });
        if cut.groups > 1 {
            let outputs = pass.outer * pass.inner;
            for (r, reduce) in pass.reduces.iter().enumerate() {
                let bytes = outputs * reduce.reducer.size;
                let mut step = 1;
                // SAFETY: `groups` rows of partial results, folded as the tree has them.
                unsafe {
                    let partial = self.partial(r);
                    while step < cut.groups {
                        for group in (0..cut.groups - step).step_by(2 * step) {
                            let (to, from) = (partial.add(group * bytes), partial.add((group + step) * bytes));
                            (reduce.reducer.fold)(Fold { to, from, len: outputs });
                        }
                        step *= 2;
                    }
                    partial.copy_to_nonoverlapping(self.outs[reduce.out], bytes);
                }
            }
        }
    }

    unsafe fn partial(&self, reduce: usize) -> *mut u8 {
        // SAFETY: counted in `scratch_bytes`.
        unsafe { self.scratch.get().add(self.pass.copy_bytes() + reduce * self.pass.partial_bytes()) }
    }

    unsafe fn unit(&self, cut: &Cut, tiles: &Tiles, state: &State, unit: usize) {
        let pass = self.pass;
        let (group, rest) = (unit % cut.groups, unit / cut.groups);
        let (strip, outer) = (rest % cut.strips, rest / cut.strips);
        let left = strip * cut.width;
        let width = cut.width.min(pass.inner - left);
        let rows = group * cut.blocks * BLOCK..((group + 1) * cut.blocks * BLOCK).min(pass.run);
        let one_block = rows.len() <= BLOCK;
        // SAFETY: as in `long_runs`.
        unsafe {
            let mut trees: [Option<Tree>; 8] = [const { None }; 8];
            let mut many: Vec<Option<Tree>> = Vec::new();
            let trees = if pass.reduces.len() <= 8 {
                &mut trees[..]
            } else {
                many.resize_with(pass.reduces.len(), || None);
                &mut many[..]
            };
            for block in rows.clone().step_by(BLOCK) {
                let end = (block + BLOCK).min(rows.end);
                for (r, reduce) in pass.reduces.iter().enumerate() {
                    reduce.reducer.clear(state.lanes(r), LANES * width);
                }
                self.block(tiles, state, outer, block..end, left..left + width);
                for (r, reduce) in pass.reduces.iter().enumerate() {
                    reduce.reducer.combine_lanes(state.lanes(r), width);
                    if !one_block {
                        let tree = trees[r].get_or_insert_with(|| Tree::new(state.tree(r), state.row_bytes));
                        tree.push(&reduce.reducer, state.lanes(r), width);
                    }
                }
            }
            for (r, reduce) in pass.reduces.iter().enumerate() {
                let result = match &mut trees[r] {
                    Some(tree) => tree.finish(&reduce.reducer, width),
                    None => state.lanes(r).cast_const(),
                };
                let size = reduce.reducer.size;
                let to = if cut.groups == 1 {
                    self.outs[reduce.out]
                } else {
                    self.partial(r).add(group * pass.outer * pass.inner * size)
                };
                result.copy_to_nonoverlapping(to.add((outer * pass.inner + left) * size), width * size);
            }
        }
    }

    /// Accumulates one block of rows into the lanes.
    unsafe fn block(&self, tiles: &Tiles, state: &State, outer: usize, rows: Range<usize>, columns: Range<usize>) {
        let pass = self.pass;
        let width = columns.len();
        let period = LANES * width;
        // Whole rows lie one after another; a strip is walked row by row.
        let (pieces, piece_len) = if width == pass.inner { (1, rows.len() * width) } else { (rows.len(), width) };
        for piece in 0..pieces {
            let start = (outer * pass.run + rows.start + piece) * pass.inner + columns.start;
            let mut done = 0;
            while done < piece_len {
                let len = pass.tile.min(piece_len - done);
                let phase = (piece * width + done) % period;
                // SAFETY: as in `long_runs`.
                unsafe {
                    tiles.evaluate(start + done, len);
                    for (r, reduce) in pass.reduces.iter().enumerate() {
                        let x = tiles.value(reduce.value);
                        (reduce.reducer.accumulate)(Accumulate { acc: state.lanes(r), x, len, period, phase });
                    }
                    self.store(tiles, start + done, len);
                }
                done += len;
            }
        }
    }
}
