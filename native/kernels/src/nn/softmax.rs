//! softmax, logSoftmax and their gradients along one axis.

use super::real::{Real, exp_shifted, greatest, map, sum};
use super::same_float;
use crate::check::{expect, expect_out};
use crate::isa::{Isa, Kernel, version};
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};
use std::marker::PhantomData;

/// One of the four ops.
struct Softmax(Op);

pub const KERNELS: KernelTable = &[
    (Op::LogSoftmax, &Softmax(Op::LogSoftmax)),
    (Op::LogSoftmaxGrad, &Softmax(Op::LogSoftmaxGrad)),
    (Op::Softmax, &Softmax(Op::Softmax)),
    (Op::SoftmaxGrad, &Softmax(Op::SoftmaxGrad)),
];

impl LibraryKernel for Softmax {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let name = self.0.name();
        let arity = if matches!(self.0, Op::Softmax | Op::LogSoftmax) { 1 } else { 2 };
        let (true, [out]) = (ins.len() == arity, outs) else {
            return Err(Error::argument(format!("{name}: {arity} operands and one result are needed")));
        };
        let dtype = same_float(name, &ins.iter().collect::<Vec<_>>())?;
        expect(ins.iter().all(|x| x.dims() == ins[0].dims()), || {
            format!("{name}: {} and {} differ", ins[0], ins[ins.len() - 1])
        })?;
        expect_out(name, out, dtype, ins[0].dims())?;
        let axis = attrs.axis("axis", out.rank())?;
        let (outer, inner) = (out.dims()[..axis].iter().product(), out.dims()[axis + 1..].iter().product());
        let size = out.dims()[axis];
        fn plan<T: Real>(op: Op, outer: usize, size: usize, inner: usize) -> Box<dyn Plan> {
            let isa = Isa::current();
            let run = match op {
                Op::Softmax => version::<Lines<T, SOFTMAX>>(isa),
                Op::LogSoftmax => version::<Lines<T, LOG_SOFTMAX>>(isa),
                Op::SoftmaxGrad => version::<Lines<T, SOFTMAX_GRAD>>(isa),
                _ => version::<Lines<T, LOG_SOFTMAX_GRAD>>(isa),
            };
            Box::new(SoftmaxPlan { outer, size, inner, run })
        }
        Ok(if dtype == DType::Float32 {
            plan::<f32>(self.0, outer, size, inner)
        } else {
            plan::<f64>(self.0, outer, size, inner)
        })
    }
}

struct SoftmaxPlan<T> {
    outer: usize,
    size: usize,
    inner: usize,
    run: unsafe fn(Line<T>),
}

/// Columns that are handled together.
const STRIP: usize = 64;
/// Elements of one chunk.
const CHUNK: usize = 16_384;

impl<T: Real> Plan for SoftmaxPlan<T> {
    fn cost_ns(&self) -> f64 {
        50.0 + (self.outer * self.size * self.inner) as f64 * if size_of::<T>() == 4 { 0.8 } else { 6.0 }
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], _scratch: *mut u8, pool: &Pool) {
        let SoftmaxPlan { outer, size, inner, .. } = *self;
        if outer * size * inner == 0 {
            return;
        }
        // The second operand of a gradient is the result of the forward op.
        let (x, y) = (Shared(ins[0] as *mut T), Shared(ins[ins.len() - 1] as *mut T));
        let out = Shared(outs[0] as *mut T);
        let strips = inner.div_ceil(STRIP);
        let units = outer * strips;
        let group = (CHUNK / (size * inner.min(STRIP))).clamp(1, units);
        pool.for_chunks(units.div_ceil(group), |chunk| {
            for unit in chunk * group..((chunk + 1) * group).min(units) {
                let (block, left) = (unit / strips, unit % strips * STRIP);
                let at = block * size * inner + left;
                // SAFETY: `check` has proven the shapes; units are different columns.
                unsafe {
                    let line = Line {
                        x: x.get().add(at),
                        y: y.get().add(at),
                        out: out.get().add(at),
                        size,
                        step: inner,
                        len: STRIP.min(inner - left),
                    };
                    (self.run)(line);
                }
            }
        });
    }
}

/// `len` <= STRIP columns of `size` elements, `step` apart.
#[derive(Clone, Copy)]
struct Line<T> {
    x: *const T,
    y: *const T,
    out: *mut T,
    size: usize,
    step: usize,
    len: usize,
}

const SOFTMAX: u8 = 0;
const LOG_SOFTMAX: u8 = 1;
const SOFTMAX_GRAD: u8 = 2;
const LOG_SOFTMAX_GRAD: u8 = 3;

struct Lines<T, const OP: u8>(PhantomData<T>);

impl<T: Real, const OP: u8> Kernel for Lines<T, OP> {
    type Args = Line<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(line: Line<T>) {
        // SAFETY: by the caller.
        unsafe { if line.step == 1 { Self::row::<FMA>(line) } else { Self::columns::<FMA>(line) } }
    }
}

impl<T: Real, const OP: u8> Lines<T, OP> {
    /// One contiguous line.
    #[inline(always)]
    unsafe fn row<const FMA: bool>(line: Line<T>) {
        let Line { x, y, out, size: n, .. } = line;
        // SAFETY: n elements of each operand.
        unsafe {
            match OP {
                SOFTMAX => {
                    let most = greatest(n, x);
                    // The sum is 1 or more: its reciprocal costs a rounding, and a division for each element much time.
                    let share = T::of(1.0) / exp_shifted::<FMA, T>(n, x, most, out);
                    map(n, [out.cast_const()], out, |[e]| e * share);
                }
                LOG_SOFTMAX => {
                    let most = greatest(n, x);
                    let log = exp_shifted::<FMA, T>(n, x, most, out).ln::<FMA>();
                    map(n, [x], out, |[x]| (x - most) - log);
                }
                SOFTMAX_GRAD => {
                    let total = sum(n, [x, y], |[g, y]| g * y);
                    map(n, [x, y], out, |[g, y]| y * (g - total));
                }
                _ => {
                    let total = sum(n, [x], |[g]| g);
                    exp_shifted::<FMA, T>(n, y, T::ZERO, out);
                    map(n, [x, out.cast_const()], out, |[g, e]| g - e * total);
                }
            }
        }
    }

    /// Columns side by side.
    #[inline(always)]
    unsafe fn columns<const FMA: bool>(line: Line<T>) {
        let len = line.len;
        let mut most = [T::LOWEST; STRIP];
        let mut total = [T::ZERO; STRIP];
        macro_rules! each {
            (|$at:ident, $i:ident| $body:expr) => {
                for k in 0..line.size {
                    for $i in 0..len {
                        let $at = k * line.step + $i;
                        $body
                    }
                }
            };
        }
        // SAFETY: as in `row`.
        let x = |at: usize| unsafe { line.x.add(at).read() };
        let y = |at: usize| unsafe { line.y.add(at).read() };
        let put = |at: usize, value: T| unsafe { line.out.add(at).write(value) };
        match OP {
            SOFTMAX => {
                each!(|at, i| most[i] = most[i].greater(x(at)));
                each!(|at, i| {
                    let e = (x(at) - most[i]).exp::<FMA>();
                    total[i] = total[i] + e;
                    put(at, e);
                });
                total[..len].iter_mut().for_each(|sum| *sum = T::of(1.0) / *sum);
                each!(|at, i| put(at, unsafe { line.out.add(at).read() } * total[i]));
            }
            LOG_SOFTMAX => {
                each!(|at, i| most[i] = most[i].greater(x(at)));
                each!(|at, i| total[i] = total[i] + (x(at) - most[i]).exp::<FMA>());
                total[..len].iter_mut().for_each(|sum| *sum = sum.ln::<FMA>());
                each!(|at, i| put(at, (x(at) - most[i]) - total[i]));
            }
            SOFTMAX_GRAD => {
                each!(|at, i| total[i] = total[i] + x(at) * y(at));
                each!(|at, i| put(at, y(at) * (x(at) - total[i])));
            }
            _ => {
                each!(|at, i| total[i] = total[i] + x(at));
                each!(|at, i| put(at, x(at) - y(at).exp::<FMA>() * total[i]));
            }
        }
    }
}
