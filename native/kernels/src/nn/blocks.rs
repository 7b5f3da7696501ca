//! What attention and its gradient share: their sizes, the products of a block (the LSTM's too), masks, working memory.

use super::real::{LANES, Lanes, Real, greatest_magnitude, lanes, load};
use crate::Error;
use crate::check::expect;
use crate::gemm::{Product, Sizes, Strides};
use crate::isa::{Isa, Kernel};
use millrace_program::{BoundAttrs, Shape};
use std::marker::PhantomData;

/// Queries of one block.
pub const QUERIES: usize = 32;
/// Keys of one block at most.
const KEYS: usize = 252;
/// Elements of a block of keys or values: a product reads so many where they lie.
const BLOCK: usize = 8 * 1024;
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

    /// Blocks of queries of one head.
    pub fn blocks(&self) -> usize {
        self.queries.div_ceil(QUERIES)
    }

    /// Keys of one block.
    pub fn block_keys(&self) -> usize {
        (BLOCK / self.size.max(self.values).max(1) / 14 * 14).clamp(42, KEYS)
    }

    /// The products K · Qᵀ of a block, for rows of keys that have `size` elements.
    pub fn scores<T: Real>(&self, size: usize, isa: Isa) -> Product<T> {
        product(self.block_keys(), QUERIES, size, plain(size), transposed(size), QUERIES, isa)
    }

    /// The product of a block's weights and rows of `size` elements, one for each key.
    pub fn weighted<T: Real>(&self, size: usize, isa: Isa) -> Product<T> {
        product(QUERIES, size, self.block_keys(), transposed(QUERIES), plain(size), size, isa)
    }
}

/// c[m, n] = a[m, k] · b[k, n]
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

/// Packs the rows of a block of queries (or of what is theirs) as the right side of `product`; missing rows are zero.
///
/// # Safety
/// `from` has `rows` rows of k elements, `to` `packed_len` elements and `whole` QUERIES rows.
pub unsafe fn pack_rows<T: Real>(product: &Product<T>, from: *const T, rows: usize, to: *mut T, whole: *mut T) {
    let k = product.sizes.k;
    // SAFETY: by the caller.
    unsafe {
        if rows == QUERIES {
            return product.pack_b(to, from);
        }
        whole.copy_from_nonoverlapping(from, rows * k);
        (rows * k..QUERIES * k).for_each(|i| whole.add(i).write(T::ZERO));
        product.pack_b(to, whole);
    }
}

/// The product of `rows` rows and a packed block of queries; of no elements the sum is 0.
///
/// # Safety
/// As for [`Product::run_rows`].
pub unsafe fn rows_of<T: Real>(product: &Product<T>, a: *const T, b: *const T, c: *mut T, rows: usize, work: *mut u8) {
    // SAFETY: by the caller.
    unsafe {
        if product.sizes.k == 0 {
            return (0..rows * QUERIES).for_each(|i| c.add(i).write(T::ZERO));
        }
        product.run_rows(a, b, c, false, rows, work);
    }
}

/// The scores of a key for the queries from `group` on, less those that must not see it. Where queries see earlier keys
/// only, query 0 sees `seen` keys of the block (none if negative), each next one sees one more.
#[inline(always)]
pub fn visible<T: Real>(x: Lanes<T>, key: usize, group: usize, seen: Option<isize>) -> Lanes<T> {
    match seen.map(|seen| key as isize - seen - group as isize) {
        Some(last) if last >= LANES as isize => [T::LOWEST; LANES],
        Some(last) if last >= 0 => {
            // The mask is read, not compared, or it becomes a tree of branches.
            // SAFETY: within the two vectors.
            let mask = unsafe { load(T::STEP.as_ptr().add(LANES - 1 - last as usize)) };
            lanes([x, mask], |[x, seen]| if seen > T::ZERO { x } else { T::LOWEST })
        }
        _ => x,
    }
}

/// The greatest magnitude of n elements; NaN if one is.
#[derive(Clone, Copy)]
pub struct Extent<T> {
    pub x: *const T,
    pub n: usize,
    pub result: *mut T,
}

pub struct Magnitude<T>(PhantomData<T>);

impl<T: Real> Kernel for Magnitude<T> {
    type Args = Extent<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(e: Extent<T>) {
        // SAFETY: by the caller.
        unsafe { e.result.write(greatest_magnitude(e.n, e.x)) }
    }
}

/// Parts of one piece of memory, one after the other, each aligned to 64 bytes.
pub struct Carve(pub *mut u8);

impl Carve {
    pub fn bytes<T>(len: usize) -> usize {
        (len * size_of::<T>()).next_multiple_of(64)
    }

    pub fn take<T>(&mut self, len: usize) -> *mut T {
        let part = self.0;
        self.0 = part.wrapping_add(Carve::bytes::<T>(len));
        part as *mut T
    }
}
