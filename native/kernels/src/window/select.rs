//! selectAndScatterAdd: each cotangent goes to the first maximum of its window; a NaN wins, as it does in max.

use super::geometry::{MOST_TAPS, Windows};
use crate::check::{expect, expect_ins, expect_out};
use crate::dtypes::by_dtype;
use crate::gemm::Scalar;
use crate::isa::{Isa, Kernel, version};
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, Op, Shape};
use std::marker::PhantomData;

struct SelectAndScatterAdd;

pub const KERNELS: KernelTable = &[(Op::SelectAndScatterAdd, &SelectAndScatterAdd)];

impl LibraryKernel for SelectAndScatterAdd {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([x, g], [out]) = expect_ins("selectAndScatterAdd", ins, outs)?;
        expect(g.dtype() == x.dtype(), || format!("selectAndScatterAdd: {x} and {g} have different dtypes"))?;
        expect_out("selectAndScatterAdd", out, x.dtype(), x.dims())?;
        let windows = Windows::new("selectAndScatterAdd", x, g, attrs)?;
        // Taps are counted in 32 bits.
        expect(u32::try_from(x.numel()).is_ok(), || format!("selectAndScatterAdd: {x} is too large"))?;
        fn plan<T: Scalar + PartialOrd>(windows: Windows) -> Box<dyn Plan> {
            let isa = Isa::current();
            let (select, give) = (version::<SelectKernel<T>>(isa), version::<GiveKernel<T>>(isa));
            Box::new(SelectPlan::<T> { windows, select, give, slide: version::<SlideKernel<T>>(isa) })
        }
        by_dtype!("selectAndScatterAdd", x.dtype(), T => plan::<T>(windows))
    }
}

struct SelectPlan<T> {
    windows: Windows,
    select: unsafe fn(Select<T>),
    give: unsafe fn(Give<T>),
    slide: unsafe fn(Slide<T>),
}

/// Where x[i] beats best[i], it becomes the best, and at[i] the number of its tap.
#[derive(Clone, Copy)]
struct Select<T> {
    x: *const T,
    best: *mut T,
    at: *mut u32,
    tap: u32,
    len: usize,
}

struct SelectKernel<T>(PhantomData<T>);

impl<T: Scalar + PartialOrd> Kernel for SelectKernel<T> {
    type Args = Select<T>;

    #[inline(always)]
    #[allow(clippy::eq_op, clippy::neg_cmp_op_on_partial_ord)] // NaN
    unsafe fn run<const FMA: bool>(s: Select<T>) {
        for i in 0..s.len {
            // SAFETY: three rows of `len` elements.
            unsafe {
                let (x, best, at) = (s.x.add(i).read(), s.best.add(i).read(), s.at.add(i).read());
                let wins = s.tap == 0 || (!(x <= best) && best == best);
                s.best.add(i).write(if wins { x } else { best });
                s.at.add(i).write(if wins { s.tap } else { at });
            }
        }
    }
}

/// out[i] += g[i] where tap at[i] was chosen.
#[derive(Clone, Copy)]
struct Give<T> {
    g: *const T,
    at: *const u32,
    out: *mut T,
    tap: u32,
    len: usize,
}

struct GiveKernel<T>(PhantomData<T>);

impl<T: Scalar> Kernel for GiveKernel<T> {
    type Args = Give<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(s: Give<T>) {
        for i in 0..s.len {
            // SAFETY: three rows of `len` elements.
            unsafe {
                let (sum, g) = (s.out.add(i).read(), s.g.add(i).read());
                let more = T::add(sum, g);
                s.out.add(i).write(if s.at.add(i).read() == s.tap { more } else { sum });
            }
        }
    }
}

/// Both, for windows with the same taps at equal distances.
#[derive(Clone, Copy)]
struct Slide<T> {
    x: *const T,
    g: *const T,
    out: *mut T,
    taps: *const usize,
    count: usize,
    step: usize,
    positions: usize,
    row: usize,
}

struct SlideKernel<T>(PhantomData<T>);

impl<T: Scalar + PartialOrd> Kernel for SlideKernel<T> {
    type Args = Slide<T>;

    #[inline(always)]
    #[allow(clippy::eq_op, clippy::neg_cmp_op_on_partial_ord)] // NaN
    unsafe fn run<const FMA: bool>(s: Slide<T>) {
        // Of its own, so that nothing written may change them.
        let (mut best, mut chosen) = ([T::ZERO; STRIP], [0u32; STRIP]);
        for position in 0..s.positions {
            for first in (0..s.row).step_by(STRIP) {
                let len = STRIP.min(s.row - first);
                let (best, chosen) = (&mut best[..len], &mut chosen[..len]);
                let at = position * s.step + first;
                // SAFETY: taps are inside the input; the caller has their image to itself.
                unsafe {
                    for tap in 0..s.count {
                        let x = s.x.add(at + s.taps.add(tap).read());
                        for i in 0..len {
                            let x = x.add(i).read();
                            let wins = tap == 0 || (!(x <= best[i]) && best[i] == best[i]);
                            best[i] = if wins { x } else { best[i] };
                            chosen[i] = if wins { tap as u32 } else { chosen[i] };
                        }
                    }
                    let g = s.g.add(position * s.row + first);
                    best.copy_from_slice(std::slice::from_raw_parts(g, len));
                    for tap in 0..s.count {
                        let out = std::slice::from_raw_parts_mut(s.out.add(at + s.taps.add(tap).read()), len);
                        for i in 0..len {
                            let more = T::add(out[i], best[i]);
                            out[i] = if chosen[i] == tap as u32 { more } else { out[i] };
                        }
                    }
                }
            }
        }
    }
}

/// Elements of a row that are handled at once.
const STRIP: usize = 256;

impl<T: Scalar + PartialOrd> SelectPlan<T> {
    /// Adds the cotangents of the windows of `lines`.
    unsafe fn add(&self, x: *const T, g: *const T, out: *mut T, lines: std::ops::Range<usize>) {
        let width = self.windows.output.last().copied().unwrap_or(1);
        let mut taps = [0; MOST_TAPS];
        for line in lines {
            let all = line * width..(line + 1) * width;
            // SAFETY: taps are inside the input; the caller has the images of these windows to itself.
            unsafe {
                let Some(run) = self.windows.run(line, &mut taps) else {
                    self.add_alone(x, g, out, all);
                    continue;
                };
                // In order, where windows overlap.
                self.add_alone(x, g, out, all.start..run.windows.start);
                (self.slide)(Slide {
                    x: x.add(run.first),
                    g: g.add(run.windows.start * self.windows.row),
                    out: out.add(run.first),
                    taps: taps.as_ptr(),
                    count: run.count,
                    step: run.step,
                    positions: run.windows.len(),
                    row: self.windows.row,
                });
                self.add_alone(x, g, out, run.windows.end..all.end);
            }
        }
    }

    /// The same for windows one by one.
    unsafe fn add_alone(&self, x: *const T, g: *const T, out: *mut T, numbers: std::ops::Range<usize>) {
        let row = self.windows.row;
        let (mut best, mut at) = ([T::ZERO; STRIP], [0u32; STRIP]);
        for number in numbers {
            for left in (0..row).step_by(STRIP) {
                let len = STRIP.min(row - left);
                let (best, at) = (best.as_mut_ptr(), at.as_mut_ptr());
                // SAFETY: taps are inside the input; the caller has the images of these windows to itself.
                unsafe {
                    let mut tap = 0;
                    self.windows.for_each_tap(number, |element| {
                        (self.select)(Select { x: x.add(element + left), best, at, tap, len });
                        tap += 1;
                    });
                    let g = g.add(number * row + left);
                    let mut tap = 0;
                    self.windows.for_each_tap(number, |element| {
                        (self.give)(Give { g, at, out: out.add(element + left), tap, len });
                        tap += 1;
                    });
                }
            }
        }
    }
}

impl<T: Scalar + PartialOrd> Plan for SelectPlan<T> {
    fn cost_ns(&self) -> f64 {
        100.0 + self.windows.rows() as f64 * self.windows.taps() as f64 * (5.0 + 0.3 * self.windows.row as f64)
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], _scratch: *mut u8, pool: &Pool) {
        let windows = &self.windows;
        let (x, g, out) = (Shared(ins[0] as *mut T), Shared(ins[1] as *mut T), Shared(outs[0] as *mut T));
        let elements = windows.input.iter().product::<usize>() * windows.row;
        // Windows that may meet stay on one thread, in order.
        let images = if windows.apart { windows.input[0] } else { 1 };
        if elements == 0 || images == 0 {
            return;
        }
        let (image, per_image) = (elements / images, windows.lines() / images);
        let group = (8192 / image).clamp(1, images);
        pool.for_chunks(images.div_ceil(group), |chunk| {
            let (first, end) = (chunk * group, ((chunk + 1) * group).min(images));
            // SAFETY: `check` has proven the shapes; chunks have different images.
            unsafe {
                (first * image..end * image).for_each(|i| out.get().add(i).write(T::ZERO));
                self.add(x.get(), g.get(), out.get(), first * per_image..end * per_image);
            }
        });
    }
}
