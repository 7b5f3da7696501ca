//! attentionGrad: blocks as in attention; the weights of a block are computed again from the log-sum-exp of its
//! queries. Where heads are few, keys are cut into chunks, each of which has a gradient of the queries of its own; they
//! are added in order.

use super::blocks::{Carve, Extent, Magnitude, QUERIES, Sides, pack_rows, plain, product, rows_of, sized, visible};
use super::real::{LANES, Real, exp, lanes, load, map, round_of_vectors, store, sum};
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

/// Jobs that are enough for every machine.
const JOBS: usize = 16;
/// Elements of one chunk of a sum.
const PIECE: usize = 16 * 1024;

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
            let block = s.block_keys();
            let of_keys = |size: usize| product::<T>(block, size, QUERIES, plain(QUERIES), plain(size), size, isa);
            let chunks = JOBS.div_ceil(s.heads.max(1)).min(s.keys.div_ceil(block)).max(1);
            Box::new(GradPlan::<T> {
                scores: s.scores(s.size, isa),
                of_weights: s.scores(s.values, isa),
                dq: s.weighted(s.size, isa),
                dk: of_keys(s.size),
                dv: of_keys(s.values),
                weigh: version::<Weigh<T>>(isa),
                deltas: version::<Deltas<T>>(isa),
                magnitude: version::<Magnitude<T>>(isa),
                add: version::<Add<T>>(isa),
                chunk: s.keys.div_ceil(chunks).next_multiple_of(block).max(block),
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
    deltas: unsafe fn(Dots<T>),
    magnitude: unsafe fn(Extent<T>),
    add: unsafe fn(Sum<T>),
    /// Keys of one job: whole blocks.
    chunk: usize,
}

/// Scores become weights, cotangents of weights become cotangents of scores.
#[derive(Clone, Copy)]
struct Block<T> {
    scores: *mut T,
    cotangents: *mut T,
    deltas: *const T,
    logs: *const T,
    columns: usize,
    scale: T,
    seen: Option<isize>,
}

struct Weigh<T>(PhantomData<T>);

impl<T: Real> Kernel for Weigh<T> {
    type Args = Block<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(b: Block<T>) {
        for group in (0..QUERIES).step_by(LANES) {
            // SAFETY: `columns` rows of QUERIES scores and cotangents, two numbers a query.
            unsafe {
                let (log, delta) = (load(b.logs.add(group)), load(b.deltas.add(group)));
                for key in 0..b.columns {
                    round_of_vectors();
                    let at = key * QUERIES + group;
                    let x = lanes([load(b.scores.add(at).cast_const())], |[x]| x * b.scale);
                    let x = visible(x, key, group, b.seen);
                    let weight = exp::<FMA, T>(lanes([x, log], |[x, log]| x - log));
                    store(b.scores.add(at), weight);
                    let of_weight = load(b.cotangents.add(at).cast_const());
                    let of_score =
                        lanes([weight, of_weight, delta], |[weight, g, delta]| weight * (g - delta) * b.scale);
                    store(b.cotangents.add(at), of_score);
                }
            }
        }
    }
}

/// The sums of g · out of each query.
#[derive(Clone, Copy)]
struct Dots<T> {
    g: *const T,
    out: *const T,
    deltas: *mut T,
    rows: usize,
    n: usize,
}

struct Deltas<T>(PhantomData<T>);

impl<T: Real> Kernel for Deltas<T> {
    type Args = Dots<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(d: Dots<T>) {
        for row in 0..d.rows {
            // SAFETY: `rows` rows of n elements.
            unsafe {
                let (g, out) = (d.g.add(row * d.n), d.out.add(row * d.n));
                d.deltas.add(row).write(sum(d.n, [g, out], |[g, out]| g * out));
            }
        }
    }
}

/// to += x
#[derive(Clone, Copy)]
struct Sum<T> {
    to: *mut T,
    x: *const T,
    n: usize,
}

struct Add<T>(PhantomData<T>);

impl<T: Real> Kernel for Add<T> {
    type Args = Sum<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(s: Sum<T>) {
        // SAFETY: n elements each.
        unsafe { map(s.n, [s.to.cast_const(), s.x], s.to, |[to, x]| to + x) }
    }
}

/// The working memory of one thread.
struct Memory<T> {
    work: *mut u8,
    packed_q: *mut T,
    packed_g: *mut T,
    whole: *mut T,
    scores: *mut T,
    cotangents: *mut T,
    deltas: *mut T,
    logs: *mut T,
}

impl<T: Real> GradPlan<T> {
    fn work_bytes(&self) -> usize {
        let serial = [&self.dq, &self.dk, &self.dv].into_iter().map(|product| serial_bytes::<T>(&product.sizes));
        serial.chain([self.scores.rows_bytes(), self.of_weights.rows_bytes()]).max().unwrap_or(0)
    }

    fn memory(&self, area: *mut u8) -> Memory<T> {
        let block = self.sides.block_keys() * QUERIES;
        let mut carve = Carve(area);
        Memory {
            work: carve.take(self.work_bytes()),
            packed_q: carve.take(self.scores.packed_len()),
            packed_g: carve.take(self.of_weights.packed_len()),
            whole: carve.take(QUERIES * self.sides.size.max(self.sides.values)),
            scores: carve.take(block),
            cotangents: carve.take(block),
            deltas: carve.take(QUERIES),
            logs: carve.take(QUERIES),
        }
    }

    fn area_bytes(&self) -> usize {
        let (block, widest) = (self.sides.block_keys() * QUERIES, self.sides.size.max(self.sides.values));
        let packed = [self.scores.packed_len(), self.of_weights.packed_len()];
        let rest = [QUERIES * widest, block, block, QUERIES, QUERIES];
        self.work_bytes() + packed.into_iter().chain(rest).map(Carve::bytes::<T>).sum::<usize>()
    }

    fn chunks(&self) -> usize {
        self.sides.keys.div_ceil(self.chunk).max(1)
    }

    /// Elements of the gradients of all queries.
    fn queries_len(&self) -> usize {
        self.sides.heads * self.sides.queries * self.sides.size
    }

    unsafe fn magnitude(&self, x: *const T, n: usize) -> T {
        let mut result = T::ZERO;
        // SAFETY: by the caller.
        unsafe { (self.magnitude)(Extent { x, n, result: &raw mut result }) };
        result
    }

    /// Whether a weight of zero makes nothing but zeros, and may be left out: then no operand is infinite, and no product
    /// with a cotangent can be.
    unsafe fn may_skip(&self, [g, q, k, v, out, statistic]: [*const T; 6]) -> bool {
        let Sides { queries, keys, size, values, .. } = self.sides;
        // SAFETY: by the caller.
        unsafe {
            let g = self.magnitude(g, queries * values);
            let most = self.magnitude(v, keys * values).greater(self.magnitude(out, queries * values));
            let rest = [(q, queries * size), (k, keys * size), (statistic, queries)];
            (g * most * T::of(4.0 * values as f64)).is_finite()
                && rest.into_iter().all(|(x, n)| self.magnitude(x, n).is_finite())
        }
    }

    /// What one head's keys from `start` to `end` give; `dq` is theirs alone.
    unsafe fn part(&self, ins: [*const T; 6], outs: [*mut T; 3], [start, end]: [usize; 2], m: &Memory<T>) {
        let Sides { queries, size, values, causal, .. } = self.sides;
        let ([g, q, k, v, out, statistic], [dq, dk, dv]) = (ins, outs);
        // SAFETY: by the caller.
        unsafe {
            dq.write_bytes(0, queries * size);
            dk.add(start * size).write_bytes(0, (end - start) * size);
            dv.add(start * values).write_bytes(0, (end - start) * values);
            let skips = causal && self.may_skip(ins);
            for first in (0..queries).step_by(QUERIES) {
                let rows = QUERIES.min(queries - first);
                let end = if skips { end.min(first + rows) } else { end };
                if end <= start {
                    continue;
                }
                let (q, g, out) = (q.add(first * size), g.add(first * values), out.add(first * values));
                pack_rows(&self.scores, q, rows, m.packed_q, m.whole);
                pack_rows(&self.of_weights, g, rows, m.packed_g, m.whole);
                (self.deltas)(Dots { g, out, deltas: m.deltas, rows, n: values });
                m.logs.copy_from_nonoverlapping(statistic.add(first), rows);
                for row in rows..QUERIES {
                    m.deltas.add(row).write(T::ZERO);
                    m.logs.add(row).write(T::ZERO);
                }
                for left in (start..end).step_by(self.sides.block_keys()) {
                    let columns = self.sides.block_keys().min(end - left);
                    let (k, v) = (k.add(left * size), v.add(left * values));
                    rows_of(&self.scores, k, m.packed_q, m.scores, columns, m.work);
                    rows_of(&self.of_weights, v, m.packed_g, m.cotangents, columns, m.work);
                    (self.weigh)(Block {
                        scores: m.scores,
                        cotangents: m.cotangents,
                        deltas: m.deltas,
                        logs: m.logs,
                        columns,
                        scale: T::of(self.sides.scale),
                        seen: causal.then_some(first as isize + 1 - left as isize),
                    });
                    let (dq, dk, dv) = (dq.add(first * size), dk.add(left * size), dv.add(left * values));
                    sized(&self.dq, rows, size, columns).run_serial(m.cotangents, k, dq, true, m.work);
                    sized(&self.dk, columns, size, rows).run_serial(m.cotangents, q, dk, true, m.work);
                    sized(&self.dv, columns, values, rows).run_serial(m.scores, g, dv, true, m.work);
                }
            }
        }
    }
}

impl<T: Real> Plan for GradPlan<T> {
    fn scratch_bytes(&self) -> usize {
        let partial = Carve::bytes::<T>((self.chunks() - 1) * self.queries_len());
        partial + self.area_bytes() * areas::wanted(self.sides.heads * self.chunks())
    }

    fn cost_ns(&self) -> f64 {
        1000.0 + self.flops() / 50.0
    }

    fn flops(&self) -> f64 {
        2.5 * self.sides.flops()
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let Sides { heads, queries, keys, size, values, .. } = self.sides;
        let all = [0, 1, 2, 3, 4, 5].map(|i| Shared(ins[i] as *mut T));
        let results = [0, 1, 2].map(|i| Shared(outs[i] as *mut T));
        let (chunks, len) = (self.chunks(), self.queries_len());
        let mut carve = Carve(scratch);
        let partial = Shared(carve.take::<T>((chunks - 1) * len));
        // The first chunk's gradient of the queries goes where the result is.
        let dq_of = |chunk: usize| match chunk {
            0 => results[0].get(),
            _ => partial.get().wrapping_add((chunk - 1) * len),
        };
        // SAFETY: `check` has proven the shapes; heads and chunks are apart.
        unsafe {
            let areas = Areas::new(carve.0, self.area_bytes(), areas::wanted(heads * chunks));
            // The first keys are seen by the most queries: they go first.
            pool.for_chunks(heads * chunks, |job| {
                let (head, chunk) = (job % heads, job / heads);
                let lengths = [queries * values, queries * size, keys * size, keys * values, queries * values, queries];
                let range = [(chunk * self.chunk).min(keys), ((chunk + 1) * self.chunk).min(keys)];
                areas.with(|area| {
                    let ins = [0, 1, 2, 3, 4, 5].map(|i| all[i].get().add(head * lengths[i]).cast_const());
                    let dq = dq_of(chunk).add(head * queries * size);
                    let (dk, dv) =
                        (results[1].get().add(head * keys * size), results[2].get().add(head * keys * values));
                    self.part(ins, [dq, dk, dv], range, &self.memory(area));
                });
            });
            if chunks == 1 {
                return;
            }
            pool.for_chunks(len.div_ceil(PIECE), |piece| {
                let at = piece * PIECE;
                for chunk in 1..chunks {
                    let (to, x) = (dq_of(0).add(at), dq_of(chunk).add(at).cast_const());
                    (self.add)(Sum { to, x, n: PIECE.min(len - at) });
                }
            });
        }
    }
}
