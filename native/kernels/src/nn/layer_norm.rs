//! layerNorm over the last axis, and its gradient.

use super::real::{Real, map, map_many, sum, sums};
use super::same_float;
use crate::check::{expect, expect_ins, expect_out};
use crate::isa::{Isa, Kernel, version};
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};
use std::marker::PhantomData;

/// Elements of one chunk.
const CHUNK: usize = 16_384;
/// Most partial sums of the gradients of gamma and beta.
const PARTS: usize = 32;

/// Rows and their length; vectors must be as long.
fn rows_of(op: &str, x: &Shape, vectors: &[&Shape], statistics: &[&Shape]) -> Result<(usize, usize), Error> {
    let Some((&n, lead)) = x.dims().split_last() else {
        return Err(Error::shape(format!("{op}: {x} has no last axis")));
    };
    expect(vectors.iter().all(|v| v.dims() == [n]), || {
        format!("{op}: gamma and beta must be as long as the last axis of {x}")
    })?;
    expect(statistics.iter().all(|s| s.dims() == lead), || format!("{op}: statistics of {x} have the shape {lead:?}"))?;
    Ok((lead.iter().product(), n))
}

struct LayerNorm;

pub const KERNELS: KernelTable = &[(Op::LayerNorm, &LayerNorm), (Op::LayerNormGrad, &LayerNormGrad)];

impl LibraryKernel for LayerNorm {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([x, gamma, beta], [y, mean, rstd]) = expect_ins("layerNorm", ins, outs)?;
        let dtype = same_float("layerNorm", &[x, gamma, beta, y, mean, rstd])?;
        let (rows, n) = rows_of("layerNorm", x, &[gamma, beta], &[mean, rstd])?;
        expect_out("layerNorm", y, dtype, x.dims())?;
        let epsilon = attrs.float("epsilon")?;
        fn plan<T: Real>(rows: usize, n: usize, epsilon: f64) -> Box<dyn Plan> {
            Box::new(NormPlan { rows, n, epsilon: T::of(epsilon), run: version::<Norm<T>>(Isa::current()) })
        }
        Ok(if dtype == DType::Float32 { plan::<f32>(rows, n, epsilon) } else { plan::<f64>(rows, n, epsilon) })
    }
}

struct NormPlan<T> {
    rows: usize,
    n: usize,
    epsilon: T,
    run: unsafe fn(NormRows<T>),
}

#[derive(Clone, Copy)]
struct NormRows<T> {
    x: *const T,
    gamma: *const T,
    beta: *const T,
    y: *mut T,
    mean: *mut T,
    rstd: *mut T,
    rows: usize,
    n: usize,
    epsilon: T,
}

impl<T: Real> Plan for NormPlan<T> {
    fn cost_ns(&self) -> f64 {
        50.0 + (self.rows * self.n) as f64 * 0.5
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], _scratch: *mut u8, pool: &Pool) {
        let [x, gamma, beta] = [0, 1, 2].map(|i| Shared(ins[i] as *mut T));
        let [y, mean, rstd] = [0, 1, 2].map(|i| Shared(outs[i] as *mut T));
        let group = (CHUNK / self.n.max(1)).clamp(1, self.rows.max(1));
        pool.for_chunks(self.rows.div_ceil(group), |chunk| {
            let first = chunk * group;
            // SAFETY: `check` has proven the shapes; chunks are different rows.
            unsafe {
                (self.run)(NormRows {
                    x: x.get().add(first * self.n),
                    gamma: gamma.get(),
                    beta: beta.get(),
                    y: y.get().add(first * self.n),
                    mean: mean.get().add(first),
                    rstd: rstd.get().add(first),
                    rows: group.min(self.rows - first),
                    n: self.n,
                    epsilon: self.epsilon,
                });
            }
        });
    }
}

struct Norm<T>(PhantomData<T>);

impl<T: Real> Kernel for Norm<T> {
    type Args = NormRows<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(a: NormRows<T>) {
        let count = T::of(a.n as f64);
        for row in 0..a.rows {
            // SAFETY: `rows` rows of n elements, and vectors of n.
            unsafe {
                let (x, y) = (a.x.add(row * a.n), a.y.add(row * a.n));
                let mean = sum(a.n, [x], |[x]| x) / count;
                let variance = sum(a.n, [x], |[x]| (x - mean) * (x - mean)) / count;
                let rstd = T::of(1.0) / (variance + a.epsilon).sqrt();
                map(a.n, [x, a.gamma, a.beta], y, |[x, gamma, beta]| (x - mean) * rstd * gamma + beta);
                a.mean.add(row).write(mean);
                a.rstd.add(row).write(rstd);
            }
        }
    }
}

struct LayerNormGrad;

impl LibraryKernel for LayerNormGrad {
    fn check(&self, ins: &[Shape], outs: &[Shape], _attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([g, x, gamma, mean, rstd], [dx, dgamma, dbeta]) = expect_ins("layerNormGrad", ins, outs)?;
        let dtype = same_float("layerNormGrad", &[g, x, gamma, mean, rstd, dx, dgamma, dbeta])?;
        let (rows, n) = rows_of("layerNormGrad", x, &[gamma, dgamma, dbeta], &[mean, rstd])?;
        expect(g.dims() == x.dims(), || format!("layerNormGrad: {g} and {x} differ"))?;
        expect_out("layerNormGrad", dx, dtype, x.dims())?;
        fn plan<T: Real>(rows: usize, n: usize) -> Box<dyn Plan> {
            let part = (CHUNK / n.max(1)).max(rows.div_ceil(PARTS)).max(1);
            Box::new(GradPlan::<T> { rows, n, part, run: version::<Grad<T>>(Isa::current()) })
        }
        Ok(if dtype == DType::Float32 { plan::<f32>(rows, n) } else { plan::<f64>(rows, n) })
    }
}

struct GradPlan<T> {
    rows: usize,
    n: usize,
    /// Rows whose sums are one part of the gradients of gamma and beta.
    part: usize,
    run: unsafe fn(GradRows<T>),
}

#[derive(Clone, Copy)]
struct GradRows<T> {
    g: *const T,
    x: *const T,
    gamma: *const T,
    mean: *const T,
    rstd: *const T,
    dx: *mut T,
    dgamma: *mut T,
    dbeta: *mut T,
    rows: usize,
    n: usize,
}

impl<T: Real> Plan for GradPlan<T> {
    fn scratch_bytes(&self) -> usize {
        self.rows.div_ceil(self.part).saturating_sub(1) * 2 * self.n * size_of::<T>()
    }

    fn cost_ns(&self) -> f64 {
        50.0 + (self.rows * self.n) as f64
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let [g, x, gamma, mean, rstd] = [0, 1, 2, 3, 4].map(|i| Shared(ins[i] as *mut T));
        let [dx, dgamma, dbeta] = [0, 1, 2].map(|i| Shared(outs[i] as *mut T));
        let (n, parts) = (self.n, self.rows.div_ceil(self.part));
        let partial = Shared(scratch as *mut T);
        // The first part is summed where the results go.
        let sums_of = |part: usize| match part {
            0 => (dgamma.get(), dbeta.get()),
            _ => (partial.get().wrapping_add((part - 1) * 2 * n), partial.get().wrapping_add((part - 1) * 2 * n + n)),
        };
        // SAFETY: `check` has proven the shapes; parts have rows and sums of their own.
        unsafe {
            if parts == 0 {
                return (0..n).for_each(|i| {
                    dgamma.get().add(i).write(T::ZERO);
                    dbeta.get().add(i).write(T::ZERO);
                });
            }
            pool.for_chunks(parts, |part| {
                let first = part * self.part;
                let (dgamma, dbeta) = sums_of(part);
                (self.run)(GradRows {
                    g: g.get().add(first * n),
                    x: x.get().add(first * n),
                    gamma: gamma.get(),
                    mean: mean.get().add(first),
                    rstd: rstd.get().add(first),
                    dx: dx.get().add(first * n),
                    dgamma,
                    dbeta,
                    rows: self.part.min(self.rows - first),
                    n,
                });
            });
            let mut step = 1;
            while step < parts {
                for to in (0..parts - step).step_by(2 * step) {
                    let ((a, b), (c, d)) = (sums_of(to), sums_of(to + step));
                    for i in 0..n {
                        a.add(i).write(a.add(i).read() + c.add(i).read());
                        b.add(i).write(b.add(i).read() + d.add(i).read());
                    }
                }
                step *= 2;
            }
        }
    }
}

struct Grad<T>(PhantomData<T>);

impl<T: Real> Kernel for Grad<T> {
    type Args = GradRows<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(a: GradRows<T>) {
        let count = T::of(a.n as f64);
        // SAFETY: `rows` rows of n elements, and vectors of n.
        unsafe {
            for i in 0..a.n {
                a.dgamma.add(i).write(T::ZERO);
                a.dbeta.add(i).write(T::ZERO);
            }
            for row in 0..a.rows {
                let (g, x, dx) = (a.g.add(row * a.n), a.x.add(row * a.n), a.dx.add(row * a.n));
                let (mean, rstd) = (a.mean.add(row).read(), a.rstd.add(row).read());
                let [scaled, product] = sums(a.n, [g, a.gamma, x], |[g, gamma, x]| {
                    let scaled = g * gamma;
                    [scaled, scaled * ((x - mean) * rstd)]
                });
                let (mean_scaled, mean_product) = (scaled / count, product / count);
                let ins = [g, x, a.gamma, a.dgamma.cast_const(), a.dbeta.cast_const()];
                map_many(a.n, ins, [dx, a.dgamma, a.dbeta], |[g, x, gamma, dgamma, dbeta]| {
                    let normal = (x - mean) * rstd;
                    [rstd * (g * gamma - (mean_scaled + normal * mean_product)), dgamma + g * normal, dbeta + g]
                });
            }
        }
    }
}
