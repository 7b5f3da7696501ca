//! attentionGrad: blocks as in attention; the weights of a block are computed again from the log-sum-exp of its
//! queries.

use super::attention::{KEYS, QUERIES, Sides, all_finite, plain, product, sized, transposed};
use super::real::{Real, exp_shifted, map, sum};
use super::same_float;
use crate::areas::{self, Areas};
use crate::check::{expect, expect_ins, expect_out};
use crate::gemm::{Product, serial_bytes};
use crate::isa::{Isa, Kernel, version};
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};
use std::marker::PhantomData;

struct AttentionGrad;

pub const KERNELS: KernelTable = &[(Op::AttentionGrad, &AttentionGrad)];

impl LibraryKernel for AttentionGrad {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([g, q, k, v, out, statistic], [dq, dk, dv]) = expect_ins("attentionGrad", ins, outs)?;
        let dtype = same_float("attentionGrad", &[g, q, k, v, out, statistic])?;
        let sides = Sides::new("attentionGrad", q, k, v, attrs)?;
        let lead = &q.dims()[..3];
        let result = [lead, &[sides.values]].concat();
        let fits = g.dims() == result && out.dims() == result && statistic.dims() == lead;
        expect(fits, || format!("attentionGrad: {g}, {out} and {statistic} do not belong to {q}"))?;
        for (got, of) in [(dq, q), (dk, k), (dv, v)] {
            expect_out("attentionGrad", got, dtype, of.dims())?;
        }
        fn plan<T: Real>(s: Sides) -> Box<dyn Plan> {
            let isa = Isa::current();
            Box::new(GradPlan::<T> {
                scores: product(QUERIES, KEYS, s.size, plain(s.size), transposed(s.size), KEYS, isa),
                of_weights: product(QUERIES, KEYS, s.values, plain(s.values), transposed(s.values), KEYS, isa),
                dq: product(QUERIES, s.size, KEYS, plain(KEYS), plain(s.size), s.size, isa),
                dk: product(KEYS, s.size, QUERIES, transposed(KEYS), plain(s.size), s.size, isa),
                dv: product(KEYS, s.values, QUERIES, transposed(KEYS), plain(s.values), s.values, isa),
                weigh: version::<Weigh<T>>(isa),
                sides: s,
            })
        }
        Ok(if dtype == DType::Float32 { plan::<f32>(sides) } else { plan::<f64>(sides) })
    }
}

struct GradPlan<T> {
    sides: Sides,
    scores: Product<T>,
    of_weights: Product<T>,
    dq: Product<T>,
    dk: Product<T>,
    dv: Product<T>,
    weigh: unsafe fn(Block<T>),
}

/// Scores become weights, cotangents of weights become cotangents of scores.
#[derive(Clone, Copy)]
struct Block<T> {
    scores: *mut T,
    cotangents: *mut T,
    g: *const T,
    out: *const T,
    statistic: *const T,
    rows: usize,
    columns: usize,
    values: usize,
    scale: T,
    seen: Option<isize>,
}

struct Weigh<T>(PhantomData<T>);

impl<T: Real> Kernel for Weigh<T> {
    type Args = Block<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(b: Block<T>) {
        for row in 0..b.rows {
            // SAFETY: rows of KEYS scores and cotangents, of `values` results.
            unsafe {
                let (scores, cotangents) = (b.scores.add(row * KEYS), b.cotangents.add(row * KEYS));
                let (g, out) = (b.g.add(row * b.values), b.out.add(row * b.values));
                let delta = sum(b.values, [g, out], |[g, out]| g * out);
                let log = b.statistic.add(row).read();
                let seen = b.seen.map_or(b.columns, |seen| (seen + row as isize).clamp(0, b.columns as isize) as usize);
                map(seen, [scores.cast_const()], scores, |[x]| x * b.scale);
                (seen..b.columns).for_each(|i| scores.add(i).write(T::LOWEST));
                exp_shifted::<FMA, T>(b.columns, scores, log, scores);
                map(b.columns, [scores.cast_const(), cotangents.cast_const()], cotangents, |[weight, g]| {
                    weight * (g - delta) * b.scale
                });
            }
        }
    }
}

impl<T: Real> GradPlan<T> {
    fn work_bytes(&self) -> usize {
        let all = [&self.scores, &self.of_weights, &self.dq, &self.dk, &self.dv];
        all.into_iter().map(|product| serial_bytes::<T>(&product.sizes)).max().unwrap_or(0)
    }

    fn area_bytes(&self) -> usize {
        (2 * QUERIES * KEYS * size_of::<T>()).next_multiple_of(64) + self.work_bytes()
    }

    unsafe fn head(&self, ins: [*const T; 6], outs: [*mut T; 3], memory: *mut u8) {
        let Sides { queries, keys, size, values, causal, .. } = self.sides;
        let ([g, q, k, v, out, statistic], [dq, dk, dv]) = (ins, outs);
        // SAFETY: by the caller.
        unsafe {
            (0..queries * size).for_each(|i| dq.add(i).write(T::ZERO));
            (0..keys * size).for_each(|i| dk.add(i).write(T::ZERO));
            (0..keys * values).for_each(|i| dv.add(i).write(T::ZERO));
            let scores = memory.add(self.work_bytes()) as *mut T;
            let cotangents = scores.add(QUERIES * KEYS);
            // A weight of zero is left out, unless it would meet an infinity.
            let skips = causal
                && all_finite(v, keys * values)
                && all_finite(k, keys * size)
                && all_finite(q, queries * size)
                && all_finite(g, queries * values)
                && all_finite(out, queries * values)
                && all_finite(statistic, queries);
            for left in (0..keys).step_by(KEYS) {
                let columns = KEYS.min(keys - left);
                for first in (0..queries).step_by(QUERIES) {
                    let rows = QUERIES.min(queries - first);
                    if skips && first + rows <= left {
                        continue;
                    }
                    let (q, g, out, k, v) = (
                        q.add(first * size),
                        g.add(first * values),
                        out.add(first * values),
                        k.add(left * size),
                        v.add(left * values),
                    );
                    sized(&self.scores, rows, columns, size).run_serial(q, k, scores, false, memory);
                    sized(&self.of_weights, rows, columns, values).run_serial(g, v, cotangents, false, memory);
                    (self.weigh)(Block {
                        scores,
                        cotangents,
                        g,
                        out,
                        statistic: statistic.add(first),
                        rows,
                        columns,
                        values,
                        scale: T::of(self.sides.scale),
                        seen: causal.then_some(first as isize + 1 - left as isize),
                    });
                    sized(&self.dq, rows, size, columns).run_serial(cotangents, k, dq.add(first * size), true, memory);
                    sized(&self.dk, columns, size, rows).run_serial(cotangents, q, dk.add(left * size), true, memory);
                    sized(&self.dv, columns, values, rows).run_serial(scores, g, dv.add(left * values), true, memory);
                }
            }
        }
    }
}

impl<T: Real> Plan for GradPlan<T> {
    fn scratch_bytes(&self) -> usize {
        self.area_bytes() * areas::wanted(self.sides.heads)
    }

    fn cost_ns(&self) -> f64 {
        1000.0 + 2.5 * self.sides.flops() / 30.0
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let Sides { heads, queries, keys, size, values, .. } = self.sides;
        let all = [0, 1, 2, 3, 4, 5].map(|i| Shared(ins[i] as *mut T));
        let results = [0, 1, 2].map(|i| Shared(outs[i] as *mut T));
        // SAFETY: `check` has proven the shapes; heads are apart.
        let areas = unsafe { Areas::new(scratch, self.area_bytes(), areas::wanted(heads)) };
        pool.for_chunks(heads, |head| {
            let lengths = [queries * values, queries * size, keys * size, keys * values, queries * values, queries];
            let lengths_out = [queries * size, keys * size, keys * values];
            areas.with(|memory| unsafe {
                let ins = [0, 1, 2, 3, 4, 5].map(|i| all[i].get().add(head * lengths[i]).cast_const());
                self.head(ins, [0, 1, 2].map(|i| results[i].get().add(head * lengths_out[i])), memory);
            });
        });
    }
}
