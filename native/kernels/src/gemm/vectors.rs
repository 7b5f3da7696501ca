//! Vector registers: intrinsic types of x86, and lanes that the compiler turns into whatever registers a path has.

use super::Scalar;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// A vector register. Methods are called on a path that has it; pointers are the caller's care.
#[allow(clippy::missing_safety_doc)]
pub trait Vector: Copy {
    type Item: Scalar;
    const LEN: usize;
    /// Rows and columns that [`Vector::transpose`] moves.
    const SIDE: usize;
    unsafe fn splat(x: Self::Item) -> Self;
    unsafe fn load(from: *const Self::Item) -> Self;
    /// The first `count` <= LEN elements, then zeros.
    unsafe fn load_first(from: *const Self::Item, count: usize) -> Self;
    unsafe fn store_first(self, to: *mut Self::Item, count: usize);
    unsafe fn mul_add<const FMA: bool>(x: Self, y: Self, z: Self) -> Self;
    unsafe fn add(x: Self, y: Self) -> Self;
    /// to[q · to_row + i] = from[i · from_row + q] for i < rows <= SIDE, q < SIDE.
    unsafe fn transpose(from: *const Self::Item, from_row: isize, rows: usize, to: *mut Self::Item, to_row: usize);
    /// Asks for a line in the first cache.
    #[inline(always)]
    unsafe fn prefetch_near(_at: *const Self::Item) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch may go anywhere.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(_at.cast())
        }
    }
    /// Asks for a line in the second cache.
    #[inline(always)]
    unsafe fn prefetch(_at: *const Self::Item) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch may go anywhere.
        unsafe {
            _mm_prefetch::<_MM_HINT_T1>(_at.cast())
        }
    }
}

#[derive(Clone, Copy)]
pub struct Lanes<T, const N: usize>([T; N]);

impl<T: Scalar, const N: usize> Vector for Lanes<T, N> {
    type Item = T;
    const LEN: usize = N;
    const SIDE: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        Lanes([x; N])
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: by the caller.
        Lanes(unsafe { (from as *const [T; N]).read_unaligned() })
    }
    #[inline(always)]
    unsafe fn load_first(from: *const T, count: usize) -> Self {
        // SAFETY: by the caller.
        unsafe {
            if count == N {
                return Self::load(from);
            }
            let mut x = [T::ZERO; N];
            (0..count).for_each(|l| x[l] = from.add(l).read());
            Lanes(x)
        }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut T, count: usize) {
        // SAFETY: by the caller.
        unsafe {
            if count == N {
                return (to as *mut [T; N]).write_unaligned(self.0);
            }
            (0..count).for_each(|l| to.add(l).write(self.0[l]));
        }
    }
    #[inline(always)]
    unsafe fn mul_add<const FMA: bool>(x: Self, y: Self, mut z: Self) -> Self {
        for l in 0..N {
            z.0[l] = T::mul_add::<FMA>(x.0[l], y.0[l], z.0[l]);
        }
        z
    }
    #[inline(always)]
    unsafe fn add(mut x: Self, y: Self) -> Self {
        for l in 0..N {
            x.0[l] = T::add(x.0[l], y.0[l]);
        }
        x
    }
    #[inline(always)]
    unsafe fn transpose(from: *const T, from_row: isize, rows: usize, to: *mut T, to_row: usize) {
        // A cache line of each row is used while it is there.
        for i in 0..rows {
            for q in 0..Self::SIDE {
                // SAFETY: by the caller.
                unsafe { to.add(q * to_row + i).write(from.offset(i as isize * from_row).add(q).read()) };
            }
        }
    }
}

/// One intrinsic type. `$first` gives the mask of the first lanes.
macro_rules! vector {
    ($v:ty, $t:ty, $len:expr, $side:expr, $splat:ident, $load:ident, $fma:ident, $add:ident, $load_first:expr,
     $store_first:expr, $transpose:ident) => {
        #[cfg(target_arch = "x86_64")]
        impl Vector for $v {
            type Item = $t;
            const LEN: usize = $len;
            const SIDE: usize = $side;

            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $t, count: usize) -> Self {
                unsafe { ($load_first)(from, count) }
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $t, count: usize) {
                unsafe { ($store_first)(to, count, self) }
            }
            #[inline(always)]
            unsafe fn mul_add<const FMA: bool>(x: Self, y: Self, z: Self) -> Self {
                unsafe { $fma(x, y, z) }
            }
            #[inline(always)]
            unsafe fn add(x: Self, y: Self) -> Self {
                unsafe { $add(x, y) }
            }
            #[inline(always)]
            unsafe fn transpose(from: *const $t, from_row: isize, rows: usize, to: *mut $t, to_row: usize) {
                unsafe { $transpose(from, from_row, rows, to, to_row) }
            }
        }
    };
}

vector!(
    __m512,
    f32,
    16,
    8,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    |from, count| _mm512_maskz_loadu_ps(first16(count), from),
    |to, count, x| _mm512_mask_storeu_ps(to, first16(count), x),
    transpose_f32
);
vector!(
    __m512d,
    f64,
    8,
    4,
    _mm512_set1_pd,
    _mm512_loadu_pd,
    _mm512_fmadd_pd,
    _mm512_add_pd,
    |from, count| _mm512_maskz_loadu_pd(first16(count) as u8, from),
    |to, count, x| _mm512_mask_storeu_pd(to, first16(count) as u8, x),
    transpose_f64
);
vector!(
    __m256,
    f32,
    8,
    8,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    |from, count| if count == 8 { _mm256_loadu_ps(from) } else { _mm256_maskload_ps(from, first8(count)) },
    |to, count, x| if count == 8 { _mm256_storeu_ps(to, x) } else { _mm256_maskstore_ps(to, first8(count), x) },
    transpose_f32
);
vector!(
    __m256d,
    f64,
    4,
    4,
    _mm256_set1_pd,
    _mm256_loadu_pd,
    _mm256_fmadd_pd,
    _mm256_add_pd,
    |from, count| if count == 4 { _mm256_loadu_pd(from) } else { _mm256_maskload_pd(from, first8(2 * count)) },
    |to, count, x| if count == 4 { _mm256_storeu_pd(to, x) } else { _mm256_maskstore_pd(to, first8(2 * count), x) },
    transpose_f64
);

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn first16(count: usize) -> u16 {
    ((1u32 << count) - 1) as u16
}

/// All ones in the first `count` <= 8 lanes of 32 bits.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn first8(count: usize) -> __m256i {
    const LANES: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: eight lanes from 8 - count on.
    unsafe { _mm256_loadu_si256(LANES.as_ptr().add(8 - count).cast()) }
}

/// Eight by eight: halves of rows are paired as they are loaded, so that no shuffle crosses the middle.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn transpose_f32(from: *const f32, from_row: isize, rows: usize, to: *mut f32, to_row: usize) {
    // SAFETY: by the caller; missing rows are read as the last one and not stored.
    unsafe {
        let row = |i: usize| from.offset(i.min(rows - 1) as isize * from_row);
        for half in 0..2 {
            // Lane 0: rows 0 to 3; lane 1: rows 4 to 7; four columns.
            let pair = |i: usize| {
                let (low, high) = (row(i).add(4 * half), row(i + 4).add(4 * half));
                _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high))
            };
            let (x0, x1, x2, x3) = (pair(0), pair(1), pair(2), pair(3));
            let (low01, high01) = (_mm256_unpacklo_ps(x0, x1), _mm256_unpackhi_ps(x0, x1));
            let (low23, high23) = (_mm256_unpacklo_ps(x2, x3), _mm256_unpackhi_ps(x2, x3));
            let columns = [
                _mm256_shuffle_ps::<0x44>(low01, low23),
                _mm256_shuffle_ps::<0xEE>(low01, low23),
                _mm256_shuffle_ps::<0x44>(high01, high23),
                _mm256_shuffle_ps::<0xEE>(high01, high23),
            ];
            for (q, &column) in columns.iter().enumerate() {
                column.store_first(to.add((4 * half + q) * to_row), rows);
            }
        }
    }
}

/// Four by four, in the same way.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn transpose_f64(from: *const f64, from_row: isize, rows: usize, to: *mut f64, to_row: usize) {
    // SAFETY: by the caller; missing rows are read as the last one and not stored.
    unsafe {
        let row = |i: usize| from.offset(i.min(rows - 1) as isize * from_row);
        for half in 0..2 {
            let pair = |i: usize| {
                let (low, high) = (row(i).add(2 * half), row(i + 2).add(2 * half));
                _mm256_insertf128_pd::<1>(_mm256_castpd128_pd256(_mm_loadu_pd(low)), _mm_loadu_pd(high))
            };
            let (x0, x1) = (pair(0), pair(1));
            _mm256_unpacklo_pd(x0, x1).store_first(to.add(2 * half * to_row), rows);
            _mm256_unpackhi_pd(x0, x1).store_first(to.add((2 * half + 1) * to_row), rows);
        }
    }
}
