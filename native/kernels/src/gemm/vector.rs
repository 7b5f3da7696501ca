//! Products with a vector: out[j] (+)= Σ_p x[p] · b[p, j]. Memory-bound, so nothing is packed, and rows of memory are
//! read in order, several at a time.

use super::micro::{Scalar, VectorKernel};
use super::vectors::Vector;
use std::marker::PhantomData;

#[derive(Clone, Copy)]
pub struct VectorProduct<T> {
    pub k: usize,
    pub n: usize,
    pub x: *const T,
    pub x_step: isize,
    pub b: *const T,
    pub b_row: isize,
    pub b_column: isize,
    pub out: *mut T,
    pub out_step: isize,
    pub accumulate: bool,
}

/// Columns that are summed together where rows of b are contiguous.
pub const COLUMNS: usize = 1024;
/// Rows of b that are added at once, and columns of b whose sums go on at once.
const ROWS: usize = 8;
pub const DOTS: usize = 4;
/// Elements of the longest vector.
const MOST: usize = 16;

pub struct Sums<T>(PhantomData<T>);

impl<T: Scalar> VectorKernel<T> for Sums<T> {
    type Args = VectorProduct<T>;

    #[inline(always)]
    unsafe fn run<V: Vector<Item = T>, const FMA: bool>(v: VectorProduct<T>) {
        // SAFETY: k steps of x and b, n elements of out.
        unsafe {
            if v.b_column == 1 && v.n > 1 {
                for first in (0..v.n).step_by(COLUMNS) {
                    columns::<V, FMA>(&v, first, COLUMNS.min(v.n - first));
                }
                return;
            }
            let mut j = 0;
            while v.b_row == 1 && v.x_step == 1 && j + DOTS <= v.n {
                dots::<V, DOTS, FMA>(&v, j);
                j += DOTS;
            }
            for j in j..v.n {
                if v.b_row == 1 && v.x_step == 1 {
                    dots::<V, 1, FMA>(&v, j);
                    continue;
                }
                let mut sum = T::ZERO;
                for p in 0..v.k as isize {
                    let y = v.b.offset(p * v.b_row + j as isize * v.b_column).read();
                    sum = T::mul_add::<FMA>(v.x.offset(p * v.x_step).read(), y, sum);
                }
                put(&v, j, sum);
            }
        }
    }
}

#[inline(always)]
unsafe fn put<T: Scalar>(v: &VectorProduct<T>, j: usize, sum: T) {
    // SAFETY: an element of out.
    unsafe {
        let to = v.out.offset(j as isize * v.out_step);
        to.write(if v.accumulate { T::add(to.read(), sum) } else { sum });
    }
}

/// Some columns, row after row.
#[inline(always)]
unsafe fn columns<V: Vector, const FMA: bool>(v: &VectorProduct<V::Item>, first: usize, count: usize) {
    let mut sums = [V::Item::ZERO; COLUMNS];
    let at = sums.as_mut_ptr();
    // SAFETY: by the caller; sums are a multiple of any vector.
    unsafe {
        let row = |p: usize| v.b.offset(p as isize * v.b_row).add(first);
        let x = |p: usize| V::splat(v.x.offset(p as isize * v.x_step).read());
        let mut p = 0;
        while p + ROWS <= v.k {
            let xs: [V; ROWS] = std::array::from_fn(|r| x(p + r));
            for j in (0..count).step_by(V::LEN) {
                let here = V::LEN.min(count - j);
                let mut sum = V::load(at.add(j));
                for (r, &x) in xs.iter().enumerate() {
                    let from = row(p + r).add(j);
                    let y = if here == V::LEN { V::load(from) } else { V::load_first(from, here) };
                    sum = V::mul_add::<FMA>(x, y, sum);
                }
                sum.store_first(at.add(j), V::LEN);
            }
            p += ROWS;
        }
        for p in p..v.k {
            let x = x(p);
            for j in (0..count).step_by(V::LEN) {
                let y = V::load_first(row(p).add(j), V::LEN.min(count - j));
                V::mul_add::<FMA>(x, y, V::load(at.add(j))).store_first(at.add(j), V::LEN);
            }
        }
        (0..count).for_each(|j| put(v, first + j, at.add(j).read()));
    }
}

/// `N` columns that are contiguous, from column j on: two vectors of sums each, added in a tree.
#[inline(always)]
unsafe fn dots<V: Vector, const N: usize, const FMA: bool>(v: &VectorProduct<V::Item>, j: usize) {
    // SAFETY: by the caller.
    unsafe {
        let from: [_; N] = std::array::from_fn(|r| v.b.offset((j + r) as isize * v.b_column));
        let mut sums = [[V::splat(V::Item::ZERO); 2]; N];
        let whole = v.k / (2 * V::LEN) * (2 * V::LEN);
        for p in (0..whole).step_by(2 * V::LEN) {
            for half in 0..2 {
                let at = p + half * V::LEN;
                let x = V::load(v.x.add(at));
                for (sums, from) in sums.iter_mut().zip(from) {
                    sums[half] = V::mul_add::<FMA>(x, V::load(from.add(at)), sums[half]);
                }
            }
        }
        for half in 0..2 {
            let at = (whole + half * V::LEN).min(v.k);
            let count = V::LEN.min(v.k - at);
            let x = V::load_first(v.x.add(at), count);
            for (sums, from) in sums.iter_mut().zip(from) {
                sums[half] = V::mul_add::<FMA>(x, V::load_first(from.add(at), count), sums[half]);
            }
        }
        for (r, [low, high]) in sums.into_iter().enumerate() {
            let mut lanes = [V::Item::ZERO; MOST];
            V::add(low, high).store_first(lanes.as_mut_ptr(), V::LEN);
            let mut half = V::LEN / 2;
            while half > 0 {
                (0..half).for_each(|l| lanes[l] = V::Item::add(lanes[l], lanes[l + half]));
                half /= 2;
            }
            put(v, j + r, lanes[0]);
        }
    }
}
