//! Convolution as a matrix product whose left side is the image itself: the register kernel reads the elements under
//! each tap where they lie, so no column matrix is written. The gradient in the input is the same with the filter turned
//! around. Strides of the gradient and dilation of the input part the positions of the output into classes, each with
//! the taps that it meets.

use super::chunk::{Chunk, DEPTH, Operands, Tile, bytes};
use super::geometry::{Class, Geometry};
use crate::areas::{self, Areas};
use crate::gemm::{IndirectEngine, Pack, Scalar, Segment};
use crate::isa::Isa;
use crate::loops::transpose::Shared;
use crate::{Done, Packed, Packing, Plan, Pool, tail};
use std::ops::Range;
use std::ptr::null;

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

/// How the filter lies: [taps, channels, features] of the convolution, or turned around, with its last tap first and
/// [taps, features, channels].
#[derive(Clone, Copy, PartialEq)]
pub enum Filter {
    Forward,
    Turned,
}

pub struct Implicit<T> {
    pub geometry: Geometry,
    filter: Filter,
    pub engine: IndirectEngine<T>,
    pack: unsafe fn(Pack<T>),
    parts: Vec<Part>,
    /// Rows of a chunk, and panels of the filters of all groups.
    pub block: usize,
    panels: usize,
    /// The part and the rows of each chunk of rows: those of an image near each other.
    row_chunks: Vec<(usize, Range<usize>)>,
    column_chunks: usize,
}

/// Positions that meet the same taps.
pub struct Part {
    pub classes: [Class; 3],
    pub rows: usize,
    /// Taps along a line, and what they meet, are neighbours in memory.
    pub joined: bool,
}

impl Part {
    pub fn taps(&self) -> usize {
        self.classes.iter().map(|class| class.taps.len()).product()
    }
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
        // Small parts are cut such that their chunks span about as many images as those of the largest.
        let most_rows = parts.iter().map(|part| part.rows).max().unwrap_or(0).max(1);
        let block_of =
            |number: usize| (block * parts[number].rows / most_rows).next_multiple_of(mr).max(2 * mr).min(block);
        let chunks_of = |number: usize| {
            let (rows, block) = (parts[number].rows, block_of(number));
            (0..rows).step_by(block).map(move |first| (number, first..(first + block).min(rows)))
        };
        let mut row_chunks: Vec<_> = (0..parts.len()).flat_map(chunks_of).collect();
        row_chunks.sort_by_key(|(number, rows)| rows.start / (parts[*number].rows / geometry.batch));
        // Too few rows: columns are cut as well.
        let wanted = CHUNKS.div_ceil(row_chunks.len().max(1));
        let least = (CHUNK_FLOPS / (flops * block as f64)).ceil().max(1.0) as usize;
        let panels = panels.div_ceil(wanted).max(least).min(panels.max(1));
        let column_chunks = (geometry.groups * geometry.group_features().div_ceil(nr)).div_ceil(panels);
        let pack = T::engine(Isa::current()).pack;
        Implicit { geometry, filter, engine, pack, parts, block, panels, row_chunks, column_chunks }
    }

    pub fn group_panels(&self) -> usize {
        self.geometry.group_features().div_ceil(self.engine.nr)
    }

    /// Elements of a packed panel of the filter.
    pub fn panel_len(&self) -> usize {
        self.geometry.columns() * self.engine.nr
    }

    fn packed_bytes(&self) -> usize {
        bytes::<T>(self.geometry.groups * self.group_panels() * self.panel_len())
    }

    /// Taps that a block of DEPTH steps can meet.
    pub fn block_taps(&self) -> usize {
        let across = DEPTH / self.geometry.group_channels().max(1) + 2;
        across.min(self.geometry.taps())
    }

    fn zeros(&self) -> usize {
        self.geometry.group_channels().min(DEPTH)
    }

    pub fn tiles(&self) -> usize {
        self.block / self.engine.mr
    }

    /// Taps along the dimensions.
    pub fn masks(&self) -> usize {
        self.geometry.filter.iter().sum()
    }

    fn area_bytes(&self) -> usize {
        let tables = self.tiles() * self.block_taps();
        bytes::<*const T>(self.block)
            + bytes::<Tile>(self.tiles())
            + bytes::<*const T>(tables * self.engine.mr)
            + bytes::<Segment<T>>(tables)
            + bytes::<*mut T>(self.block)
            + bytes::<u32>(self.tiles() * self.masks())
    }

    /// Whether a chunk finishes rows of the output that follow each other.
    fn by_rows(&self) -> bool {
        self.column_chunks == 1 && self.parts.len() == 1
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
                    let (part, rows) = &self.row_chunks[chunk % self.row_chunks.len()];
                    let part = &self.parts[*part];
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
