//! Convolution as a matrix product whose left side is the image itself: the register kernel reads the elements under
//! each tap where they lie, so no column matrix is written. The gradient in the input is the same with the filter turned
//! around. Strides of the gradient and dilation of the input part the positions of the output into classes, each with
//! the taps that it meets.

use super::geometry::{Class, Geometry};
use crate::areas::{self, Areas};
use crate::gemm::{Indirect, IndirectEngine, Pack, Scalar, Segment, prefetch};
use crate::isa::Isa;
use crate::loops::transpose::Shared;
use crate::{Done, Packed, Packing, Plan, Pool, tail};
use std::ops::Range;
use std::ptr::null;

/// Steps of the sum in one pass over the tiles: a panel of the filter of this depth stays in the first cache.
const DEPTH: usize = 288;
/// Tiles of one chunk, which share that panel.
const TILES: usize = 16;
/// A chunk should have so many operations, and a result so many chunks.
const CHUNK_FLOPS: f64 = 1e6;
const CHUNKS: usize = 16;
/// A filter beyond this is read as few times as can be.
const LARGE_FILTER: usize = 1 << 20;
/// Elements of the filter that a chunk packs.
const PACK: usize = 32 * 1024;

/// Positions at the borders are computed apart where that leaves no more than this part of the work, and where there are
/// no more of them in a dimension.
const WORTH: f64 = 0.94;
const BORDERS: usize = 16;

/// How many tiles ahead the image is asked for in the second cache, and how many elements of each row at most.
const AHEAD: usize = 3;
const MOST_AHEAD: usize = 128;

/// How the filter lies: [taps, channels, features] of the convolution, or turned around, with its last tap first and
/// [taps, features, channels].
#[derive(Clone, Copy, PartialEq)]
pub enum Filter {
    Forward,
    Turned,
}

pub struct Implicit<T> {
    geometry: Geometry,
    filter: Filter,
    engine: IndirectEngine<T>,
    pack: unsafe fn(Pack<T>),
    parts: Vec<Part>,
    /// Rows of a chunk, and panels of the filters of all groups.
    block: usize,
    panels: usize,
    /// The part and the first row of each chunk of rows: those of an image near each other.
    row_chunks: Vec<(usize, usize)>,
    column_chunks: usize,
}

/// Positions that meet the same taps.
struct Part {
    classes: [Class; 3],
    rows: usize,
    /// Taps along a line, and what they meet, are neighbours in memory.
    joined: bool,
}

impl Part {
    fn taps(&self) -> usize {
        self.classes.iter().map(|class| class.taps.len()).product()
    }
}

/// A tile of positions: the least and greatest place of each dimension, tap aside.
#[derive(Clone, Copy)]
struct Tile {
    rows: usize,
    low: [i64; 3],
    high: [i64; 3],
    /// Segments of the block in work.
    first: usize,
    count: usize,
}

/// The positions of the output, apart by the taps that they meet. Those at the borders, which meet fewer, are apart as
/// well where that saves work.
fn parts(geometry: &Geometry, mr: usize) -> Vec<Part> {
    let classes = [0, 1, 2].map(|d| geometry.classes(d));
    let border = |d: usize| {
        let input = geometry.input[d];
        let apart: usize = classes[d].iter().map(|class| class.count - class.inside(input).len()).sum();
        let apart = (0 < apart && apart <= BORDERS).then(|| classes[d].iter().flat_map(|class| class.by_border(input)));
        apart.map(Iterator::collect::<Vec<_>>)
    };
    let make = |[ds, hs, ws]: [&[Class]; 3]| {
        let mut parts = Vec::new();
        for (d, h, w) in ds.iter().flat_map(|d| hs.iter().flat_map(move |h| ws.iter().map(move |w| (d, h, w)))) {
            let neighbours = w.taps.windows(2).all(|pair| pair[1] == (pair[0].0 + 1, pair[0].1 + 1));
            parts.push(Part {
                rows: geometry.batch * d.count * h.count * w.count,
                classes: [d, h, w].map(Class::clone),
                joined: neighbours && geometry.groups == 1,
            });
        }
        parts
    };
    let cost = |parts: &[Part]| {
        parts.iter().map(|part| part.rows.next_multiple_of(mr) as f64 * part.taps() as f64).sum::<f64>()
    };
    let [d, h, w] = classes.each_ref().map(Vec::as_slice);
    let (border_h, border_w) = (border(1), border(2));
    let mut best = make([d, h, w]);
    let mut least = WORTH * cost(&best);
    for (h, w) in [(Some(h), border_w.as_deref()), (border_h.as_deref(), border_w.as_deref())] {
        let (Some(h), Some(w)) = (h, w) else { continue };
        let parts = make([d, h, w]);
        if cost(&parts) < least {
            (least, best) = (cost(&parts), parts);
        }
    }
    best
}

impl<T: Scalar> Implicit<T> {
    pub fn new(geometry: Geometry, filter: Filter) -> Implicit<T> {
        let engine = IndirectEngine::<T>::new(Isa::current());
        let (mr, nr) = (engine.mr, engine.nr);
        let parts = parts(&geometry, mr);
        let panels = geometry.groups * geometry.group_features().div_ceil(nr);
        // Operations of one row with one panel.
        let flops = 2.0 * geometry.columns() as f64 * nr as f64;
        let bytes = geometry.columns() * geometry.features * size_of::<T>();
        let most = TILES * mr;
        let mut block = (geometry.rows() / CHUNKS).next_multiple_of(mr).clamp(mr, most);
        while block < most && (bytes > LARGE_FILTER || flops * ((block * panels) as f64) < CHUNK_FLOPS) {
            block += mr;
        }
        let chunks_of = |number: usize| (0..parts[number].rows).step_by(block).map(move |first| (number, first));
        let mut row_chunks: Vec<_> = (0..parts.len()).flat_map(chunks_of).collect();
        row_chunks.sort_by_key(|&(number, first)| first / (parts[number].rows / geometry.batch));
        // Too few rows: columns are cut as well.
        let wanted = CHUNKS.div_ceil(row_chunks.len().max(1));
        let least = (CHUNK_FLOPS / (flops * block as f64)).ceil().max(1.0) as usize;
        let panels = panels.div_ceil(wanted).max(least).min(panels.max(1));
        let column_chunks = (geometry.groups * geometry.group_features().div_ceil(nr)).div_ceil(panels);
        let pack = T::engine(Isa::current()).pack;
        Implicit { geometry, filter, engine, pack, parts, block, panels, row_chunks, column_chunks }
    }

    fn group_panels(&self) -> usize {
        self.geometry.group_features().div_ceil(self.engine.nr)
    }

    /// Elements of a packed panel of the filter.
    fn panel_len(&self) -> usize {
        self.geometry.columns() * self.engine.nr
    }

    fn packed_bytes(&self) -> usize {
        bytes::<T>(self.geometry.groups * self.group_panels() * self.panel_len())
    }

    /// Taps that a block of DEPTH steps can meet.
    fn block_taps(&self) -> usize {
        let across = DEPTH / self.geometry.group_channels().max(1) + 2;
        across.min(self.geometry.taps())
    }

    fn zeros(&self) -> usize {
        self.geometry.group_channels().min(DEPTH)
    }

    fn tiles(&self) -> usize {
        self.block / self.engine.mr
    }

    fn area_bytes(&self) -> usize {
        let tables = self.tiles() * self.block_taps();
        bytes::<*const T>(self.block)
            + bytes::<[i64; 3]>(self.block)
            + bytes::<Tile>(self.tiles())
            + bytes::<*const T>(tables * self.engine.mr)
            + bytes::<Segment<T>>(tables)
            + self.apart_bytes()
    }

    /// Results that are neighbours here, but not in the output.
    fn apart_bytes(&self) -> usize {
        if self.is_whole() {
            return 0;
        }
        bytes::<T>(self.block * self.panels * self.engine.nr)
    }

    /// Whether results of neighbouring rows are neighbours in the output.
    fn is_whole(&self) -> bool {
        self.parts.len() == 1
    }

    /// Whether a chunk finishes rows of the output that follow each other.
    fn by_rows(&self) -> bool {
        self.column_chunks == 1 && self.is_whole()
    }

    fn chunks(&self) -> usize {
        self.row_chunks.len() * self.column_chunks
    }

    /// Packs the filter: for each group, panels of nr features with one row for each tap and channel.
    unsafe fn pack_filter(&self, w: *const T, to: Shared<T>, pool: &Pool) {
        let Geometry { features, groups, .. } = self.geometry;
        let (channels, group_features) = (self.geometry.group_channels(), self.geometry.group_features());
        let (taps, nr, panels) = (self.geometry.taps(), self.engine.nr, self.group_panels());
        let w = Shared(w.cast_mut());
        let tap_len = channels * nr;
        let group = (PACK / tap_len.max(1)).max(1);
        let all = groups * panels * taps;
        pool.for_chunks(all.div_ceil(group), |chunk| {
            for number in chunk * group..((chunk + 1) * group).min(all) {
                let (tap, panel, group) = (number % taps, number / taps % panels, number / (taps * panels));
                let left = panel * nr;
                let count = nr.min(group_features - left);
                // SAFETY: within the filter and its packed form.
                unsafe {
                    let (from, across, along) = match self.filter {
                        Filter::Forward => {
                            (tap * channels * features + group * group_features + left, 1, features as isize)
                        }
                        Filter::Turned => {
                            // The filter is [taps, features of a group, channels of all groups].
                            let row = channels * groups;
                            (((taps - 1 - tap) * group_features + left) * row + group * channels, row as isize, 1)
                        }
                    };
                    let (to, from) = (to.get().add(number * tap_len), w.get().add(from));
                    (self.pack)(Pack { to, from, across, along, count, k: channels, most: nr, unit: nr });
                }
            }
        });
    }
}

impl<T: Scalar> Plan for Implicit<T> {
    fn scratch_bytes(&self) -> usize {
        self.packed_bytes() + bytes::<T>(self.zeros()) + self.area_bytes() * areas::wanted(self.chunks())
    }

    fn flops(&self) -> f64 {
        self.geometry.flops()
    }

    fn cost_ns(&self) -> f64 {
        1000.0 + self.flops() / 80.0
    }

    fn parts(&self) -> Option<usize> {
        Some(self.geometry.rows() * self.geometry.features)
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        // SAFETY: by the caller.
        unsafe { self.compute(Packed { ins, outs, packed: null(), scratch, pool, done: None }) }
    }

    unsafe fn run_parts(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool, done: Done) {
        // SAFETY: by the caller.
        unsafe { self.compute(Packed { ins, outs, packed: null(), scratch, pool, done: Some(done) }) }
    }

    fn packing(&self) -> Option<Packing> {
        let Geometry { channels, features, groups, .. } = self.geometry;
        let turned = usize::from(self.filter == Filter::Turned);
        let layout = [size_of::<T>(), self.engine.nr, self.geometry.taps(), channels, features, groups, turned, 1];
        Some(Packing { operand: 1, bytes: self.packed_bytes(), layout })
    }

    unsafe fn pack(&self, operand: *const u8, to: *mut u8, pool: &Pool) {
        // SAFETY: by the caller.
        unsafe { self.pack_filter(operand.cast(), Shared(to.cast()), pool) }
    }

    unsafe fn run_packed(&self, run: Packed) {
        // SAFETY: by the caller.
        unsafe { self.compute(run) }
    }
}

impl<T: Scalar> Implicit<T> {
    /// See `Plan::run_packed`; the filter is packed here where `packed` is null.
    unsafe fn compute(&self, run: Packed) {
        let Packed { ins, outs, packed, scratch, pool, done } = run;
        let geometry = &self.geometry;
        let (x, w, out) = (ins[0] as *const T, ins[1] as *const T, outs[0] as *mut T);
        if geometry.rows() * geometry.features == 0 {
            return;
        }
        // SAFETY: within the scratch memory; chunks write different elements of the output.
        unsafe {
            let mut packed = packed as *const T;
            if packed.is_null() {
                self.pack_filter(w, Shared(scratch as *mut T), pool);
                packed = scratch as *const T;
            }
            let zeros = scratch.add(self.packed_bytes()) as *mut T;
            (0..self.zeros()).for_each(|i| zeros.add(i).write(T::ZERO));
            let own = scratch.add(self.packed_bytes() + bytes::<T>(self.zeros()));
            let areas = Areas::new(own, self.area_bytes(), areas::wanted(self.chunks()));
            let operands = Operands { x, zeros, packed, out };
            pool.for_chunks(self.chunks(), |chunk| {
                let operands = &operands;
                areas.with(|memory| {
                    let columns = chunk / self.row_chunks.len();
                    let panels = geometry.groups * self.group_panels();
                    let panels = columns * self.panels..((columns + 1) * self.panels).min(panels);
                    let (part, first) = self.row_chunks[chunk % self.row_chunks.len()];
                    let part = &self.parts[part];
                    let rows = first..(first + self.block).min(part.rows);
                    Chunk::new(self, part, operands, memory).run(rows.clone(), panels);
                    if let Some(done) = done.filter(|_| self.by_rows()) {
                        done(rows.start * geometry.features..rows.end * geometry.features);
                    }
                });
            });
            if !self.by_rows() {
                tail::hand_out(geometry.rows() * geometry.features, pool, done);
            }
        }
    }
}

struct Operands<T> {
    x: *const T,
    zeros: *const T,
    packed: *const T,
    out: *mut T,
}

// SAFETY: threads write disjoint parts of the output.
unsafe impl<T> Sync for Operands<T> {}

/// The work of one thread on a block of rows.
struct Chunk<'a, T> {
    plan: &'a Implicit<T>,
    part: &'a Part,
    operands: &'a Operands<T>,
    starts: *mut *const T,
    places: *mut [i64; 3],
    tiles: *mut Tile,
    tables: *mut *const T,
    segments: *mut Segment<T>,
    apart: *mut T,
}

impl<'a, T: Scalar> Chunk<'a, T> {
    unsafe fn new(
        plan: &'a Implicit<T>,
        part: &'a Part,
        operands: &'a Operands<T>,
        mut memory: *mut u8,
    ) -> Chunk<'a, T> {
        // SAFETY: in the order and the sizes of `area_bytes`.
        unsafe {
            let tables = plan.tiles() * plan.block_taps();
            Chunk {
                plan,
                part,
                operands,
                starts: carve(&mut memory, plan.block),
                places: carve(&mut memory, plan.block),
                tiles: carve(&mut memory, plan.tiles()),
                tables: carve(&mut memory, tables * plan.engine.mr),
                segments: carve(&mut memory, tables),
                apart: memory as *mut T,
            }
        }
    }

    unsafe fn run(&self, rows: Range<usize>, panels: Range<usize>) {
        let Implicit { geometry, engine, .. } = self.plan;
        let (mr, nr, per_group) = (engine.mr, engine.nr, self.plan.group_panels());
        let (count, features) = (rows.len(), geometry.group_features());
        let tiles = count.div_ceil(mr);
        let k = self.part.taps() * geometry.group_channels();
        let depth = k.div_ceil(k.div_ceil(DEPTH).max(1)).max(1);
        let whole = self.plan.is_whole();
        let width = (panels.end - panels.start) * nr;
        // SAFETY: the tables have room for each tile; panels and rows are those of this chunk.
        unsafe {
            self.place(rows.clone());
            for group in panels.start / per_group..panels.end.div_ceil(per_group) {
                let own = panels.start.max(group * per_group)..panels.end.min((group + 1) * per_group);
                for first in (0..k.max(1)).step_by(depth) {
                    self.segments(tiles, group, first..(first + depth).min(k));
                    for panel in own.clone() {
                        let left = (panel - group * per_group) * nr;
                        let columns = nr.min(features - left);
                        let (c, c_row) = if whole {
                            let to = rows.start * geometry.features + group * features + left;
                            (self.operands.out.add(to), geometry.features)
                        } else {
                            (self.apart.add((panel - panels.start) * nr), width)
                        };
                        for number in 0..tiles {
                            let tile = self.tiles.add(number).read();
                            if first == 0 && panel == own.start && number + AHEAD < tiles {
                                self.ask_for(number + AHEAD, geometry.group_channels().min(MOST_AHEAD));
                            }
                            engine.kernel(tile.rows, columns)(Indirect {
                                segments: self.segments.add(tile.first),
                                count: tile.count,
                                starts: self.starts.add(number * mr),
                                a_step: 1,
                                b: self.operands.packed.add(panel * self.plan.panel_len()),
                                b_row: nr as isize,
                                c: c.add(number * mr * c_row),
                                c_row,
                                rows: tile.rows,
                                columns,
                                accumulate: first > 0,
                            });
                        }
                        if !whole && first + depth >= k {
                            self.put_apart(rows.clone(), group * features + left, columns, c, c_row);
                        }
                    }
                }
            }
        }
    }

    /// Where each row starts in the input, and what each tile spans. Rows behind the last are as the first of its tile.
    unsafe fn place(&self, rows: Range<usize>) {
        let Geometry { channels, input, .. } = self.plan.geometry;
        let mr = self.plan.engine.mr;
        let mut index = self.index(rows.start);
        let steps = self.part.classes.each_ref().map(|class| class.step);
        // SAFETY: as many rows as a block has; taps are added before anything is read.
        unsafe {
            for (number, first) in rows.clone().step_by(mr).enumerate() {
                let count = mr.min(rows.end - first);
                let mut tile = Tile { rows: count, low: [i64::MAX; 3], high: [i64::MIN; 3], first: 0, count: 0 };
                for i in 0..count {
                    let [n, d, h, w] = index;
                    let place = [d as i64 * steps[0], h as i64 * steps[1], w as i64 * steps[2]];
                    for (axis, &at) in place.iter().enumerate() {
                        tile.low[axis] = tile.low[axis].min(at);
                        tile.high[axis] = tile.high[axis].max(at);
                    }
                    let line = (n * input[0]) as i64 + place[0];
                    let at = (line * input[1] as i64 + place[1]) * input[2] as i64 + place[2];
                    self.starts
                        .add(number * mr + i)
                        .write(self.operands.x.wrapping_offset(at.wrapping_mul(channels as i64) as isize));
                    self.places.add(number * mr + i).write(place);
                    self.next(&mut index);
                }
                for i in count..mr {
                    self.starts.add(number * mr + i).write(self.starts.add(number * mr).read());
                    self.places.add(number * mr + i).write(self.places.add(number * mr).read());
                }
                self.tiles.add(number).write(tile);
            }
        }
    }

    /// Asks for what the last tap meets at each row of a tile: what the tiles before it have not met.
    unsafe fn ask_for(&self, number: usize, elements: usize) {
        let mr = self.plan.engine.mr;
        // SAFETY: a tile of the chunk; only its last segment is looked at.
        unsafe {
            let tile = &*self.tiles.add(number);
            if tile.count == 0 {
                return;
            }
            let segment = &*self.segments.add(tile.first + tile.count - 1);
            let starts = if segment.rows.is_null() { self.starts.add(number * mr) } else { segment.rows };
            let last = segment.shift + segment.steps.saturating_sub(elements) as isize;
            (0..tile.rows).for_each(|i| prefetch(starts.add(i).read().wrapping_offset(last), elements));
        }
    }

    /// Image and position of a row, in its class.
    fn index(&self, row: usize) -> [usize; 4] {
        let [d, h, w] = self.part.classes.each_ref().map(|class| class.count);
        [row / (w * h * d), row / (w * h) % d, row / w % h, row % w]
    }

    #[inline(always)]
    fn next(&self, index: &mut [usize; 4]) {
        index[3] += 1;
        for axis in [2, 1, 0] {
            if index[axis + 1] < self.part.classes[axis].count {
                return;
            }
            index[axis + 1] = 0;
            index[axis] += 1;
        }
    }

    /// The segments of each tile that make up steps `steps` of the sum.
    unsafe fn segments(&self, tiles: usize, group: usize, steps: Range<usize>) {
        let mut used = 0;
        for number in 0..tiles {
            // SAFETY: a block has at most `block_taps` segments a tile.
            unsafe {
                let tile = &mut *self.tiles.add(number);
                tile.first = used;
                self.segments_of(number, tile, group, &steps, &mut used);
                tile.count = used - tile.first;
            }
        }
    }

    #[inline(always)]
    unsafe fn segments_of(&self, number: usize, tile: &Tile, group: usize, steps: &Range<usize>, used: &mut usize) {
        let Implicit { geometry, engine, .. } = self.plan;
        let Geometry { input, filter, .. } = *geometry;
        let (mr, channels) = (engine.mr, geometry.group_channels());
        let [ds, hs, ws] = self.part.classes.each_ref().map(|class| &class.taps[..]);
        let inside =
            |axis: usize, from: i64, to: i64| tile.low[axis] + from >= 0 && tile.high[axis] + to < input[axis] as i64;
        let line = ws.len() * channels;
        let mut before = 0;
        for &(tap_d, at_d) in ds {
            for &(tap_h, at_h) in hs {
                let here = before..before + line;
                before += line;
                if here.end <= steps.start || here.start >= steps.end {
                    continue;
                }
                let clear = inside(0, at_d, at_d) && inside(1, at_h, at_h);
                let joined = clear && self.part.joined && inside(2, ws[0].1, ws[ws.len() - 1].1);
                let each = if joined { ws.len() } else { 1 };
                for (index, taps) in ws.chunks_exact(each).enumerate() {
                    let (tap_w, at_w) = taps[0];
                    let width = each * channels;
                    let span = here.start + index * width..here.start + (index + 1) * width;
                    let (from, to) = (span.start.max(steps.start), span.end.min(steps.end));
                    if from >= to {
                        continue;
                    }
                    let skipped = from - span.start;
                    let tap = (tap_d * filter[1] + tap_h) * filter[2] + tap_w;
                    let at = ((at_d * input[1] as i64 + at_h) * input[2] as i64 + at_w)
                        .wrapping_mul(geometry.channels as i64) as isize
                        + (group * channels + skipped) as isize;
                    // SAFETY: by the caller.
                    unsafe {
                        let (mut rows, mut shift) = (std::ptr::null(), at);
                        if !(joined || clear && inside(2, at_w, at_w)) {
                            let table = self.tables.add(*used * mr);
                            let mut any = false;
                            for i in 0..mr {
                                let place = self.places.add(number * mr + i).read();
                                let meets = [at_d, at_h, at_w]
                                    .iter()
                                    .enumerate()
                                    .all(|(axis, at)| (0..input[axis] as i64).contains(&(place[axis] + at)));
                                any |= meets;
                                let start = self.starts.add(number * mr + i).read().wrapping_offset(at);
                                table.add(i).write(if meets { start } else { self.operands.zeros });
                            }
                            if !any {
                                continue;
                            }
                            (rows, shift) = (table.cast_const(), 0);
                        }
                        let first = tap * channels + skipped;
                        self.segments.add(*used).write(Segment { rows, shift, first, steps: to - from });
                    }
                    *used += 1;
                }
            }
        }
    }

    /// Moves results to the positions of the class.
    unsafe fn put_apart(&self, rows: Range<usize>, column: usize, columns: usize, from: *const T, from_row: usize) {
        let Geometry { output, features, .. } = self.plan.geometry;
        let mut index = self.index(rows.start);
        for row in 0..rows.len() {
            let [n, d, h, w] = index;
            let at = [d, h, w]
                .into_iter()
                .zip(&self.part.classes)
                .zip(output)
                .fold(n, |at, ((i, class), size)| at * size + class.first + i * class.period);
            // SAFETY: a row of the output.
            unsafe {
                let to = self.operands.out.add(at * features + column);
                to.copy_from_nonoverlapping(from.add(row * from_row), columns);
            }
            self.next(&mut index);
        }
    }
}

/// Bytes of `count` elements in scratch memory, where each list is aligned to 64.
pub fn bytes<U>(count: usize) -> usize {
    (count * size_of::<U>()).next_multiple_of(64)
}

/// The next `count` elements of the memory.
///
/// # Safety
/// It has them.
pub unsafe fn carve<U>(memory: &mut *mut u8, count: usize) -> *mut U {
    let at = *memory as *mut U;
    // SAFETY: by the caller.
    *memory = unsafe { memory.add(bytes::<U>(count)) };
    at
}
