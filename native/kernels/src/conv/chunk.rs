//! One chunk of a convolution: which elements of the image the rows of its tiles meet under each tap.

use super::geometry::Geometry;
use super::implicit::{Implicit, Part};
use crate::gemm::{Indirect, Scalar, Segment, prefetch};
use std::ops::Range;

/// Steps of the sum in one pass over the tiles: a panel of the filter of this depth stays in the first cache.
pub const DEPTH: usize = 288;
/// How many tiles ahead the image is asked for in the second cache, and how many elements of each row at most.
const AHEAD: usize = 3;
const MOST_AHEAD: usize = 128;

/// A tile of positions.
#[derive(Clone, Copy)]
pub struct Tile {
    rows: usize,
    /// Image and position of the first row.
    index: [usize; 4],
    /// No tap lies in the padding: its segments are at the same distances as others'.
    inside: bool,
    /// Segments of the block in work.
    first: usize,
    count: usize,
}

/// The input, zeros for taps in the padding, the packed filter, the output.
pub struct Operands<T> {
    pub x: *const T,
    pub zeros: *const T,
    pub packed: *const T,
    pub out: *mut T,
}

// SAFETY: threads write disjoint parts of the output.
unsafe impl<T> Sync for Operands<T> {}

/// The work of one thread on a block of rows.
pub struct Chunk<'a, T> {
    plan: &'a Implicit<T>,
    part: &'a Part,
    operands: &'a Operands<T>,
    starts: *mut *const T,
    tiles: *mut Tile,
    tables: *mut *const T,
    segments: *mut Segment<T>,
    results: *mut *mut T,
    masks: *mut u32,
}

impl<'a, T: Scalar> Chunk<'a, T> {
    /// # Safety
    /// `memory` is an area of the plan.
    pub unsafe fn new(
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
                tiles: carve(&mut memory, plan.tiles()),
                tables: carve(&mut memory, tables * plan.engine.mr),
                segments: carve(&mut memory, tables),
                results: carve(&mut memory, plan.block),
                masks: carve(&mut memory, plan.tiles() * plan.masks()),
            }
        }
    }

    /// # Safety
    /// No other chunk has these rows and panels.
    pub unsafe fn run(&self, rows: Range<usize>, panels: Range<usize>) {
        let Implicit { geometry, engine, .. } = self.plan;
        let (mr, nr, per_group) = (engine.mr, engine.nr, self.plan.group_panels());
        let (count, features) = (rows.len(), geometry.group_features());
        let tiles = count.div_ceil(mr);
        let k = self.part.taps() * geometry.group_channels();
        let depth = k.div_ceil(k.div_ceil(DEPTH).max(1)).max(1);
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
                        for number in 0..tiles {
                            let tile = self.tiles.add(number).read();
                            if first == 0 && panel == own.start {
                                let from = if number == 0 { 0 } else { number + AHEAD };
                                for ahead in from..(number + AHEAD + 1).min(tiles) {
                                    self.ask_for(ahead, geometry.group_channels().min(MOST_AHEAD));
                                }
                            }
                            engine.kernel(tile.rows, columns)(Indirect {
                                segments: self.segments.add(tile.first),
                                count: tile.count,
                                starts: self.starts.add(number * mr),
                                a_step: 1,
                                b: self.operands.packed.add(panel * self.plan.panel_len()),
                                b_row: nr as isize,
                                c: self.results.add(number * mr),
                                left: group * features + left,
                                rows: tile.rows,
                                columns,
                                accumulate: first > 0,
                            });
                        }
                    }
                }
            }
        }
    }

    /// Where each row starts in the input and in the output, and what each tile spans. Rows behind the last are as the
    /// last.
    unsafe fn place(&self, rows: Range<usize>) {
        let (mr, Geometry { channels, features, .. }) = (self.plan.engine.mr, &self.plan.geometry);
        let class = &self.part.classes[2];
        let (step, apart) = ((class.step as isize).wrapping_mul(*channels as isize), class.period * features);
        let last = self.part.classes.each_ref().map(|class| (class.count - 1) as i64 * class.step);
        let mut index = self.index(rows.start);
        let (mut at, mut to) = (self.start(index), self.result(index));
        for (number, first) in rows.clone().step_by(mr).enumerate() {
            let count = mr.min(rows.end - first);
            let (before, mut end) = (index, index);
            let mut row = 0;
            while row < count {
                let run = (class.count - index[3]).min(count - row);
                for i in row..row + run {
                    // SAFETY: as many rows as a block has; taps are added before anything is read.
                    unsafe {
                        self.starts.add(number * mr + i).write(at);
                        self.results.add(number * mr + i).write(to);
                    }
                    (at, to) = (at.wrapping_offset(step), to.wrapping_add(apart));
                }
                row += run;
                index[3] += run - 1;
                end = index;
                self.next(&mut index);
                if index[3] == 0 {
                    (at, to) = (self.start(index), self.result(index));
                }
            }
            for i in count..mr {
                // SAFETY: as many rows as a block has.
                unsafe { self.starts.add(number * mr + i).write(self.starts.add(number * mr + count - 1).read()) };
            }
            // A tile that goes on in the next line, plane or image meets the ends of this one.
            let (mut low, mut high) = (self.at(before), self.at(end));
            if end[3] - before[3].min(end[3]) + 1 != count {
                for axis in (0..3).filter(|axis| end[..=*axis] != before[..=*axis]) {
                    (low[axis], high[axis]) = (0, last[axis]);
                }
            }
            let tile = Tile { rows: count, index: before, inside: self.is_inside(low, high), first: 0, count: 0 };
            // SAFETY: as many tiles as a block has.
            unsafe {
                if !tile.inside {
                    self.meet(number, &tile);
                }
                self.tiles.add(number).write(tile);
            }
        }
    }

    /// Where a position lies in its image, taps aside.
    #[inline(always)]
    fn at(&self, [_, d, h, w]: [usize; 4]) -> [i64; 3] {
        let [ds, hs, ws] = &self.part.classes;
        [d as i64 * ds.step, h as i64 * hs.step, w as i64 * ws.step]
    }

    /// The element of the input there, which may be none of it.
    fn start(&self, index: [usize; 4]) -> *const T {
        let Geometry { input, channels, .. } = self.plan.geometry;
        let [d, h, w] = self.at(index);
        let line = ((index[0] * input[0]) as i64 + d) * input[1] as i64 + h;
        let pixel = line * input[2] as i64 + w;
        self.operands.x.wrapping_offset(pixel.wrapping_mul(channels as i64) as isize)
    }

    /// The first element of the output there, which may be behind its last.
    fn result(&self, [n, d, h, w]: [usize; 4]) -> *mut T {
        let Geometry { output, features, .. } = self.plan.geometry;
        let places = [d, h, w].into_iter().zip(&self.part.classes).zip(output);
        let pixel = places.fold(n, |at, ((i, class), size)| at * size + class.first + i * class.period);
        self.operands.out.wrapping_add(pixel * features)
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

    /// The segments of each tile that make up steps `steps` of the sum: one list for all tiles that lie inside.
    unsafe fn segments(&self, tiles: usize, group: usize, steps: Range<usize>) {
        let (mut used, mut inside) = (0, None);
        for number in 0..tiles {
            // SAFETY: a block has at most `block_taps` segments a tile.
            unsafe {
                let tile = &mut *self.tiles.add(number);
                if let (Some(list), true) = (inside, tile.inside) {
                    (tile.first, tile.count) = list;
                    continue;
                }
                tile.first = used;
                self.segments_of(number, tile, group, &steps, &mut used);
                tile.count = used - tile.first;
                if tile.inside {
                    inside = Some((tile.first, tile.count));
                }
            }
        }
    }

    /// Whether all taps lie in the image, from the least to the greatest place of each dimension.
    fn is_inside(&self, low: [i64; 3], high: [i64; 3]) -> bool {
        (0..3).all(|axis| match &self.part.classes[axis].taps[..] {
            [] => true,
            taps => {
                let (from, to) = (low[axis] + taps[0].1, high[axis] + taps[taps.len() - 1].1);
                from >= 0 && to < self.plan.geometry.input[axis] as i64
            }
        })
    }

    /// Of each tap of each dimension, the rows of a tile whose element lies in the image, as bits: one tap after the
    /// other, dimension after dimension.
    unsafe fn meet(&self, number: usize, tile: &Tile) {
        let classes = &self.part.classes;
        let taps = classes.iter().map(|class| class.taps.len()).sum();
        // SAFETY: for each tile as many masks as the filter has taps along its dimensions.
        let masks = unsafe { std::slice::from_raw_parts_mut(self.masks.add(number * self.plan.masks()), taps) };
        masks.fill(0);
        let mut index = tile.index;
        for i in 0..self.plan.engine.mr {
            let mut masks = masks.iter_mut();
            for ((class, place), size) in classes.iter().zip(self.at(index)).zip(self.plan.geometry.input) {
                for (tap, mask) in class.taps.iter().zip(&mut masks) {
                    *mask |= u32::from((0..size as i64).contains(&(place + tap.1))) << i;
                }
            }
            // Rows behind the last are as the last.
            if i + 1 < tile.rows {
                self.next(&mut index);
            }
        }
    }

    #[inline(always)]
    unsafe fn segments_of(&self, number: usize, tile: &Tile, group: usize, steps: &Range<usize>, used: &mut usize) {
        let Implicit { geometry, engine, .. } = self.plan;
        let Geometry { input, filter, .. } = *geometry;
        let (mr, channels) = (engine.mr, geometry.group_channels());
        let [ds, hs, ws] = self.part.classes.each_ref().map(|class| &class.taps[..]);
        let (all, masks) = ((1u32 << mr) - 1, self.masks.wrapping_add(number * self.plan.masks()));
        // SAFETY: a tap of the class; `meet` has written its mask.
        let mask = |tap: usize| if tile.inside { all } else { unsafe { masks.add(tap).read() } };
        let (first_h, first_w) = (ds.len(), ds.len() + hs.len());
        let whole = (0..ws.len()).fold(all, |rows, w| rows & mask(first_w + w)) == all;
        let line = ws.len() * channels;
        let mut before = 0;
        for (d, &(tap_d, at_d)) in ds.iter().enumerate() {
            for (h, &(tap_h, at_h)) in hs.iter().enumerate() {
                let here = before..before + line;
                before += line;
                let of_line = mask(d) & mask(first_h + h);
                if of_line == 0 || here.end <= steps.start || here.start >= steps.end {
                    continue;
                }
                let each = if whole && of_line == all && self.part.joined { ws.len() } else { 1 };
                for (index, taps) in ws.chunks_exact(each).enumerate() {
                    let (tap_w, at_w) = taps[0];
                    let width = each * channels;
                    let span = here.start + index * width..here.start + (index + 1) * width;
                    let (from, to) = (span.start.max(steps.start), span.end.min(steps.end));
                    let met = of_line & mask(first_w + index);
                    if from >= to || met == 0 {
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
                        if met != all {
                            let table = self.tables.add(*used * mr);
                            for i in 0..mr {
                                let start = self.starts.add(number * mr + i).read().wrapping_offset(at);
                                table.add(i).write(if met >> i & 1 == 1 { start } else { self.operands.zeros });
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
