//! convFilterGrad: a sum over all positions of all images of what lies under each tap, times the cotangent. Both are read
//! where they lie. Parts of the positions, cut by shape, are summed on their own and combined in a balanced tree: the bits
//! do not depend on the number of threads.

use super::Checked;
use super::chunk::{bytes, carve};
use super::depthwise::DepthwiseFilterGrad;
use super::geometry::Geometry;
use super::view::View;
use crate::areas::{self, Areas};
use crate::check::{expect_ins, sizes};
use crate::dtypes::by_dtype;
use crate::gemm::{Indirect, IndirectEngine, Pack, Scalar, Segment, prefetch};
use crate::isa::Isa;
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, Op, Shape};
use std::ops::Range;

/// Positions of one pass over the tiles: what they meet and a panel of the cotangent of this depth stay in the first
/// cache.
const DEPTH: usize = 144;
/// The same where the result is so large that what it costs to add to it counts more.
const DEEP: usize = 224;
const LARGE_RESULT: usize = 1 << 20;
/// Operations that one part should have, and how much memory the parts may take together.
const PART_FLOPS: f64 = 4e6;
const CHUNKS: usize = 16;
const PART_MEMORY: usize = 8 << 20;
/// Tiles that a panel of the cotangent is packed for.
const WORTH: usize = 3;
/// Elements that are combined at once.
const COMBINE: usize = 16 * 1024;

struct ConvFilterGrad;

pub const KERNELS: KernelTable = &[(Op::ConvFilterGrad, &ConvFilterGrad)];

impl LibraryKernel for ConvFilterGrad {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Checked {
        let ([x, g], [out]) = expect_ins("convFilterGrad", ins, outs)?;
        if sizes(attrs, "filterShape", out.rank(), 0)? != out.dims() {
            return Err(Error::shape(format!("convFilterGrad: the result is {out}, not filterShape")));
        }
        let geometry = Geometry::new("convFilterGrad", x, out, g, attrs, false)?;
        by_dtype!("convFilterGrad", x.dtype(), T => plan::<T>(geometry))
    }
}

fn plan<T: Scalar>(geometry: Geometry) -> Box<dyn Plan> {
    if geometry.is_depthwise() {
        return Box::new(DepthwiseFilterGrad::<T>::new(geometry));
    }
    Box::new(FilterGrad::<T>::new(geometry))
}

struct FilterGrad<T> {
    geometry: Geometry,
    engine: IndirectEngine<T>,
    pack: unsafe fn(Pack<T>),
    view: View,
    /// Pieces of lines of the output in one part.
    part: usize,
    parts: usize,
    /// Tiles of rows of the result, of one group, in one chunk.
    tiles: usize,
    blocks: usize,
}

impl<T: Scalar> FilterGrad<T> {
    fn new(geometry: Geometry) -> FilterGrad<T> {
        let engine = IndirectEngine::<T>::new(Isa::current());
        let pack = T::engine(Isa::current()).pack;
        let bytes = geometry.columns() * geometry.features * size_of::<T>();
        let view = View::new(&geometry, if bytes > LARGE_RESULT { DEEP } else { DEPTH });
        let most = (PART_MEMORY / bytes.max(1)).clamp(1, CHUNKS);
        let parts = ((geometry.flops() / PART_FLOPS) as usize).clamp(1, most);
        let part = view.pieces(&geometry).div_ceil(parts).next_multiple_of(view.block).max(view.block);
        let parts = view.pieces(&geometry).div_ceil(part);
        // Too few positions: rows of the result are cut as well.
        let all = geometry.columns().div_ceil(engine.mr);
        let wanted = CHUNKS.div_ceil((parts * geometry.groups).max(1)).min((geometry.flops() / PART_FLOPS) as usize);
        let tiles = all.div_ceil(wanted.max(1)).max(WORTH).min(all.max(1));
        FilterGrad { engine, pack, view, part, parts, tiles, blocks: all.div_ceil(tiles), geometry }
    }

    /// Elements of the result.
    fn len(&self) -> usize {
        self.geometry.columns() * self.geometry.features
    }

    fn partial_bytes(&self) -> usize {
        bytes::<T>(self.parts.saturating_sub(1) * self.len())
    }

    fn area_bytes(&self) -> usize {
        bytes::<*const T>(self.tiles * self.engine.mr)
            + bytes::<*mut T>(self.tiles * self.engine.mr)
            + bytes::<Segment<T>>(self.view.block)
            + bytes::<T>(self.view.positions() * self.engine.nr)
            + bytes::<T>(self.view.elements(&self.geometry))
    }

    fn chunks(&self) -> usize {
        self.parts * self.geometry.groups * self.blocks
    }

    /// Adds up one part of the positions for the tiles of one block of one group.
    unsafe fn sum(&self, operands: [*const T; 2], sum: *mut T, part: Range<usize>, at: [usize; 2], memory: *mut u8) {
        let FilterGrad { geometry, engine, view, .. } = self;
        let ([group, block], (mr, nr)) = (at, (engine.mr, engine.nr));
        let [x, g] = operands;
        let (features, group_features) = (geometry.features, geometry.group_features());
        let first_row = block * self.tiles * mr;
        let rows = (self.tiles * mr).min(geometry.columns() - first_row);
        let mut memory = memory;
        // SAFETY: in the order and the sizes of `area_bytes`; pieces and rows are those of this chunk.
        unsafe {
            let starts: *mut *const T = carve(&mut memory, self.tiles * mr);
            let results: *mut *mut T = carve(&mut memory, self.tiles * mr);
            let segments: *mut Segment<T> = carve(&mut memory, view.block);
            let packed: *mut T = carve(&mut memory, view.positions() * nr);
            let base = view.base(geometry, x, group, memory as *mut T);
            for i in 0..rows.next_multiple_of(mr) {
                // Rows behind the last are read, but not stored.
                let row = first_row + i.min(rows - 1);
                starts.add(i).write(base.wrapping_offset(view.row(geometry, row)));
                results.add(i).write(sum.wrapping_add(row * features));
            }
            for first in part.clone().step_by(view.block) {
                let pieces = first..(first + view.block).min(part.end);
                view.fill(geometry, x, group, pieces.clone(), memory as *mut T);
                let (mut count, mut positions) = (0, 0);
                view.for_each_segment(geometry, pieces.clone(), |shift, len| {
                    let last = segments.add(count.max(1) - 1);
                    if count > 0 && (*last).shift + (*last).steps as isize * view.step == shift {
                        (*last).steps += len;
                    } else {
                        let segment = Segment { rows: std::ptr::null(), shift, first: positions, steps: len };
                        segments.add(count).write(segment);
                        count += 1;
                    }
                    positions += len;
                });
                // What the next block reads is asked for a little at each tile.
                let next = first + view.block..(first + 2 * view.block).min(part.end);
                let calls = group_features.div_ceil(nr) * rows.div_ceil(mr);
                let mut ahead = [
                    view.span(geometry, next.clone()),
                    view.position(geometry, next.start) * features..view.position(geometry, next.end) * features,
                ]
                .map(|span| (span.start, span.len().div_ceil(calls)));
                let mut ask = || {
                    for ((at, elements), from) in ahead.iter_mut().zip([x, g]) {
                        prefetch(from.wrapping_add(*at), *elements);
                        *at += *elements;
                    }
                };
                for left in (0..group_features).step_by(nr) {
                    let columns = nr.min(group_features - left);
                    let from = g.add(view.position(geometry, pieces.start) * features + group * group_features + left);
                    let (b, b_row) = if columns == nr && rows <= WORTH * mr {
                        (from, features as isize)
                    } else {
                        let (along, count) = (features as isize, columns);
                        (self.pack)(Pack {
                            to: packed,
                            from,
                            across: 1,
                            along,
                            count,
                            k: positions,
                            most: nr,
                            unit: nr,
                        });
                        (packed.cast_const(), nr as isize)
                    };
                    for top in (0..rows).step_by(mr) {
                        if !next.is_empty() {
                            ask();
                        }
                        let first_start = starts.add(top).read();
                        let unit = (1..mr).all(|i| starts.add(top + i).read() == first_start.wrapping_add(i));
                        let kernel = match unit {
                            true => engine.unit_kernel(columns),
                            false => engine.kernel(mr.min(rows - top), columns),
                        };
                        kernel(Indirect {
                            segments,
                            count,
                            starts: starts.add(top),
                            a_step: view.step,
                            b,
                            b_row,
                            c: results.add(top).cast_const(),
                            left: group * group_features + left,
                            rows: mr.min(rows - top),
                            columns,
                            accumulate: first > part.start,
                        });
                    }
                }
            }
        }
    }
}

impl<T: Scalar> Plan for FilterGrad<T> {
    fn scratch_bytes(&self) -> usize {
        self.partial_bytes() + self.area_bytes() * areas::wanted(self.chunks())
    }

    fn flops(&self) -> f64 {
        self.geometry.flops()
    }

    fn cost_ns(&self) -> f64 {
        1000.0 + self.geometry.flops() / 80.0
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let (geometry, len) = (&self.geometry, self.len());
        let (x, g, out) = (Shared(ins[0] as *mut T), Shared(ins[1] as *mut T), Shared(outs[0] as *mut T));
        let pieces = self.view.pieces(geometry);
        if len == 0 || pieces == 0 {
            // SAFETY: the result has `len` elements.
            return unsafe { (0..len).for_each(|i| out.get().add(i).write(T::ZERO)) };
        }
        let sums = Sums { out, partial: Shared(scratch as *mut T), len, parts: self.parts };
        // SAFETY: `check` has proven the shapes; each chunk has elements of its own in one of the sums.
        unsafe {
            let areas = Areas::new(scratch.add(self.partial_bytes()), self.area_bytes(), areas::wanted(self.chunks()));
            pool.for_chunks(self.chunks(), |chunk| {
                let (part, group, block) =
                    (chunk / self.blocks / geometry.groups, chunk / self.blocks % geometry.groups, chunk % self.blocks);
                let range = part * self.part..((part + 1) * self.part).min(pieces);
                areas.with(|memory| self.sum([x.get(), g.get()], sums.of(part), range, [group, block], memory));
            });
            sums.combine(pool);
        }
    }
}

/// Sums of parts; the first is where the result goes.
pub struct Sums<T> {
    pub out: Shared<T>,
    pub partial: Shared<T>,
    pub len: usize,
    pub parts: usize,
}

impl<T: Scalar> Sums<T> {
    pub fn of(&self, part: usize) -> *mut T {
        if part == 0 { self.out.get() } else { self.partial.get().wrapping_add((part - 1) * self.len) }
    }

    /// Adds the parts up, in a balanced tree.
    ///
    /// # Safety
    /// Each has `len` elements, and no other user.
    pub unsafe fn combine(&self, pool: &Pool) {
        if self.parts == 1 {
            return;
        }
        pool.for_chunks(self.len.div_ceil(COMBINE), |chunk| {
            let elements = chunk * COMBINE..((chunk + 1) * COMBINE).min(self.len);
            let mut step = 1;
            while step < self.parts {
                for to in (0..self.parts - step).step_by(2 * step) {
                    let (to, from) = (self.of(to), self.of(to + step));
                    for i in elements.clone() {
                        // SAFETY: by the caller.
                        unsafe { to.add(i).write(T::add(to.add(i).read(), from.add(i).read())) };
                    }
                }
                step *= 2;
            }
        });
    }
}
