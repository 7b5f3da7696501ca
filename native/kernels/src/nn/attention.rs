//! attention: blocks of queries against blocks of keys with a running softmax (Milakov and Gimelshein, "Online
//! normalizer calculation for softmax", 2018), so the weights of all pairs are never held.
//!
//! Scores lie transposed, a row for each key and a lane for each query. Then a lane's greatest score and sum are found
//! without going across vectors, and both products read keys and values where they lie: K · Qᵀ with a packed Qᵀ, which
//! one block of queries uses again and again, and weights · V, which reads its left side by columns.

use super::blocks::{Carve, Extent, Magnitude, QUERIES, Sides, pack_rows, rows_of, sized, visible};
use super::real::{LANES, Lanes, Real, exp, lanes, load, map, round_of_vectors, store};
use super::same_float;
use crate::areas::{self, Areas};
use crate::check::{expect_ins, expect_out};
use crate::gemm::{Product, serial_bytes};
use crate::isa::{Isa, Kernel, version};
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};
use std::marker::PhantomData;

/// Operations that one job should have.
const JOB_FLOPS: f64 = 2e6;

struct Attention;

pub const KERNELS: KernelTable = &[(Op::Attention, &Attention)];

impl LibraryKernel for Attention {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([q, k, v], [out, statistic]) = expect_ins("attention", ins, outs)?;
        let dtype = same_float("attention", &[q, k, v])?;
        let sides = Sides::new("attention", q, k, v, attrs)?;
        let lead = &q.dims()[..3];
        expect_out("attention", out, dtype, &[lead, &[sides.values]].concat())?;
        expect_out("attention", statistic, dtype, lead)?;
        fn plan<T: Real>(sides: Sides) -> Box<dyn Plan> {
            let isa = Isa::current();
            Box::new(AttentionPlan::<T> {
                scores: sides.scores(sides.size, isa),
                result: sides.weighted(sides.values, isa),
                running: version::<Running<T>>(isa),
                exact: version::<Exact<T>>(isa),
                magnitude: version::<Magnitude<T>>(isa),
                rescale: version::<Scale<T>>(isa),
                sides,
            })
        }
        Ok(if dtype == DType::Float32 { plan::<f32>(sides) } else { plan::<f64>(sides) })
    }
}

struct AttentionPlan<T> {
    sides: Sides,
    scores: Product<T>,
    result: Product<T>,
    running: unsafe fn(Block<T>),
    exact: unsafe fn(Block<T>),
    magnitude: unsafe fn(Extent<T>),
    rescale: unsafe fn(Scaling<T>),
}

/// Scores of a block of keys, [columns, QUERIES], and a number for each query.
#[derive(Clone, Copy)]
struct Block<T> {
    scores: *mut T,
    most: *mut T,
    total: *mut T,
    /// By how much less the earlier results weigh now.
    kept: *mut T,
    columns: usize,
    scale: T,
    seen: Option<isize>,
    first: bool,
}

impl<T: Real> Block<T> {
    #[inline(always)]
    unsafe fn scaled(&self, key: usize, group: usize) -> Lanes<T> {
        // SAFETY: by the caller.
        let x = unsafe { load(self.scores.add(key * QUERIES + group).cast_const()) };
        visible(lanes([x], |[x]| x * self.scale), key, group, self.seen)
    }
}

/// Scores become weights; most and total go on.
struct Running<T>(PhantomData<T>);

impl<T: Real> Kernel for Running<T> {
    type Args = Block<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(b: Block<T>) {
        for group in (0..QUERIES).step_by(LANES) {
            // SAFETY: `columns` rows of QUERIES scores, three numbers a query.
            unsafe {
                let (most_at, total_at, kept_at) = (b.most.add(group), b.total.add(group), b.kept.add(group));
                let before = if b.first { [T::LOWEST; LANES] } else { load(most_at.cast_const()) };
                // Four at a time: a comparison waits for the one before.
                let mut most = [before; 4];
                for key in (0..b.columns).step_by(4) {
                    round_of_vectors();
                    for (i, most) in most.iter_mut().enumerate() {
                        if key + i < b.columns {
                            let x = b.scaled(key + i, group);
                            store(b.scores.add((key + i) * QUERIES + group), x);
                            *most = lanes([*most, x], |[x, y]| x.greater(y));
                        }
                    }
                }
                let most = lanes(most, |[x, y, z, w]| x.greater(y).greater(z.greater(w)));
                store(most_at, most);
                // Nothing but -∞ so far: no weight yet.
                let shift = lanes([most], |[most]| if most == T::LOWEST { T::ZERO } else { most });
                let mut total = [T::ZERO; LANES];
                for key in 0..b.columns {
                    round_of_vectors();
                    let at = b.scores.add(key * QUERIES + group);
                    let e = exp::<FMA, T>(lanes([load(at.cast_const()), shift], |[x, shift]| x - shift));
                    store(at, e);
                    total = lanes([total, e], |[sum, e]| sum + e);
                }
                // Whole vectors until here.
                let total = std::hint::black_box(total);
                if b.first {
                    store(total_at, total);
                    continue;
                }
                let kept = exp::<FMA, T>(lanes([before, shift], |[before, shift]| before - shift));
                store(kept_at, kept);
                let so_far = load(total_at.cast_const());
                store(total_at, lanes([so_far, kept, total], |[sum, kept, total]| sum * kept + total));
            }
        }
    }
}

/// Scores become the very weights of the decomposition, given the greatest score and the sum of each query.
struct Exact<T>(PhantomData<T>);

impl<T: Real> Kernel for Exact<T> {
    type Args = Block<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(b: Block<T>) {
        for group in (0..QUERIES).step_by(LANES) {
            // SAFETY: as above.
            unsafe {
                let (most, total) = (load(b.most.add(group).cast_const()), load(b.total.add(group).cast_const()));
                for key in 0..b.columns {
                    round_of_vectors();
                    let x = b.scaled(key, group);
                    let e = exp::<FMA, T>(lanes([x, most], |[x, most]| x - most));
                    store(b.scores.add(key * QUERIES + group), lanes([e, total], |[e, total]| e / total));
                }
            }
        }
    }
}

/// Rows times a number each.
#[derive(Clone, Copy)]
struct Scaling<T> {
    x: *mut T,
    by: *const T,
    rows: usize,
    n: usize,
}

struct Scale<T>(PhantomData<T>);

impl<T: Real> Kernel for Scale<T> {
    type Args = Scaling<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(s: Scaling<T>) {
        for row in 0..s.rows {
            // SAFETY: `rows` rows of n elements.
            unsafe {
                let (x, by) = (s.x.add(row * s.n), s.by.add(row).read());
                map(s.n, [x.cast_const()], x, |[x]| x * by);
            }
        }
    }
}

/// The working memory of one thread.
struct Memory<T> {
    work: *mut u8,
    packed: *mut T,
    whole: *mut T,
    scores: *mut T,
    most: *mut T,
    total: *mut T,
    kept: *mut T,
}

/// One block of queries of one head: its queries, and keys and values of the head.
#[derive(Clone, Copy)]
struct Queries<T> {
    q: *const T,
    k: *const T,
    v: *const T,
    out: *mut T,
    statistic: *mut T,
    first: usize,
    rows: usize,
}

impl<T: Real> AttentionPlan<T> {
    fn work_bytes(&self) -> usize {
        self.scores.rows_bytes().max(serial_bytes::<T>(&self.result.sizes))
    }

    fn scores_len(&self) -> usize {
        self.sides.block_keys() * QUERIES
    }

    fn area_bytes(&self) -> usize {
        let lengths =
            [self.scores.packed_len(), QUERIES * self.sides.size, self.scores_len(), QUERIES, QUERIES, QUERIES];
        self.work_bytes() + lengths.into_iter().map(Carve::bytes::<T>).sum::<usize>()
    }

    fn memory(&self, area: *mut u8) -> Memory<T> {
        let mut carve = Carve(area);
        Memory {
            work: carve.take(self.work_bytes()),
            packed: carve.take(self.scores.packed_len()),
            whole: carve.take(QUERIES * self.sides.size),
            scores: carve.take(self.scores_len()),
            most: carve.take(QUERIES),
            total: carve.take(QUERIES),
            kept: carve.take(QUERIES),
        }
    }

    /// The blocks of queries of one job.
    fn group(&self) -> usize {
        let block = self.sides.flops() / (self.sides.heads * self.sides.blocks()).max(1) as f64;
        ((JOB_FLOPS / block.max(1.0)) as usize).clamp(1, self.sides.blocks().max(1))
    }

    fn jobs(&self) -> usize {
        self.sides.heads * self.sides.blocks().div_ceil(self.group())
    }

    unsafe fn all_finite(&self, x: *const T, n: usize) -> bool {
        let mut result = T::ZERO;
        // SAFETY: by the caller.
        unsafe { (self.magnitude)(Extent { x, n, result: &raw mut result }) };
        result.is_finite()
    }

    unsafe fn block(&self, b: &Queries<T>, m: &Memory<T>) {
        let Sides { keys, values, causal, .. } = self.sides;
        let Queries { out, rows, .. } = *b;
        // SAFETY: by the caller; blocks have their own rows of the results.
        unsafe {
            // The sum of no weights is 0.
            if keys == 0 {
                (0..rows).for_each(|row| b.statistic.add(row).write(T::LOWEST));
                return out.write_bytes(0, rows * values);
            }
            pack_rows(&self.scores, b.q, rows, m.packed, m.whole);
            // Keys that no query of the block sees have no weight, and are left out.
            let end = if causal { keys.min(b.first + rows) } else { keys };
            for left in (0..end).step_by(self.sides.block_keys()) {
                let block = self.scores_of(b, m, left, end);
                (self.running)(block);
                if left > 0 {
                    (self.rescale)(Scaling { x: out, by: m.kept, rows, n: values });
                }
                self.weigh(b, m, &block, left);
            }
            for row in 0..rows {
                let (most, total) = (m.most.add(row).read(), m.total.add(row));
                // A row of -∞ has no weights.
                total.write(if most == T::LOWEST { T::NAN } else { total.read() });
                b.statistic.add(row).write(most + total.read().ln::<false>());
                // A sum is 1 or more.
                m.kept.add(row).write(T::of(1.0) / total.read());
            }
            (self.rescale)(Scaling { x: out, by: m.kept, rows, n: values });
            // An infinity that a weight of zero meets, or a sum that overflows before it is divided.
            if !self.all_finite(out, rows * values) || !self.all_finite(b.v.add(end * values), (keys - end) * values) {
                for left in (0..keys).step_by(self.sides.block_keys()) {
                    let block = self.scores_of(b, m, left, keys);
                    (self.exact)(block);
                    self.weigh(b, m, &block, left);
                }
            }
        }
    }

    /// The scores of the block of keys from `left` on.
    unsafe fn scores_of(&self, b: &Queries<T>, m: &Memory<T>, left: usize, end: usize) -> Block<T> {
        let columns = self.sides.block_keys().min(end - left);
        let k = b.k.wrapping_add(left * self.sides.size);
        // SAFETY: by the caller.
        unsafe { rows_of(&self.scores, k, m.packed, m.scores, columns, m.work) };
        Block {
            scores: m.scores,
            most: m.most,
            total: m.total,
            kept: m.kept,
            columns,
            scale: T::of(self.sides.scale),
            seen: self.sides.causal.then_some(b.first as isize + 1 - left as isize),
            first: left == 0,
        }
    }

    /// Adds the block's values.
    unsafe fn weigh(&self, b: &Queries<T>, m: &Memory<T>, block: &Block<T>, left: usize) {
        let values = self.sides.values;
        let product = sized(&self.result, b.rows, values, block.columns);
        // SAFETY: by the caller.
        unsafe { product.run_serial(m.scores, b.v.add(left * values), b.out, left > 0, m.work) }
    }
}

impl<T: Real> Plan for AttentionPlan<T> {
    fn scratch_bytes(&self) -> usize {
        self.area_bytes() * areas::wanted(self.jobs())
    }

    fn cost_ns(&self) -> f64 {
        1000.0 + self.sides.flops() / 50.0
    }

    fn flops(&self) -> f64 {
        self.sides.flops()
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let Sides { queries, keys, size, values, .. } = self.sides;
        let [q, k, v] = [0, 1, 2].map(|i| Shared(ins[i] as *mut T));
        let [out, statistic] = [0, 1].map(|i| Shared(outs[i] as *mut T));
        let (jobs, group) = (self.jobs(), self.group());
        if jobs == 0 {
            return;
        }
        let groups = jobs / self.sides.heads;
        // SAFETY: `check` has proven the shapes.
        let areas = unsafe { Areas::new(scratch, self.area_bytes(), areas::wanted(jobs)) };
        pool.for_chunks(jobs, |job| {
            // The last queries see the most keys: they go first, so that no thread ends late.
            let (head, part) = (job / groups, groups - 1 - job % groups);
            // SAFETY: as above.
            areas.with(|area| unsafe {
                let memory = self.memory(area);
                for block in part * group..((part + 1) * group).min(self.sides.blocks()) {
                    let first = block * QUERIES;
                    let row = head * queries + first;
                    let block = Queries {
                        q: q.get().add(row * size),
                        k: k.get().add(head * keys * size),
                        v: v.get().add(head * keys * values),
                        out: out.get().add(row * values),
                        statistic: statistic.get().add(row),
                        first,
                        rows: QUERIES.min(queries - first),
                    };
                    self.block(&block, &memory);
                }
            });
        });
    }
}
