//! attention: blocks of queries against blocks of keys with a running softmax (Milakov and Gimelshein, "Online
//! normalizer calculation for softmax", 2018), so the weights of all pairs are never held.

use super::real::{Real, exp_shifted, greatest, map, sum};
use super::same_float;
use crate::areas::{self, Areas};
use crate::check::{expect, expect_ins, expect_out};
use crate::gemm::{Product, Sizes, Strides, serial_bytes};
use crate::isa::{Isa, Kernel, version};
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};
use std::marker::PhantomData;

/// Queries and keys of one block.
pub const QUERIES: usize = 60;
pub const KEYS: usize = 192;

/// [heads of all batches, queries, keys, size of queries and keys, size of values]
#[derive(Clone, Copy)]
pub struct Sides {
    pub heads: usize,
    pub queries: usize,
    pub keys: usize,
    pub size: usize,
    pub values: usize,
    pub scale: f64,
    pub causal: bool,
}

impl Sides {
    pub fn new(op: &str, q: &Shape, k: &Shape, v: &Shape, attrs: &BoundAttrs) -> Result<Sides, Error> {
        let (&[b, h, queries, size], &[kb, kh, keys, ksize], &[vb, vh, vkeys, values]) = (q.dims(), k.dims(), v.dims())
        else {
            return Err(Error::shape(format!("{op}: {q}, {k} and {v} need rank 4")));
        };
        let fits = [kb, kh, ksize] == [b, h, size] && [vb, vh, vkeys] == [b, h, keys];
        expect(fits, || format!("{op}: {q}, {k} and {v} do not fit"))?;
        Ok(Sides {
            heads: b * h,
            queries,
            keys,
            size,
            values,
            scale: attrs.float("scale")?,
            causal: attrs.bool("causal")?,
        })
    }

    pub fn flops(&self) -> f64 {
        let pairs = (self.heads * self.queries * self.keys) as f64 * if self.causal { 0.5 } else { 1.0 };
        2.0 * pairs * (self.size + self.values) as f64
    }
}

/// A product of blocks: c[m, n] = a[m, k] · b[k, n], the strides being those of the whole operands.
pub fn product<T: Real>(m: usize, n: usize, k: usize, a: Strides, b: Strides, c_row: usize, isa: Isa) -> Product<T> {
    Product::new(Sizes { m, n, k, a, b, c_row }, isa)
}

/// The same product on a block at the end.
pub fn sized<T: Copy>(product: &Product<T>, m: usize, n: usize, k: usize) -> Product<T> {
    let mut product = *product;
    (product.sizes.m, product.sizes.n, product.sizes.k) = (m, n, k);
    product
}

pub fn plain(row: usize) -> Strides {
    Strides { row: row as isize, column: 1 }
}

pub fn transposed(row: usize) -> Strides {
    Strides { row: 1, column: row as isize }
}

/// Whether a weight of zero may be left out.
///
/// # Safety
/// `x` has n elements.
pub unsafe fn all_finite<T: Real>(x: *const T, n: usize) -> bool {
    // SAFETY: by the caller.
    (0..n).fold(true, |finite, i| finite & unsafe { x.add(i).read() }.is_finite())
}

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
                scores: product(QUERIES, KEYS, sides.size, plain(sides.size), transposed(sides.size), KEYS, isa),
                result: product(QUERIES, sides.values, KEYS, plain(KEYS), plain(sides.values), sides.values, isa),
                softmax: version::<Running<T>>(isa),
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
    softmax: unsafe fn(Block<T>),
}

/// Scores of a block become weights; what was summed before is scaled to the new maximum.
#[derive(Clone, Copy)]
struct Block<T> {
    scores: *mut T,
    most: *mut T,
    total: *mut T,
    out: *mut T,
    rows: usize,
    columns: usize,
    values: usize,
    scale: T,
    /// Where queries see earlier keys only: columns that row 0 sees (none if negative); each next row sees one more.
    seen: Option<isize>,
    first: bool,
}

struct Running<T>(PhantomData<T>);

impl<T: Real> Kernel for Running<T> {
    type Args = Block<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(b: Block<T>) {
        for row in 0..b.rows {
            // SAFETY: rows of KEYS scores, `values` results, one maximum and one sum.
            unsafe {
                let scores = b.scores.add(row * KEYS);
                let seen = b.seen.map_or(b.columns, |seen| (seen + row as isize).clamp(0, b.columns as isize) as usize);
                map(seen, [scores.cast_const()], scores, |[x]| x * b.scale);
                (seen..b.columns).for_each(|i| scores.add(i).write(T::LOWEST));
                let before = if b.first { T::LOWEST } else { b.most.add(row).read() };
                let most = before.greater(greatest(b.columns, scores));
                b.most.add(row).write(most);
                // Nothing but -∞ so far: no weight yet.
                let shift = if most == T::LOWEST { T::ZERO } else { most };
                exp_shifted::<FMA, T>(b.columns, scores, shift, scores);
                let added = sum(b.columns, [scores.cast_const()], |[e]| e);
                if b.first {
                    b.total.add(row).write(added);
                    continue;
                }
                let kept = (before - shift).exp::<FMA>();
                b.total.add(row).write(b.total.add(row).read() * kept + added);
                let out = b.out.add(row * b.values);
                map(b.values, [out.cast_const()], out, |[x]| x * kept);
            }
        }
    }
}

impl<T: Real> AttentionPlan<T> {
    fn blocks(&self) -> usize {
        self.sides.queries.div_ceil(QUERIES)
    }

    fn work_bytes(&self) -> usize {
        serial_bytes::<T>(&self.scores.sizes).max(serial_bytes::<T>(&self.result.sizes))
    }

    fn area_bytes(&self) -> usize {
        ((QUERIES * KEYS + 2 * QUERIES) * size_of::<T>()).next_multiple_of(64) + self.work_bytes()
    }

    /// One block of queries of one head.
    unsafe fn block(&self, [q, k, v]: [*const T; 3], [out, statistic]: [*mut T; 2], block: usize, memory: *mut u8) {
        let Sides { queries, keys, size, values, causal, .. } = self.sides;
        let first = block * QUERIES;
        let rows = QUERIES.min(queries - first);
        // SAFETY: by the caller; blocks have their own rows of the results.
        unsafe {
            let work = memory;
            let scores = memory.add(self.work_bytes()) as *mut T;
            let (most, total) = (scores.add(QUERIES * KEYS), scores.add(QUERIES * KEYS + QUERIES));
            let (q, out, statistic) = (q.add(first * size), out.add(first * values), statistic.add(first));
            // A weight of zero is left out, unless it would meet an infinity.
            let end = if causal && all_finite(v, keys * values) { keys.min(first + rows) } else { keys };
            for left in (0..end).step_by(KEYS) {
                let columns = KEYS.min(end - left);
                sized(&self.scores, rows, columns, size).run_serial(q, k.add(left * size), scores, false, work);
                (self.softmax)(Block {
                    scores,
                    most,
                    total,
                    out,
                    rows,
                    columns,
                    values,
                    scale: T::of(self.sides.scale),
                    seen: causal.then_some(first as isize + 1 - left as isize),
                    first: left == 0,
                });
                sized(&self.result, rows, values, columns).run_serial(
                    scores,
                    v.add(left * values),
                    out,
                    left > 0,
                    work,
                );
            }
            for row in 0..rows {
                let (sum, top) =
                    if end == 0 { (T::ZERO, T::LOWEST) } else { (total.add(row).read(), most.add(row).read()) };
                // A row of -∞ has no weights; without keys there is nothing to weigh.
                let sum = if top == T::LOWEST && keys > 0 { T::NAN } else { sum };
                for j in 0..values {
                    let to = out.add(row * values + j);
                    to.write(if keys == 0 { T::ZERO } else { to.read() / sum });
                }
                statistic.add(row).write(top + sum.ln::<false>());
            }
        }
    }
}

impl<T: Real> Plan for AttentionPlan<T> {
    fn scratch_bytes(&self) -> usize {
        self.area_bytes() * areas::wanted(self.sides.heads * self.blocks())
    }

    fn cost_ns(&self) -> f64 {
        1000.0 + self.sides.flops() / 30.0
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let Sides { heads, queries, keys, size, values, .. } = self.sides;
        let [q, k, v] = [0, 1, 2].map(|i| Shared(ins[i] as *mut T));
        let [out, statistic] = [0, 1].map(|i| Shared(outs[i] as *mut T));
        let jobs = heads * self.blocks();
        // SAFETY: `check` has proven the shapes.
        let areas = unsafe { Areas::new(scratch, self.area_bytes(), areas::wanted(jobs)) };
        pool.for_chunks(jobs, |job| {
            let (head, block) = (job / self.blocks(), job % self.blocks());
            // SAFETY: as above.
            areas.with(|memory| unsafe {
                let (q, k) = (q.get().add(head * queries * size), k.get().add(head * keys * size));
                let v = v.get().add(head * keys * values);
                let (out, statistic) = (out.get().add(head * queries * values), statistic.get().add(head * queries));
                self.block([q, k, v], [out, statistic], block, memory);
            });
        });
    }
}
