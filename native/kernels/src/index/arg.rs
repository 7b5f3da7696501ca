//! argMax and argMin: the first extremum. NaN is never it, and counts as the value that every other one beats, as in
//! TensorFlow on the CPU.

use super::Along;
use crate::check::{expect, expect_ins, expect_out};
use crate::dtypes::by_dtype;
use crate::gemm::Scalar;
use crate::isa::{Isa, Kernel, version};
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};
use std::marker::PhantomData;

struct ArgReduce {
    name: &'static str,
    max: bool,
}

pub const KERNELS: KernelTable =
    &[(Op::ArgMax, &ArgReduce { name: "argMax", max: true }), (Op::ArgMin, &ArgReduce { name: "argMin", max: false })];

impl LibraryKernel for ArgReduce {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([x], [out]) = expect_ins(self.name, ins, outs)?;
        let axis = attrs.axis("axis", x.rank())?;
        let dims = [&x.dims()[..axis], &x.dims()[axis + 1..]].concat();
        expect_out(self.name, out, DType::Int32, &dims)?;
        let along = Along::new(x, axis);
        expect(along.size > 0, || format!("{}: axis {axis} of {x} is empty", self.name))?;
        expect(i32::try_from(along.size).is_ok(), || {
            format!("{}: axis {axis} of {x} is too long for int32", self.name)
        })?;
        fn plan<T: Ordered>(along: Along, max: bool) -> Box<dyn Plan> {
            let isa = Isa::current();
            let run = if max { version::<ArgKernel<T, true>>(isa) } else { version::<ArgKernel<T, false>>(isa) };
            Box::new(ArgPlan { along, run })
        }
        by_dtype!(self.name, x.dtype(), T => plan::<T>(along, self.max))
    }
}

trait Ordered: Scalar + PartialOrd {
    /// What the first element counts as.
    fn start(self, max: bool) -> Self;
}

macro_rules! ordered {
    ($($t:ty: |$x:ident, $max:ident| $start:expr;)*) => { $(
        impl Ordered for $t {
            #[inline(always)]
            fn start(self, $max: bool) -> Self {
                let $x = self;
                $start
            }
        }
    )* };
}
ordered! {
    f32: |x, max| if !x.is_nan() { x } else if max { f32::NEG_INFINITY } else { f32::INFINITY };
    f64: |x, max| if !x.is_nan() { x } else if max { f64::NEG_INFINITY } else { f64::INFINITY };
    i8: |x, _max| x;
    i32: |x, _max| x;
    i64: |x, _max| x;
    u8: |x, _max| x;
}

struct ArgPlan<T> {
    along: Along,
    run: unsafe fn(Lines<T>),
}

/// `len` columns, `size` steps of `step` elements apart.
#[derive(Clone, Copy)]
struct Lines<T> {
    x: *const T,
    out: *mut i32,
    size: usize,
    step: usize,
    len: usize,
}

const STRIP: usize = 128;

struct ArgKernel<T, const MAX: bool>(PhantomData<T>);

impl<T: Ordered, const MAX: bool> Kernel for ArgKernel<T, MAX> {
    type Args = Lines<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(lines: Lines<T>) {
        let mut best = [T::ZERO; STRIP];
        let mut place = [0i32; STRIP];
        // SAFETY: `size` rows of `len` <= STRIP elements.
        unsafe {
            (0..lines.len).for_each(|i| best[i] = lines.x.add(i).read().start(MAX));
            for step in 1..lines.size {
                let row = lines.x.add(step * lines.step);
                for i in 0..lines.len {
                    let x = row.add(i).read();
                    let wins = if MAX { x > best[i] } else { x < best[i] };
                    best[i] = if wins { x } else { best[i] };
                    place[i] = if wins { step as i32 } else { place[i] };
                }
            }
            (0..lines.len).for_each(|i| lines.out.add(i).write(place[i]));
        }
    }
}

impl<T: Ordered> Plan for ArgPlan<T> {
    fn cost_ns(&self) -> f64 {
        50.0 + (self.along.outer * self.along.size * self.along.inner) as f64
            * if self.along.inner < 8 { 1.5 } else { 0.4 }
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], _scratch: *mut u8, pool: &Pool) {
        let Along { outer, size, inner } = self.along;
        if outer * inner == 0 {
            return;
        }
        let (x, out) = (Shared(ins[0] as *mut T), Shared(outs[0] as *mut i32));
        let strips = inner.div_ceil(STRIP);
        let units = outer * strips;
        let group = (16_384 / (size * inner.min(STRIP))).clamp(1, units);
        pool.for_chunks(units.div_ceil(group), |chunk| {
            for unit in chunk * group..((chunk + 1) * group).min(units) {
                let (block, left) = (unit / strips, unit % strips * STRIP);
                // SAFETY: `check` has proven the shapes; each result is written once.
                unsafe {
                    (self.run)(Lines {
                        x: x.get().add(block * size * inner + left),
                        out: out.get().add(block * inner + left),
                        size,
                        step: inner,
                        len: STRIP.min(inner - left),
                    });
                }
            }
        });
    }
}
