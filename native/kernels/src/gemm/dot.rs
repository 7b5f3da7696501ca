//! dotGeneral as a batch of strided matrix products, without copies wherever strides can say it.

use super::tiles::{Kernels, TilePlan};
use super::widened::Widened;
use super::{self as gemm, Product, Scalar, Sizes, Strides};
use crate::areas::{self, Areas};
use crate::check::{distinct_axes, expect_ins, expect_out};
use crate::dtypes::by_dtype;
use crate::isa::Isa;
use crate::loops::transpose::Shared;
use crate::tail;
use crate::{Done, Error, KernelTable, LibraryKernel, Packed, Packing, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};
use std::ops::Range;

/// One dimension and its strides in a, b and c (0 where it is absent).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dim {
    pub size: usize,
    pub a: isize,
    pub b: isize,
    pub c: isize,
}

/// dotGeneral: for every index of `outer`, one product.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub outer: Vec<Dim>,
    pub inner: Vec<Dim>,
    pub sizes: Sizes,
}

/// Merges neighbours that all three operands walk as one; drops sizes of one.
fn merge(dims: impl IntoIterator<Item = Dim>) -> Vec<Dim> {
    let mut merged: Vec<Dim> = Vec::new();
    for dim in dims.into_iter().filter(|dim| dim.size != 1) {
        let size = dim.size as isize;
        match merged.last_mut() {
            Some(last) if last.a == dim.a * size && last.b == dim.b * size && last.c == dim.c * size => {
                *last = Dim { size: last.size * dim.size, ..dim };
            }
            _ => merged.push(dim),
        }
    }
    merged
}

impl Batch {
    /// The result's dtype is for the caller to check.
    pub fn new(lhs: &Shape, rhs: &Shape, out: &Shape, attrs: &BoundAttrs) -> Result<Batch, Error> {
        let axes = |name: &str, rank: usize| distinct_axes(attrs, name, rank);
        let (lb, rb) = (axes("lhsBatch", lhs.rank())?, axes("rhsBatch", rhs.rank())?);
        let (lc, rc) = (axes("lhsContract", lhs.rank())?, axes("rhsContract", rhs.rank())?);
        let pairs = |l: &[usize], r: &[usize]| {
            l.len() == r.len() && l.iter().zip(r).all(|(&i, &j)| lhs.dims()[i] == rhs.dims()[j])
        };
        if !pairs(&lb, &rb)
            || !pairs(&lc, &rc)
            || lb.iter().any(|i| lc.contains(i))
            || rb.iter().any(|i| rc.contains(i))
        {
            return Err(Error::shape(format!("dotGeneral: batch or contracted axes of {lhs} and {rhs} do not fit")));
        }
        let lf: Vec<usize> = (0..lhs.rank()).filter(|i| !lb.contains(i) && !lc.contains(i)).collect();
        let rf: Vec<usize> = (0..rhs.rank()).filter(|i| !rb.contains(i) && !rc.contains(i)).collect();
        let sizes = |shape: &Shape, axes: &[usize]| axes.iter().map(|&i| shape.dims()[i]).collect::<Vec<_>>();
        let want = [sizes(lhs, &lb), sizes(lhs, &lf), sizes(rhs, &rf)].concat();
        expect_out("dotGeneral", out, out.dtype(), &want)?;

        let strides = |shape: &Shape| shape.strides().into_iter().map(|s| s as isize).collect::<Vec<_>>();
        let (a, b, c) = (strides(lhs), strides(rhs), strides(out));
        let batch =
            lb.iter().zip(&rb).enumerate().map(|(k, (&i, &j))| Dim { size: lhs.dims()[i], a: a[i], b: b[j], c: c[k] });
        let rows = lf.iter().enumerate().map(|(k, &i)| Dim { size: lhs.dims()[i], a: a[i], b: 0, c: c[lb.len() + k] });
        let columns = rf.iter().enumerate().map(|(k, &j)| Dim {
            size: rhs.dims()[j],
            a: 0,
            b: b[j],
            c: c[lb.len() + lf.len() + k],
        });
        // The order of a sum is ours: the one in which lhs lies, so that neighbours merge.
        let mut inner: Vec<Dim> =
            lc.iter().zip(&rc).map(|(&i, &j)| Dim { size: lhs.dims()[i], a: a[i], b: b[j], c: 0 }).collect();
        inner.sort_by_key(|dim| -dim.a);
        Ok(Batch::from_dims(merge(batch), merge(rows), merge(columns), merge(inner)))
    }

    /// One dimension of each kind makes the product, the longest; the others are walked outside, contracted ones last.
    fn from_dims(batch: Vec<Dim>, mut rows: Vec<Dim>, mut columns: Vec<Dim>, mut inner: Vec<Dim>) -> Batch {
        let take = |dims: &mut Vec<Dim>, prefer: fn(&Dim) -> (bool, usize), none: Dim| {
            let at = (0..dims.len()).max_by_key(|&i| prefer(&dims[i]));
            at.map_or(none, |at| dims.remove(at))
        };
        let longest = |dim: &Dim| (true, dim.size);
        let m = take(&mut rows, longest, Dim { size: 1, a: 0, b: 0, c: 0 });
        // c is written along a unit stride: only the last column dimension has one.
        let n = if columns.last().is_some_and(|dim| dim.c == 1) {
            take(&mut columns, |dim| (dim.c == 1, dim.size), Dim { size: 1, a: 0, b: 0, c: 1 })
        } else {
            Dim { size: 1, a: 0, b: 0, c: 1 }
        };
        let k = take(&mut inner, longest, Dim { size: 1, a: 0, b: 0, c: 0 });
        let sizes = Sizes {
            m: m.size,
            n: n.size,
            k: k.size,
            a: Strides { row: m.a, column: k.a },
            b: Strides { row: k.b, column: n.b },
            c_row: m.c as usize,
        };
        Batch { outer: [batch, rows, columns].concat(), inner, sizes }
    }
}

/// The kernel of dotGeneral.
struct DotGeneral;

pub const KERNELS: KernelTable = &[(Op::DotGeneral, &DotGeneral)];

impl LibraryKernel for DotGeneral {
    fn takes_narrow(&self) -> bool {
        true
    }

    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([lhs, rhs], [out]) = expect_ins("dotGeneral", ins, outs)?;
        if lhs.dtype() != rhs.dtype() {
            return Err(Error::dtype(format!("dotGeneral: {lhs} and {rhs}")));
        }
        let dtype = if attrs.get("dtype").is_some() { attrs.dtype("dtype")? } else { lhs.dtype() };
        let batch = Batch::new(lhs, rhs, out, attrs)?;
        expect_out("dotGeneral", out, dtype, out.dims())?;
        let outputs = out.numel();
        let lens = [lhs.numel(), rhs.numel()];
        let narrows = dtype == lhs.dtype();
        match (lhs.dtype(), dtype) {
            (DType::Int8, DType::Int8 | DType::Int32) => match Kernels::int8(!narrows) {
                Some(kernels) => Ok(Box::new(TilePlan::new(batch, outputs, kernels))),
                None => {
                    let product = plan(batch, DType::Int32, outputs)?;
                    Ok(Box::new(Widened::new::<i8, i32>(product, lens, outputs, narrows)))
                }
            },
            (DType::Bfloat16, DType::Bfloat16 | DType::Float32) => match Kernels::bfloat16(!narrows) {
                Some(kernels) => Ok(Box::new(TilePlan::new(batch, outputs, kernels))),
                None => {
                    let product = plan(batch, DType::Float32, outputs)?;
                    Ok(Box::new(Widened::new::<u16, f32>(product, lens, outputs, narrows)))
                }
            },
            (operands, result) if operands == result => plan(batch, dtype, outputs),
            _ => Err(Error::dtype(format!("dotGeneral: no kernel for {lhs} into {}", dtype.name()))),
        }
    }
}

/// dotGeneral with every size known.
struct DotPlan<T> {
    outer: Vec<Dim>,
    /// Contracted dimensions that do not merge with the product's: their products are added up in order.
    inner: Vec<Dim>,
    product: Product<T>,
    outputs: usize,
}

impl<T: Scalar> DotPlan<T> {
    fn outer_count(&self) -> usize {
        self.outer.iter().map(|dim| dim.size).product()
    }

    /// Many products: each on one thread.
    fn by_batch(&self) -> bool {
        self.outer_count() >= 8 || self.product.is_small()
    }

    fn area_bytes(&self) -> usize {
        gemm::serial_bytes::<T>(&self.product.sizes)
    }

    /// Products in one chunk.
    fn group(&self) -> usize {
        (1e6 / (self.product.sizes.flops() + 2000.0)).ceil() as usize
    }

    fn chunks(&self) -> usize {
        self.outer_count().div_ceil(self.group())
    }
}

/// Offsets into a, b and c at position `number` of the row-major space `dims`.
pub(super) fn offsets(dims: &[Dim], mut number: usize) -> (isize, isize, isize) {
    dims.iter().rev().fold((0, 0, 0), |(a, b, c), dim| {
        let index = (number % dim.size) as isize;
        number /= dim.size;
        (a + index * dim.a, b + index * dim.b, c + index * dim.c)
    })
}

impl<T: Scalar> Plan for DotPlan<T> {
    fn scratch_bytes(&self) -> usize {
        if self.by_batch() { self.area_bytes() * areas::wanted(self.chunks()) } else { self.product.scratch_bytes() }
    }

    fn cost_ns(&self) -> f64 {
        let inner: usize = self.inner.iter().map(|dim| dim.size).product();
        let speed = if size_of::<T>() == 4 { 60.0 } else { 20.0 };
        100.0 + self.outer_count() as f64 * inner as f64 * self.product.sizes.flops() / speed
    }

    fn flops(&self) -> f64 {
        let inner: usize = self.inner.iter().map(|dim| dim.size).product();
        self.outer_count() as f64 * inner as f64 * self.product.sizes.flops()
    }

    fn parts(&self) -> Option<usize> {
        let Sizes { m, n, c_row, .. } = self.product.sizes;
        (m <= 1 || c_row == n).then_some(self.outputs)
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        // SAFETY: by the caller.
        unsafe { self.compute(ins, outs, scratch, pool, None) }
    }

    unsafe fn run_parts(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool, done: Done) {
        // SAFETY: by the caller.
        unsafe { self.compute(ins, outs, scratch, pool, Some(done)) }
    }

    fn packing(&self) -> Option<Packing> {
        let one = self.outer_count() == 1 && self.inner.iter().all(|dim| dim.size == 1);
        if one { self.product.packing(1) } else { None }
    }

    unsafe fn pack(&self, operand: *const u8, to: *mut u8, pool: &Pool) {
        // SAFETY: by the caller.
        unsafe { self.product.pack_b_on(to.cast(), operand.cast(), pool) }
    }

    unsafe fn run_packed(&self, run: Packed) {
        let Packed { ins, outs, packed, scratch, pool, done } = run;
        // SAFETY: by the caller.
        unsafe { self.product.run_packed(ins[0].cast(), packed.cast(), outs[0].cast(), false, scratch, pool, done) }
    }
}

impl<T: Scalar> DotPlan<T> {
    /// See `Plan::run` and `Plan::run_parts`.
    unsafe fn compute(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool, done: Option<Done>) {
        if self.outputs == 0 {
            return;
        }
        let operands = (Shared(ins[0] as *mut T), Shared(ins[1] as *mut T), Shared(outs[0] as *mut T));
        let inner: usize = self.inner.iter().map(|dim| dim.size).product();
        // The products of one part of the result, in order: the last one finishes it.
        let one = |number: usize, run: &dyn Fn(*const T, *const T, *mut T, usize)| {
            let (a0, b0, c0) = offsets(&self.outer, number);
            let (a, b, c) = (operands.0.get(), operands.1.get(), operands.2.get());
            for i in 0..inner {
                let (a1, b1, _) = offsets(&self.inner, i);
                run(a.wrapping_offset(a0 + a1), b.wrapping_offset(b0 + b1), c.wrapping_offset(c0), i);
            }
        };
        let at = |number: usize| offsets(&self.outer, number).2 as usize;
        if inner == 0 {
            // SAFETY: the result has that many elements.
            unsafe { (0..self.outputs).for_each(|i| operands.2.get().add(i).write(T::ZERO)) }
            return tail::hand_out(self.outputs, pool, done);
        }
        // SAFETY: `check` has proven the shapes; each product writes its own part of the result.
        unsafe {
            if self.by_batch() {
                let areas = Areas::new(scratch, self.area_bytes(), areas::wanted(self.chunks()));
                let (group, count, each) =
                    (self.group(), self.outer_count(), self.product.sizes.m * self.product.sizes.n);
                pool.for_chunks(self.chunks(), |chunk| {
                    areas.with(|memory| {
                        for number in chunk * group..((chunk + 1) * group).min(count) {
                            one(number, &|a, b, c, i| self.product.run_serial(a, b, c, i > 0, memory));
                            if let Some(done) = done.filter(|_| count > 1) {
                                done(at(number)..at(number) + each);
                            }
                        }
                    });
                });
                if count == 1 {
                    tail::hand_out(self.outputs, pool, done);
                }
            } else {
                for number in 0..self.outer_count() {
                    let first = at(number);
                    let shifted = done.map(|done| move |part: Range<usize>| done(first + part.start..first + part.end));
                    one(number, &|a, b, c, i| {
                        let done = shifted.as_ref().filter(|_| i + 1 == inner).map(|done| done as Done);
                        self.product.run(a, b, c, i > 0, scratch, pool, done)
                    });
                }
            }
        }
    }
}

fn plan(batch: Batch, dtype: DType, outputs: usize) -> Result<Box<dyn Plan>, Error> {
    fn typed<T: Scalar>(batch: Batch, outputs: usize) -> Box<dyn Plan> {
        let product = Product::<T>::new(batch.sizes, Isa::current());
        Box::new(DotPlan { outer: batch.outer, inner: batch.inner, product, outputs })
    }
    by_dtype!("dotGeneral", dtype, T => typed::<T>(batch, outputs))
}
