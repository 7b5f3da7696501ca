//! Products with a vector: out[j] (+)= Σ_p x[p] · b[p, j]. Memory-bound, so nothing is packed.

use super::micro::Scalar;
use crate::isa::{Isa, Kernel, version};
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

// SAFETY: jobs write disjoint parts of out.
unsafe impl<T> Sync for VectorProduct<T> {}

pub fn kernel<T: Scalar>(isa: Isa) -> unsafe fn(VectorProduct<T>) {
    version::<Body<T>>(isa)
}

/// Columns that are summed together where rows of b are contiguous.
pub const COLUMNS: usize = 128;
const LANES: usize = 32;

struct Body<T>(PhantomData<T>);

impl<T: Scalar> Kernel for Body<T> {
    type Args = VectorProduct<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(v: VectorProduct<T>) {
        // SAFETY: k steps of x and b, n elements of out.
        unsafe {
            let put = |j: usize, sum: T| {
                let to = v.out.offset(j as isize * v.out_step);
                to.write(if v.accumulate { T::add(to.read(), sum) } else { sum });
            };
            if v.b_column == 1 && v.n > 1 {
                let mut first = 0;
                while first < v.n {
                    let columns = COLUMNS.min(v.n - first);
                    let mut sums = [T::ZERO; COLUMNS];
                    for p in 0..v.k {
                        let x = v.x.offset(p as isize * v.x_step).read();
                        let row = v.b.offset(p as isize * v.b_row).add(first);
                        if columns == COLUMNS {
                            for (j, sum) in sums.iter_mut().enumerate() {
                                *sum = T::mul_add::<FMA>(x, row.add(j).read(), *sum);
                            }
                        } else {
                            for (j, sum) in sums.iter_mut().enumerate().take(columns) {
                                *sum = T::mul_add::<FMA>(x, row.add(j).read(), *sum);
                            }
                        }
                    }
                    for (j, &sum) in sums.iter().enumerate().take(columns) {
                        put(first + j, sum);
                    }
                    first += columns;
                }
                return;
            }
            for j in 0..v.n {
                let column = v.b.offset(j as isize * v.b_column);
                let mut lanes = [T::ZERO; LANES];
                let groups = if v.b_row == 1 && v.x_step == 1 { v.k / LANES } else { 0 };
                for g in 0..groups {
                    // Whole groups at once, or the compiler does not see vectors.
                    let x = (v.x.add(g * LANES) as *const [T; LANES]).read_unaligned();
                    let y = (column.add(g * LANES) as *const [T; LANES]).read_unaligned();
                    let mut sums = lanes;
                    for l in 0..LANES {
                        sums[l] = T::mul_add::<FMA>(x[l], y[l], sums[l]);
                    }
                    lanes = sums;
                }
                for p in groups * LANES..v.k {
                    let x = v.x.offset(p as isize * v.x_step).read();
                    lanes[p % LANES] =
                        T::mul_add::<FMA>(x, column.offset(p as isize * v.b_row).read(), lanes[p % LANES]);
                }
                // Whole vectors until here: the compiler must not start from the pairs below.
                lanes = std::hint::black_box(lanes);
                let mut half = LANES / 2;
                while half > 0 {
                    for l in 0..half {
                        lanes[l] = T::add(lanes[l], lanes[l + half]);
                    }
                    half /= 2;
                }
                put(j, lanes[0]);
            }
        }
    }
}
