//! selectAndScatterAdd: each cotangent goes to the first maximum of its window; a NaN wins, as it does in max.

use super::geometry::Windows;
use crate::check::{expect, expect_ins, expect_out};
use crate::gemm::Scalar;
use crate::isa::{Isa, Kernel, version};
use crate::loops::transpose::Shared;
use crate::{Error, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Shape};
use std::marker::PhantomData;

pub struct SelectAndScatterAdd;

impl LibraryKernel for SelectAndScatterAdd {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([x, g], [out]) = expect_ins("selectAndScatterAdd", ins, outs)?;
        expect(g.dtype() == x.dtype(), || format!("selectAndScatterAdd: {x} and {g} have different dtypes"))?;
        expect_out("selectAndScatterAdd", out, x.dtype(), x.dims())?;
        let windows = Windows::new("selectAndScatterAdd", x, g, attrs)?;
        fn plan<T: Scalar + PartialOrd>(windows: Windows) -> Result<Box<dyn Plan>, Error> {
            Ok(Box::new(SelectPlan::<T> { windows, select: version::<SelectKernel<T>>(Isa::current()) }))
        }
        match x.dtype() {
            DType::Float32 => plan::<f32>(windows),
            DType::Float64 => plan::<f64>(windows),
            DType::Int32 => plan::<i32>(windows),
            DType::Int64 => plan::<i64>(windows),
            DType::Uint8 => plan::<u8>(windows),
            DType::Bool => Err(Error::dtype("selectAndScatterAdd: no kernel for bool")),
        }
    }
}

struct SelectPlan<T> {
    windows: Windows,
    select: unsafe fn(Select<T>),
}

/// Where x[i] beats best[i], it becomes the best, and at[i] the element it came from.
#[derive(Clone, Copy)]
struct Select<T> {
    x: *const T,
    best: *mut T,
    at: *mut i64,
    element: i64,
    len: usize,
    first: bool,
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
                let wins = s.first || (!(x <= best) && best == best);
                s.best.add(i).write(if wins { x } else { best });
                s.at.add(i).write(if wins { s.element } else { at });
            }
        }
    }
}

/// Elements of a row that are handled at once.
const STRIP: usize = 256;

impl<T: Scalar + PartialOrd> SelectPlan<T> {
    /// Adds the cotangents of windows `numbers`.
    unsafe fn add(&self, x: *const T, g: *const T, out: *mut T, numbers: std::ops::Range<usize>) {
        let row = self.windows.row;
        let (mut best, mut at) = ([T::ZERO; STRIP], [0i64; STRIP]);
        for number in numbers {
            for left in (0..row).step_by(STRIP) {
                let len = STRIP.min(row - left);
                let mut first = true;
                self.windows.for_each_tap(number, |element| {
                    let (best, at) = (best.as_mut_ptr(), at.as_mut_ptr());
                    // SAFETY: taps are inside the input.
                    unsafe {
                        (self.select)(Select {
                            x: x.add(element + left),
                            best,
                            at,
                            element: element as i64,
                            len,
                            first,
                        })
                    }
                    first = false;
                });
                if first {
                    continue; // padding alone
                }
                for (i, &element) in at.iter().enumerate().take(len) {
                    // SAFETY: an element of the input's shape; the caller has the images of these windows to itself.
                    unsafe {
                        let to = out.add(element as usize + left + i);
                        to.write(T::add(to.read(), g.add(number * row + left + i).read()));
                    }
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
        let (image, per_image) = (elements / images, windows.rows() / images);
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
