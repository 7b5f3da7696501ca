//! Depthwise convolution, one channel and one feature a group, and its gradients. Channels are the vector: the elements
//! under each tap are read where they lie.

use super::chunk::bytes;
use super::filter_grad::Sums;
use super::geometry::Geometry;
use super::implicit::Filter;
use super::lines::{Lines, Tap};
use crate::areas::{self, Areas};
use crate::gemm::{Scalar, Vector, VectorKernel};
use crate::isa::Isa;
use crate::loops::transpose::Shared;
use crate::{Done, Plan, Pool};
use std::marker::PhantomData;

/// Products of one chunk, and chunks that a result should have.
const CHUNK: usize = 128 * 1024;
const CHUNKS: usize = 16;
/// Products of one part of the gradient in the filter.
const PART: usize = 512 * 1024;
/// Positions that one pass over the taps computes, at most.
const POSITIONS: usize = 8;
/// Taps that one pass over the positions sums.
const TAPS: usize = 9;

pub struct Depthwise<T> {
    lines: Lines,
    kernel: unsafe fn(Slide<T>),
}

impl<T: Scalar> Depthwise<T> {
    pub fn new(geometry: Geometry, filter: Filter) -> Depthwise<T> {
        let lines = Lines::new(geometry, filter, CHUNK, CHUNKS);
        Depthwise { lines, kernel: T::kernel::<SlideKernel<T>>(Isa::current()) }
    }
}

impl<T: Scalar> Plan for Depthwise<T> {
    fn scratch_bytes(&self) -> usize {
        self.lines.area_bytes() * areas::wanted(self.lines.chunks())
    }

    fn flops(&self) -> f64 {
        self.lines.geometry.flops()
    }

    fn cost_ns(&self) -> f64 {
        1000.0 + self.lines.geometry.flops() / 20.0
    }

    fn parts(&self) -> Option<usize> {
        Some(self.lines.geometry.rows() * self.lines.geometry.features)
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        // SAFETY: by the caller.
        unsafe { self.compute(ins, outs, scratch, pool, None) }
    }

    unsafe fn run_parts(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool, done: Done) {
        // SAFETY: by the caller.
        unsafe { self.compute(ins, outs, scratch, pool, Some(done)) }
    }
}

impl<T: Scalar> Depthwise<T> {
    /// See `Plan::run` and `Plan::run_parts`.
    unsafe fn compute(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool, done: Option<Done>) {
        let lines = &self.lines;
        let (x, w, out) = (Shared(ins[0] as *mut T), Shared(ins[1] as *mut T), Shared(outs[0] as *mut T));
        let channels = lines.geometry.channels;
        // SAFETY: `check` has proven the shapes; each line is written once.
        unsafe {
            let areas = Areas::new(scratch, lines.area_bytes(), areas::wanted(lines.chunks()));
            pool.for_chunks(lines.chunks(), |chunk| {
                areas.with(|memory| {
                    for line in lines.chunk(chunk) {
                        lines.for_each_run(line, memory, |run| {
                            (self.kernel)(Slide {
                                taps: run.taps.as_ptr(),
                                count: run.taps.len(),
                                x: x.get(),
                                x_step: run.step,
                                w: w.get(),
                                out: out.get().add(run.first * channels),
                                out_step: run.period * channels,
                                positions: run.positions,
                                channels,
                            });
                        });
                    }
                });
                if let Some(done) = done {
                    let (chunk, line) = (lines.chunk(chunk), lines.geometry.output[2] * channels);
                    done(chunk.start * line..chunk.end * line);
                }
            });
        }
    }
}

/// The results of a run: for each position and channel, the sum of what lies under the taps times the filter.
#[derive(Clone, Copy)]
struct Slide<T> {
    taps: *const Tap,
    count: usize,
    x: *const T,
    x_step: isize,
    w: *const T,
    out: *mut T,
    out_step: usize,
    positions: usize,
    channels: usize,
}

struct SlideKernel<T>(PhantomData<T>);

impl<T: Scalar> VectorKernel<T> for SlideKernel<T> {
    type Args = Slide<T>;

    #[inline(always)]
    unsafe fn run<V: Vector<Item = T>, const FMA: bool>(slide: Slide<T>) {
        let mut position = 0;
        // SAFETY: by the caller.
        unsafe {
            while position + POSITIONS <= slide.positions {
                positions::<V, POSITIONS, FMA>(&slide, position);
                position += POSITIONS;
            }
            if position + 4 <= slide.positions {
                positions::<V, 4, FMA>(&slide, position);
                position += 4;
            }
            while position < slide.positions {
                positions::<V, 1, FMA>(&slide, position);
                position += 1;
            }
        }
    }
}

/// All channels of N positions.
#[inline(always)]
unsafe fn positions<V: Vector, const N: usize, const FMA: bool>(slide: &Slide<V::Item>, position: usize) {
    // SAFETY: by the caller.
    unsafe {
        let mut channel = 0;
        while channel + V::LEN <= slide.channels {
            strip::<V, N, FMA>(slide, position, channel, V::LEN);
            channel += V::LEN;
        }
        if channel < slide.channels {
            strip::<V, N, FMA>(slide, position, channel, slide.channels - channel);
        }
    }
}

/// `count` channels of N positions, at most those of a vector.
#[inline(always)]
unsafe fn strip<V: Vector, const N: usize, const FMA: bool>(
    slide: &Slide<V::Item>,
    position: usize,
    channel: usize,
    count: usize,
) {
    // SAFETY: by the caller.
    unsafe {
        let mut sums = [V::splat(V::Item::ZERO); N];
        let x = slide.x.offset(position as isize * slide.x_step).add(channel);
        let w = slide.w.add(channel);
        for tap in 0..slide.count {
            let Tap { number, at } = slide.taps.add(tap).read();
            let (x, w) = (x.offset(at), load::<V>(w.add(number * slide.channels), count));
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = V::mul_add::<FMA>(load::<V>(x.offset(i as isize * slide.x_step), count), w, *sum);
            }
        }
        for (i, sum) in sums.into_iter().enumerate() {
            sum.store_first(slide.out.add((position + i) * slide.out_step + channel), count);
        }
    }
}

/// A whole vector where `count` is known to be one: the compiler sees that.
#[inline(always)]
unsafe fn load<V: Vector>(from: *const V::Item, count: usize) -> V {
    // SAFETY: by the caller.
    unsafe { if count == V::LEN { V::load(from) } else { V::load_first(from, count) } }
}

/// The gradient in the filter: parts of the lines are summed on their own, then combined.
pub struct DepthwiseFilterGrad<T> {
    lines: Lines,
    kernel: unsafe fn(Gather<T>),
}

impl<T: Scalar> DepthwiseFilterGrad<T> {
    pub fn new(geometry: Geometry) -> DepthwiseFilterGrad<T> {
        let mut lines = Lines::new(geometry, Filter::Forward, PART, CHUNKS);
        // At most CHUNKS parts: each has a sum of its own.
        lines.group = lines.group.max(lines.count().div_ceil(CHUNKS));
        DepthwiseFilterGrad { lines, kernel: T::kernel::<GatherKernel<T>>(Isa::current()) }
    }

    fn len(&self) -> usize {
        self.lines.geometry.taps() * self.lines.geometry.channels
    }

    fn partial_bytes(&self) -> usize {
        bytes::<T>(self.lines.chunks().saturating_sub(1) * self.len())
    }
}

impl<T: Scalar> Plan for DepthwiseFilterGrad<T> {
    fn scratch_bytes(&self) -> usize {
        self.partial_bytes() + self.lines.area_bytes() * areas::wanted(self.lines.chunks())
    }

    fn flops(&self) -> f64 {
        self.lines.geometry.flops()
    }

    fn cost_ns(&self) -> f64 {
        1000.0 + self.lines.geometry.flops() / 20.0
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let (lines, len) = (&self.lines, self.len());
        let (x, g, out) = (Shared(ins[0] as *mut T), Shared(ins[1] as *mut T), Shared(outs[0] as *mut T));
        let channels = lines.geometry.channels;
        let sums = Sums { out, partial: Shared(scratch as *mut T), len, parts: lines.chunks().max(1) };
        // SAFETY: `check` has proven the shapes; each part has a sum of its own.
        unsafe {
            if lines.chunks() == 0 {
                return (0..len).for_each(|i| sums.of(0).add(i).write(T::ZERO));
            }
            let areas =
                Areas::new(scratch.add(self.partial_bytes()), lines.area_bytes(), areas::wanted(lines.chunks()));
            pool.for_chunks(lines.chunks(), |part| {
                let sum = sums.of(part);
                (0..len).for_each(|i| sum.add(i).write(T::ZERO));
                areas.with(|memory| {
                    for line in lines.chunk(part) {
                        lines.for_each_run(line, memory, |run| {
                            for taps in run.taps.chunks(TAPS) {
                                (self.kernel)(Gather {
                                    taps: taps.as_ptr(),
                                    count: taps.len(),
                                    x: x.get(),
                                    x_step: run.step,
                                    g: g.get().add(run.first * channels),
                                    positions: run.positions,
                                    channels,
                                    sum,
                                });
                            }
                        });
                    }
                });
            });
            sums.combine(pool);
        }
    }
}

/// sum[tap, channel] += Σ x · g over the positions of a run.
#[derive(Clone, Copy)]
struct Gather<T> {
    taps: *const Tap,
    count: usize,
    x: *const T,
    x_step: isize,
    g: *const T,
    positions: usize,
    channels: usize,
    sum: *mut T,
}

struct GatherKernel<T>(PhantomData<T>);

impl<T: Scalar> VectorKernel<T> for GatherKernel<T> {
    type Args = Gather<T>;

    #[inline(always)]
    unsafe fn run<V: Vector<Item = T>, const FMA: bool>(gather: Gather<T>) {
        // SAFETY: by the caller.
        unsafe {
            let mut channel = 0;
            while channel + V::LEN <= gather.channels {
                column::<V, FMA>(&gather, channel, V::LEN);
                channel += V::LEN;
            }
            if channel < gather.channels {
                column::<V, FMA>(&gather, channel, gather.channels - channel);
            }
        }
    }
}

#[inline(always)]
unsafe fn column<V: Vector, const FMA: bool>(gather: &Gather<V::Item>, channel: usize, count: usize) {
    // SAFETY: by the caller.
    unsafe {
        // Where there are fewer taps, the first one takes their place, and is not stored.
        let tap = |i: usize| gather.taps.add(if i < gather.count { i } else { 0 }).read();
        let to = |i: usize| gather.sum.add(tap(i).number * gather.channels + channel);
        let mut x = [std::ptr::null(); TAPS];
        let mut sums = [V::splat(V::Item::ZERO); TAPS];
        for i in 0..TAPS {
            x[i] = gather.x.offset(tap(i).at).add(channel);
            sums[i] = load(to(i), count);
        }
        let mut at = 0;
        for position in 0..gather.positions {
            let g = load(gather.g.add(position * gather.channels + channel), count);
            for (x, sum) in x.iter().zip(&mut sums) {
                *sum = V::mul_add::<FMA>(load(x.offset(at), count), g, *sum);
            }
            at += gather.x_step;
        }
        for (i, sum) in sums.into_iter().enumerate().take(gather.count) {
            sum.store_first(to(i), count);
        }
    }
}
