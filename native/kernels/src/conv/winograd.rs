//! Over 400 lines: one subject, its plan and its three steps. A convolution of 3×3 elements by minimal filtering: A. Lavin and S.
//! Gray, "Fast algorithms for convolutional neural networks" (2015). A tile of the image becomes numbers at points,
//! which are multiplied by those of the filter, as one matrix product over the channels for each point; the results
//! lead back to a tile of the output. It rounds otherwise than the sum does, and an ∞ or NaN reaches the whole tile:
//! only for those who ask for it (`fastMath`).

// Loops that count are unrolled into registers, and inlined for certain.
#![allow(clippy::needless_range_loop)]

use super::chunk::{bytes, carve};
use super::geometry::Geometry;
use crate::areas::{self, Areas};
use crate::gemm::{Product, Scalar, Sizes, Strides, Vector, VectorKernel};
use crate::isa::Isa;
use crate::loops::transpose::Shared;
use crate::{Done, Packed, Packing, Plan, Pool};
use std::ops::Range;
use std::ptr::null;

/// Fewer channels or features are not worth the way there and back, nor are few tiles that of the filter.
const LEAST_CHANNELS: usize = 32;
const LEAST_TILES: usize = 16;
/// Elements at the points of a block of tiles, and its tiles: what lies between the steps stays in the second cache.
const BLOCK: usize = 256 * 1024;
const BLOCK_TILES: [usize; 2] = [32, 128];
/// Tiles that a chunk has at least, and chunks that a result should have.
const CHUNK_TILES: usize = 8;
const CHUNKS: usize = 8;

/// Positions of a tile of the output along a dimension, and of the image under it.
const OUT: usize = 4;
const IN: usize = OUT + 2;
const POINTS: usize = IN * IN;

/// F(4×4, 3×3): the filter's way to the points.
const FILTER: [[f32; 3]; IN] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// x + factor · y
#[inline(always)]
unsafe fn plus<V: Vector<Item = f32>, const FMA: bool>(x: V, factor: f32, y: V) -> V {
    // SAFETY: by the caller.
    unsafe { V::mul_add::<FMA>(V::splat(factor), y, x) }
}

/// The image's way to the points, along one dimension.
#[inline(always)]
unsafe fn to_points<V: Vector<Item = f32>, const FMA: bool>(d: [V; IN]) -> [V; IN] {
    // SAFETY: by the caller.
    unsafe {
        let (even, odd) = (plus::<V, FMA>(d[4], -4.0, d[2]), plus::<V, FMA>(d[3], -4.0, d[1]));
        let (far, across) = (plus::<V, FMA>(d[4], -1.0, d[2]), plus::<V, FMA>(d[3], -1.0, d[1]));
        [
            plus::<V, FMA>(plus::<V, FMA>(d[4], 4.0, d[0]), -5.0, d[2]),
            V::add(even, odd),
            plus::<V, FMA>(even, -1.0, odd),
            plus::<V, FMA>(far, 2.0, across),
            plus::<V, FMA>(far, -2.0, across),
            plus::<V, FMA>(plus::<V, FMA>(d[5], 4.0, d[1]), -5.0, d[3]),
        ]
    }
}

/// The way from the points to the output, along one dimension.
#[inline(always)]
unsafe fn from_points<V: Vector<Item = f32>, const FMA: bool>(m: [V; IN]) -> [V; OUT] {
    // SAFETY: by the caller.
    unsafe {
        let (near, apart) = (V::add(m[1], m[2]), plus::<V, FMA>(m[1], -1.0, m[2]));
        let (far, across) = (V::add(m[3], m[4]), plus::<V, FMA>(m[3], -1.0, m[4]));
        [
            V::add(V::add(m[0], near), far),
            plus::<V, FMA>(apart, 2.0, across),
            plus::<V, FMA>(near, 4.0, far),
            V::add(plus::<V, FMA>(apart, 8.0, across), m[5]),
        ]
    }
}

pub struct Winograd {
    geometry: Geometry,
    /// The product at one point of a block of tiles.
    product: Product<f32>,
    /// Lines of tiles of one image, and tiles of a line.
    lines: usize,
    across: usize,
    /// Tiles of a block, and lines of a chunk.
    block: usize,
    chunk: usize,
    spread: unsafe fn(Spread),
    gather: unsafe fn(Gather),
    combine: unsafe fn(Combine),
}

impl Winograd {
    /// Whether it computes such convolutions, and is worth it.
    pub fn fits(geometry: &Geometry) -> bool {
        let [depth, height, width] = geometry.output;
        let flat = geometry.input[0] == 1 && depth == 1 && geometry.low[0] == 0;
        let plain = [geometry.stride, geometry.input_dilation, geometry.filter_dilation] == [[1; 3]; 3];
        flat && plain
            && geometry.filter == [1, 3, 3]
            && geometry.groups == 1
            && geometry.channels.min(geometry.features) >= LEAST_CHANNELS
            && geometry.batch * height.div_ceil(OUT) * width.div_ceil(OUT) >= LEAST_TILES
    }

    pub fn new(geometry: Geometry) -> Winograd {
        let isa = Isa::current();
        let Geometry { batch, channels, features, output, .. } = geometry;
        let (lines, across) = (output[1].div_ceil(OUT), output[2].div_ceil(OUT));
        let chunk = (batch * lines).div_ceil(CHUNKS).max(CHUNK_TILES.div_ceil(across));
        let [least, most] = BLOCK_TILES;
        let block = (BLOCK / POINTS / (channels + features)).next_multiple_of(8).clamp(least, most);
        // The blocks of a chunk have about as many tiles each.
        let tiles = chunk * across;
        let block = tiles.div_ceil(tiles.div_ceil(block));
        let (a, b) = (Strides { row: channels as isize, column: 1 }, Strides { row: features as isize, column: 1 });
        let product = Product::new(Sizes { m: block, n: features, k: channels, a, b, c_row: features }, isa);
        let (spread, gather) = (f32::kernel::<SpreadKernel>(isa), f32::kernel::<GatherKernel>(isa));
        let combine = f32::kernel::<CombineKernel>(isa);
        Winograd { geometry, product, lines, across, block, chunk, spread, gather, combine }
    }

    fn chunks(&self) -> usize {
        (self.geometry.batch * self.lines).div_ceil(self.chunk)
    }

    fn packed_bytes(&self) -> usize {
        bytes::<f32>(POINTS * self.product.packed_len())
    }

    fn area_bytes(&self) -> usize {
        let Geometry { channels, features, .. } = self.geometry;
        let planes = bytes::<f32>(POINTS * self.block * channels) + bytes::<f32>(POINTS * self.block * features);
        bytes::<f32>(channels.max(features)) + planes + self.product.rows_bytes()
    }

    /// Packs the filter at each point.
    unsafe fn pack_filter(&self, w: *const f32, to: Shared<f32>, pool: &Pool) {
        let Geometry { channels, features, .. } = self.geometry;
        let (w, len) = (Shared(w.cast_mut()), channels * features);
        pool.for_chunks(POINTS, |point| {
            let (down, along) = (FILTER[point / IN], FILTER[point % IN]);
            let factors = std::array::from_fn(|tap| down[tap / 3] * along[tap % 3]);
            let mut at_point = vec![0f32; len];
            // SAFETY: the filter has nine taps of `len` elements; each point has its own part of the packed form.
            unsafe {
                (self.combine)(Combine { w: w.get(), len, factors, to: at_point.as_mut_ptr() });
                self.product.pack_b(to.get().add(point * self.product.packed_len()), at_point.as_ptr());
            }
        });
    }

    /// Image, line and column of a tile's first position.
    fn place(&self, tile: usize) -> [usize; 3] {
        let line = tile / self.across;
        [line / self.lines, line % self.lines * OUT, tile % self.across * OUT]
    }

    /// The rows of the output that lines of tiles hold: they follow each other.
    fn rows(&self, lines: Range<usize>) -> Range<usize> {
        let [_, height, width] = self.geometry.output;
        let first = |line: usize| (line / self.lines * height + line % self.lines * OUT) * width;
        first(lines.start)..first(lines.end)
    }

    /// # Safety
    /// `memory` is an area whose first elements are zeros; `packed` was written by `pack_filter`.
    unsafe fn run_block(&self, x: *const f32, packed: *const f32, out: *mut f32, tiles: Range<usize>, memory: *mut u8) {
        let Geometry { channels, features, input, output, low, .. } = self.geometry;
        let mut memory = memory;
        // SAFETY: by the caller; positions outside of the image or of the output are neither read nor written.
        unsafe {
            let idle = carve::<f32>(&mut memory, channels.max(features));
            let image = carve::<f32>(&mut memory, POINTS * self.block * channels);
            let sums = carve::<f32>(&mut memory, POINTS * self.block * features);
            let inside = |at: i64, size: usize| usize::try_from(at).ok().filter(|&at| at < size);
            for (number, tile) in tiles.clone().enumerate() {
                let [n, top, left] = self.place(tile);
                let from = std::array::from_fn(|i| {
                    let h = inside((top + i / IN) as i64 - low[1], input[1]);
                    let w = inside((left + i % IN) as i64 - low[2], input[2]);
                    match (h, w) {
                        (Some(h), Some(w)) => x.add(((n * input[1] + h) * input[2] + w) * channels),
                        _ => idle.cast_const(),
                    }
                });
                let to = image.add(number * channels);
                (self.spread)(Spread { from, channels, to, step: self.block * channels });
            }
            for point in 0..POINTS {
                let a = image.add(point * self.block * channels);
                let b = packed.add(point * self.product.packed_len());
                let c = sums.add(point * self.block * features);
                self.product.run_rows(a, b, c, false, tiles.len(), memory);
            }
            for (number, tile) in tiles.enumerate() {
                let [n, top, left] = self.place(tile);
                let [rows, columns] = [(output[1] - top).min(OUT), (output[2] - left).min(OUT)];
                let to = out.add(((n * output[1] + top) * output[2] + left) * features);
                let from = sums.add(number * features);
                let (step, line) = (self.block * features, output[2] * features);
                (self.gather)(Gather { from, step, features, to, line, rows, columns });
            }
        }
    }

    /// See `Plan::run_packed`; the filter is packed here where `packed` is null.
    unsafe fn compute(&self, run: Packed) {
        let Packed { ins, outs, packed, scratch, pool, done } = run;
        let (x, out) = (Shared(ins[0] as *mut f32), Shared(outs[0] as *mut f32));
        // SAFETY: within the scratch memory; chunks write different elements of the output.
        unsafe {
            let mut packed = Shared(packed as *mut f32);
            if packed.get().is_null() {
                packed = Shared(scratch as *mut f32);
                self.pack_filter(ins[1].cast(), packed, pool);
            }
            let areas = Areas::new(scratch.add(self.packed_bytes()), self.area_bytes(), areas::wanted(self.chunks()));
            pool.for_chunks(self.chunks(), |chunk| {
                let all = self.geometry.batch * self.lines;
                let lines = chunk * self.chunk..((chunk + 1) * self.chunk).min(all);
                areas.with(|memory| {
                    (0..self.geometry.channels).for_each(|i| (memory as *mut f32).add(i).write(0.0));
                    let end = lines.end * self.across;
                    for first in (lines.start * self.across..end).step_by(self.block) {
                        let tiles = first..(first + self.block).min(end);
                        self.run_block(x.get(), packed.get(), out.get(), tiles, memory);
                    }
                });
                if let Some(done) = done {
                    let rows = self.rows(lines);
                    done(rows.start * self.geometry.features..rows.end * self.geometry.features);
                }
            });
        }
    }
}

impl Plan for Winograd {
    fn scratch_bytes(&self) -> usize {
        self.packed_bytes() + self.area_bytes() * areas::wanted(self.chunks())
    }

    /// Those of the sum, so that a profile compares.
    fn flops(&self) -> f64 {
        self.geometry.flops()
    }

    fn cost_ns(&self) -> f64 {
        1000.0 + self.flops() / 160.0
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
        let Geometry { channels, features, .. } = self.geometry;
        // POINTS tells it from other forms of a filter of four bytes an element.
        let layout = [size_of::<f32>(), self.product.packed_len(), POINTS, channels, features, 1, 0, 2];
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

/// Work on `count` elements from `first` on, at most those of a vector. A function and no closure, as are the loops
/// below: what is not inlined for certain is compiled without the features of its path.
trait Strip {
    unsafe fn strip<V: Vector<Item = f32>, const FMA: bool>(&self, first: usize, count: usize);
}

#[inline(always)]
unsafe fn strips<V: Vector<Item = f32>, const FMA: bool>(work: &impl Strip, count: usize) {
    let mut first = 0;
    // SAFETY: by the caller.
    unsafe {
        while first + V::LEN <= count {
            work.strip::<V, FMA>(first, V::LEN);
            first += V::LEN;
        }
        if first < count {
            work.strip::<V, FMA>(first, count - first);
        }
    }
}

/// A whole vector where `count` is known to be one: the compiler sees that.
#[inline(always)]
unsafe fn load<V: Vector>(from: *const V::Item, count: usize) -> V {
    // SAFETY: by the caller.
    unsafe { if count == V::LEN { V::load(from) } else { V::load_first(from, count) } }
}

/// The channels of the positions under a tile, to the points: to[point · step + channel].
struct Spread {
    from: [*const f32; POINTS],
    channels: usize,
    to: *mut f32,
    step: usize,
}

struct SpreadKernel;

impl VectorKernel<f32> for SpreadKernel {
    type Args = Spread;

    #[inline(always)]
    unsafe fn run<V: Vector<Item = f32>, const FMA: bool>(spread: Spread) {
        // SAFETY: by the caller.
        unsafe { strips::<V, FMA>(&spread, spread.channels) }
    }
}

impl Strip for Spread {
    #[inline(always)]
    unsafe fn strip<V: Vector<Item = f32>, const FMA: bool>(&self, first: usize, count: usize) {
        // SAFETY: by the caller.
        unsafe {
            let zero = V::splat(0.0);
            let mut half = [[zero; IN]; IN];
            for i in 0..IN {
                let mut line = [zero; IN];
                for j in 0..IN {
                    line[j] = load(self.from[i * IN + j].add(first), count);
                }
                half[i] = to_points::<V, FMA>(line);
            }
            for j in 0..IN {
                let mut column = [zero; IN];
                for i in 0..IN {
                    column[i] = half[i][j];
                }
                column = to_points::<V, FMA>(column);
                for i in 0..IN {
                    column[i].store_first(self.to.add((i * IN + j) * self.step + first), count);
                }
            }
        }
    }
}

/// The features of a tile, from[point · step + feature], to so many of its rows and columns of the output.
struct Gather {
    from: *const f32,
    step: usize,
    features: usize,
    to: *mut f32,
    line: usize,
    rows: usize,
    columns: usize,
}

struct GatherKernel;

impl VectorKernel<f32> for GatherKernel {
    type Args = Gather;

    #[inline(always)]
    unsafe fn run<V: Vector<Item = f32>, const FMA: bool>(gather: Gather) {
        // SAFETY: by the caller.
        unsafe { strips::<V, FMA>(&gather, gather.features) }
    }
}

impl Strip for Gather {
    #[inline(always)]
    unsafe fn strip<V: Vector<Item = f32>, const FMA: bool>(&self, first: usize, count: usize) {
        // SAFETY: by the caller.
        unsafe {
            let zero = V::splat(0.0);
            let mut half = [[zero; OUT]; IN];
            for i in 0..IN {
                let mut line = [zero; IN];
                for j in 0..IN {
                    line[j] = load(self.from.add((i * IN + j) * self.step + first), count);
                }
                half[i] = from_points::<V, FMA>(line);
            }
            for j in 0..OUT {
                let mut column = [zero; IN];
                for i in 0..IN {
                    column[i] = half[i][j];
                }
                let column = from_points::<V, FMA>(column);
                for i in 0..OUT {
                    if i < self.rows && j < self.columns {
                        column[i].store_first(self.to.add(i * self.line + j * self.features + first), count);
                    }
                }
            }
        }
    }
}

/// to[i] = Σ factors[tap] · w[tap · len + i]
struct Combine {
    w: *const f32,
    len: usize,
    factors: [f32; 9],
    to: *mut f32,
}

struct CombineKernel;

impl VectorKernel<f32> for CombineKernel {
    type Args = Combine;

    #[inline(always)]
    unsafe fn run<V: Vector<Item = f32>, const FMA: bool>(combine: Combine) {
        // SAFETY: by the caller.
        unsafe { strips::<V, FMA>(&combine, combine.len) }
    }
}

impl Strip for Combine {
    #[inline(always)]
    unsafe fn strip<V: Vector<Item = f32>, const FMA: bool>(&self, first: usize, count: usize) {
        // SAFETY: by the caller.
        unsafe {
            let mut sum = V::splat(0.0);
            for tap in 0..9 {
                sum = plus::<V, FMA>(sum, self.factors[tap], load(self.w.add(tap * self.len + first), count));
            }
            sum.store_first(self.to.add(first), count);
        }
    }
}
